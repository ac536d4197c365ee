#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kube/object/object.h"

// spec.targetNamespace of a Kustomization, as kustomize's namespace transformer and name references have it. Pure.
namespace coracle::reconcilers {

// Puts all that is namespaced into `target`, gives Namespaces its name, and lets what refers to a moved ServiceAccount
// or Service (subjects of bindings, webhooks, APIServices, conversions) follow it. Invalid when two objects become one.
Result<std::vector<kube::Object>> move_to_namespace(
    std::vector<kube::Object> objects, std::string_view target,
    const std::function<bool(const kube::GroupVersionKind&)>& is_namespaced);

}  // namespace coracle::reconcilers
