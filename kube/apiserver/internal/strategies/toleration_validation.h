#pragma once

#include "kube/apiserver/internal/strategies/field_check.h"

namespace coracle::kube::apiserver {

// core/v1 tolerations, without comparisons of numbers.
void check_tolerations(const FieldCheck& tolerations);

}  // namespace coracle::kube::apiserver
