#include "kube/apiserver/internal/strategies/strategies.h"

#include <utility>

#include "kube/apiserver/internal/strategies/devices/admin_access_strategy.h"
#include "kube/apiserver/internal/strategies/network/service_strategy.h"
#include "kube/apiserver/internal/strategies/pods/pod_strategy.h"
#include "kube/apiserver/internal/strategies/resource_rules.h"

namespace coracle::kube::apiserver {

StrategyFactory make_strategy_factory(std::shared_ptr<const StrategyEnvironment> environment) {
  auto allocator = std::make_shared<ServiceAllocator>(environment);
  return [environment = std::move(environment), allocator = std::move(allocator)](
             std::string_view group, std::string_view resource,
             const StandardBehaviour& behaviour) -> std::shared_ptr<const Strategy> {
    if (group.empty() && resource == "services") return make_service_strategy(behaviour, environment, allocator);
    if (group.empty() && resource == "pods") return make_pod_strategy(behaviour);
    if (group == "networking.k8s.io" && resource == "ipaddresses") {
      return make_ip_address_strategy(behaviour, allocator);
    }
    auto ruled = make_ruled_strategy(group, resource, behaviour);
    if (group == "resource.k8s.io" && (resource == "resourceclaims" || resource == "resourceclaimtemplates")) {
      return make_admin_access_strategy(std::move(ruled), environment, resource);
    }
    return ruled;
  };
}

}  // namespace coracle::kube::apiserver
