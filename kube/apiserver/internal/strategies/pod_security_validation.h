#pragma once

#include "kube/apiserver/resource.h"
#include "kube/object/field_path.h"

namespace coracle::kube::apiserver {

// A pod spec's own securityContext and what of the host's namespaces goes with it; `path` is that of the spec.
void check_pod_security_context(const Value& spec, const FieldPath& path, FieldErrors& errors);

}  // namespace coracle::kube::apiserver
