#pragma once

#include <optional>
#include <string_view>

#include "kube/apiserver/resource.h"
#include "kube/object/field_path.h"

namespace coracle::kube::apiserver {

// A pod template's labels, annotations and pod spec.
void check_pod_template(const Value& pod_template, const FieldPath& path, FieldErrors& errors);

// The metadata alone: where the pod spec is not complete yet (stateful sets add volumes to it).
void check_pod_template_metadata(const Value& metadata, const FieldPath& path, FieldErrors& errors);

// How a kind speaks of its selector.
struct SelectorWords {
  std::optional<std::string_view> empty;      // what is said of an empty one, if anything
  std::optional<std::string_view> malformed;  // what is said of the whole selector beside its faults, if anything
  bool required = true;                       // is a missing one told as such?
};
// The selector of a workload: not empty, well formed, and one that its template's labels satisfy.
void check_workload_selector(const Value& spec, const SelectorWords& words, FieldErrors& errors);

// Templates whose pods run for ever: no other restart policy, no deadline. `kind` is that of the workload.
void check_restart_policy_always(const Value& pod_template, std::string_view kind, const FieldPath& path,
                                 FieldErrors& errors);

// Upstream's ValidatePodSpec as far as users meet it; `path` is that of the spec.
void check_pod_spec(const Value& spec, const FieldPath& path, FieldErrors& errors);

}  // namespace coracle::kube::apiserver
