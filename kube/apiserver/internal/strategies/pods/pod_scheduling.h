#pragma once

#include "kube/apiserver/internal/strategies/field_check.h"
#include "kube/apiserver/internal/strategies/pods/pod_template.h"

namespace coracle::kube::apiserver {

// Where a pod may run. Each takes the pod spec.
void check_affinity(const FieldCheck& spec, const PodSpecOptions& options);
void check_topology_spread(const FieldCheck& spec, const PodSpecOptions& options);
void check_gates(const FieldCheck& spec);

}  // namespace coracle::kube::apiserver
