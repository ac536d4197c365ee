#pragma once

#include "kube/apiserver/internal/strategies/field_check.h"

namespace coracle::kube::apiserver {

// The hooks and probes of a container that runs beside others. `grace`: the pod's terminationGracePeriodSeconds.
void check_lifecycle(const FieldCheck& lifecycle, const Value& grace);
void check_probes(const FieldCheck& container, const Value& grace);

}  // namespace coracle::kube::apiserver
