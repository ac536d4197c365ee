#pragma once

#include "kube/apiserver/resource.h"
#include "kube/object/field_path.h"

namespace coracle::kube::apiserver {

// core/v1 tolerations, without comparisons of numbers.
void check_tolerations(const Value& tolerations, const FieldPath& path, FieldErrors& errors);

}  // namespace coracle::kube::apiserver
