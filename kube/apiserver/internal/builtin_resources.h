#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "kube/apiserver/registry.h"
#include "kube/apiserver/resource.h"

namespace coracle::kube::apiserver {

// What is special about single built-in resources; each may be empty or answer null for the usual.
struct BuiltinHooks {
  std::function<std::shared_ptr<const Strategy>(std::string_view group, std::string_view resource,
                                                const StandardBehaviour& standard)>
      strategy;
  std::function<std::shared_ptr<const TableConvertor>(std::string_view group, std::string_view resource)> table;
};

// Every resource of a default API server, built from one data table.
std::vector<ResourcePtr> builtin_resources(const BuiltinHooks& hooks);

// groupPriorityMinimum of a built-in group, 1000 for others: the order of groups in discovery.
int group_priority(std::string_view group);
// v2 before v1 before v1beta1 before anything else.
bool version_before(std::string_view left, std::string_view right);

std::unique_ptr<Registry> make_registry(std::vector<ResourcePtr> builtin);

}  // namespace coracle::kube::apiserver
