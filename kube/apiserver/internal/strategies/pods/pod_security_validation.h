#pragma once

#include "kube/apiserver/internal/strategies/field_check.h"
#include "kube/apiserver/internal/strategies/pods/pod_template.h"

namespace coracle::kube::apiserver {

// A pod spec's own securityContext and what of the host's namespaces goes with it.
void check_pod_security_context(const FieldCheck& spec, const PodSpecOptions& options);

// A container's securityContext. `host_users`: the pod's users are those of the host.
void check_container_security_context(const FieldCheck& context, bool host_users);

// Annotations that once said what these contexts say now: well formed, and saying the same as the fields.
// `path`: that of the annotations.
void check_security_annotations(const FieldCheck& spec, const Value& annotations, const FieldPath& path);
void check_security_annotations_agree(const FieldCheck& spec, const Value& annotations);

}  // namespace coracle::kube::apiserver
