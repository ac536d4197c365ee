#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "kube/apiserver/internal/registry.h"
#include "kube/apiserver/internal/resource.h"

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

}  // namespace coracle::kube::apiserver
