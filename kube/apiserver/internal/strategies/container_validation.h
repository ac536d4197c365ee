#pragma once

#include <functional>
#include <set>
#include <string>

#include "kube/apiserver/resource.h"
#include "kube/object/field_path.h"

namespace coracle::kube::apiserver {

using VolumeNames = std::set<std::string, std::less<>>;

// Containers, init containers and ephemeral containers of a pod spec: names that are unique among all
// of them, images, ports, environment, mounts of `volumes`, amounts, probes and hooks.
void check_containers(const Value& pod_spec, const FieldPath& path, const VolumeNames& volumes, FieldErrors& errors);

}  // namespace coracle::kube::apiserver
