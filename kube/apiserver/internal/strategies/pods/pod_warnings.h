#pragma once

#include <string>
#include <vector>

#include "kube/apiserver/internal/resource.h"
#include "kube/object/field_path.h"

namespace coracle::kube::apiserver {

// What is accepted in a pod spec but seldom meant. `path`: of the pod template; empty for a pod.
void add_pod_warnings(const Value& spec, const Value& metadata, const FieldPath& path,
                      std::vector<std::string>& warnings);

// A name that becomes a hostname, though it cannot be one.
void add_pod_name_warning(std::string_view name, std::vector<std::string>& warnings);

}  // namespace coracle::kube::apiserver
