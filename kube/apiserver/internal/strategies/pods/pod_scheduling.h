#pragma once

#include "kube/apiserver/internal/strategies/field_check.h"
#include "kube/apiserver/internal/strategies/pods/pod_template.h"

namespace coracle::kube::apiserver {

// Where a pod may run. Each takes the pod spec.
void check_affinity(const FieldCheck& spec, const PodSpecOptions& options);
void check_topology_spread(const FieldCheck& spec, const PodSpecOptions& options);
void check_gates(const FieldCheck& spec);

// The spec of a new pod with these labels, where the selectors of affinity terms and of spread constraints have the
// pod's own values of matchLabelKeys (In) and mismatchLabelKeys (NotIn). The checks above expect it of a pod.
Value with_own_labels_selected(const Value& spec, const Value& labels);

}  // namespace coracle::kube::apiserver
