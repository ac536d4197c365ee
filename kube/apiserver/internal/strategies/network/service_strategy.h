#pragma once

#include <memory>

#include "kube/apiserver/internal/resource.h"
#include "kube/apiserver/internal/strategies/network/service_allocator.h"

namespace coracle::kube::apiserver {

// Services take their cluster IP and node ports while they are written, keep them over updates and give
// them back when they go or change their type.
std::shared_ptr<const Strategy> make_service_strategy(const StandardBehaviour& behaviour,
                                                      std::shared_ptr<const StrategyEnvironment> environment,
                                                      std::shared_ptr<ServiceAllocator> allocator);
// IPAddress objects: one for each cluster IP in use.
std::shared_ptr<const Strategy> make_ip_address_strategy(const StandardBehaviour& behaviour,
                                                         std::shared_ptr<ServiceAllocator> allocator);

}  // namespace coracle::kube::apiserver
