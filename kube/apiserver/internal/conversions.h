#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "kube/object/object.h"

namespace coracle::kube::apiserver {

// Between the versions of built-in resources whose stored form is not the served one: events of the
// two groups, horizontal pod autoscalers v1 and v2. Empty where only apiVersion differs.
std::function<Result<Object>(const Object&, const GroupVersionKind& to)> builtin_conversion(
    const GroupVersionKind& gvk);

// Values of selectable fields that are no plain path in the stored object. Empty where all are.
std::function<std::string(const Object&, std::string_view field)> builtin_field_value(const GroupVersionKind& gvk);

}  // namespace coracle::kube::apiserver
