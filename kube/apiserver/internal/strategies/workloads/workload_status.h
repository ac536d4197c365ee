#pragma once

#include "kube/apiserver/internal/resource.h"

namespace coracle::kube::apiserver {

// What a controller may write into the status of a workload, of a PodDisruptionBudget or of an autoscaler: counts that
// fit each other.
void check_workload_status(const Object& object, const Object& old, FieldErrors& errors);

}  // namespace coracle::kube::apiserver
