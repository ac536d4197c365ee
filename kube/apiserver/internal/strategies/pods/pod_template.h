#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "kube/apiserver/internal/resource.h"
#include "kube/object/field_path.h"

namespace coracle::kube::apiserver {

// What the rules of a pod spec depend on beside the spec. Nothing of it is owned.
struct PodSpecOptions {
  // The metadata of the pod; null for a template, which is allowed a little more.
  const Value* pod_metadata = nullptr;
  // The spec that is stored: what it was allowed to have by older rules may stay.
  const Value* old_spec = nullptr;
  // Does the stored spec ask for parts of huge pages?
  bool tolerates_odd_pages = false;

  const Value& old_value(std::string_view field) const {
    static const Value kNothing;
    return old_spec == nullptr ? kNothing : (*old_spec)[field];
  }
};

// Marks a pod that stands for one which a node keeps by itself.
inline constexpr std::string_view kMirrorPod = "kubernetes.io/config.mirror";

// A pod spec without what upstream has behind feature gates that are off: silently dropped, unless the stored spec
// has it.
Value without_disabled_fields(const Value& spec, const Value& old);

// Where objects of a resource have their pod template; empty for those that have none.
std::span<const std::string_view> pod_template_path(std::string_view resource);
// The object with such fields dropped from its template.
Object without_disabled_template_fields(const Object& object, std::span<const std::string_view> path,
                                        const Object* old);

// What to bear with when a pod spec takes the place of this one.
PodSpecOptions options_of_update(const Value& old_spec);

// A pod template's labels, annotations and pod spec. `old_template`: the stored one of an update.
void check_pod_template(const Value& pod_template, const FieldPath& path, FieldErrors& errors,
                        const Value* old_template = nullptr);

// Annotations that mean something for a pod with this spec; `path` is theirs.
void check_pod_annotations(const Value& annotations, const FieldPath& path, const Value& spec, FieldErrors& errors);

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

// Upstream's ValidatePodSpec; `path` is that of the spec. Takes the place of what the schema has found below that path:
// upstream says these things in other words and in another order.
void check_pod_spec(const Value& spec, const FieldPath& path, FieldErrors& errors, const PodSpecOptions& options = {});

}  // namespace coracle::kube::apiserver
