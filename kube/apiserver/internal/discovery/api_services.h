#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/log.h"
#include "kube/apiserver/internal/discovery/discovery.h"
#include "kube/apiserver/internal/endpoint_table.h"
#include "kube/apiserver/internal/generic_store.h"
#include "kube/apiserver/internal/prefix_follower.h"
#include "kube/apiserver/internal/registry.h"

namespace coracle::kube::apiserver {

inline constexpr std::string_view kApiServiceGroup = "apiregistration.k8s.io";
inline constexpr std::string_view kApiServiceResource = "apiservices";

// The strategy of apiservices: local ones are available as soon as they are there.
std::shared_ptr<const Strategy> make_api_service_strategy();

// One APIService object for every group version that is served here, and what the objects of other
// servers mean: their groups appear in discovery as stale, and requests to them answer 503.
// https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/apiserver-aggregation/
class ApiServiceController {
 public:
  // All arguments outlive it.
  ApiServiceController(Executor& executor, Registry& registry, GenericStore& store, EndpointTable& endpoints,
                       Discovery& discovery, Logger log);

  // Knows the other servers' groups when it returns; its own objects are written in the background.
  Result<void> start(const Context& context);

 private:
  Result<void> sync(const Context& context);
  Result<std::vector<Object>> list(const Context& context);
  void route_remote(const std::vector<Object>& services);
  Result<void> write_wanted(const Context& context, const Object& wanted, const std::vector<Object>& services);
  Result<void> remove(const Context& context, const Object& service);
  ResourcePtr resource() const;

  Registry& registry_;
  GenericStore& store_;
  EndpointTable& endpoints_;
  Discovery& discovery_;

  std::mutex route_mutex_;
  std::set<std::string> remote_paths_;

  PrefixFollower follower_;
};

}  // namespace coracle::kube::apiserver
