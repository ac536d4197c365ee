#pragma once

#include <map>
#include <string_view>

#include "kube/apiserver/internal/strategies/field_check.h"
#include "kube/apiserver/internal/strategies/pods/pod_template.h"

namespace coracle::kube::apiserver {

// The volumes of a pod that may be mounted, by name; refers to the pod spec.
using PodVolumes = std::map<std::string_view, const Value*>;

// Checks spec.volumes. Answers those without a fault: a mount of another one names nothing.
PodVolumes check_volumes(const FieldCheck& volumes, const PodSpecOptions& options);

}  // namespace coracle::kube::apiserver
