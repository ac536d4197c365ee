#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "kube/apiserver/internal/resource.h"
#include "kube/apiserver/internal/strategies/environment.h"

namespace coracle::kube::apiserver {

// Answers the strategy of a built-in resource that has rules of its own; null for all others. The
// environment must be bound before the first write.
using StrategyFactory = std::function<std::shared_ptr<const Strategy>(std::string_view group, std::string_view resource,
                                                                      const StandardBehaviour& behaviour)>;
StrategyFactory make_strategy_factory(std::shared_ptr<const StrategyEnvironment> environment);

}  // namespace coracle::kube::apiserver
