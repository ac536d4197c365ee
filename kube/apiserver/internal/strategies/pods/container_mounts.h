#pragma once

#include "kube/apiserver/internal/strategies/field_check.h"
#include "kube/apiserver/internal/strategies/pods/pod_volumes.h"

namespace coracle::kube::apiserver {

// A container's volumeMounts and volumeDevices.
void check_mounts(const FieldCheck& container, const PodVolumes& volumes);

}  // namespace coracle::kube::apiserver
