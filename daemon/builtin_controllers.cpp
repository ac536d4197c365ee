#include "daemon/builtin_controllers.h"

#include "reconcilers/cluster_role_aggregation/cluster_role_aggregation.h"
#include "reconcilers/garbage_collector/garbage_collector.h"
#include "reconcilers/namespace_lifecycle/namespace_controller.h"
#include "reconcilers/resource_quota/resource_quota.h"
#include "reconcilers/root_ca/root_ca_publisher.h"
#include "reconcilers/service_account/service_account_controller.h"
#include "reconcilers/storage_protection/storage_protection.h"

namespace coracle::daemon {
namespace {

using Controllers = std::vector<std::unique_ptr<kube::ManagedController>>;
using Make = std::unique_ptr<kube::ManagedController> (*)(const kube::ControllerDeps& deps);

template <Make... kMakes>
Controllers make_all(const kube::ControllerDeps& deps, const std::string&) {
  Controllers controllers;
  (controllers.push_back(kMakes(deps)), ...);
  return controllers;
}

Controllers make_root_ca(const kube::ControllerDeps& deps, const std::string& server_ca_pem) {
  Controllers controllers;
  controllers.push_back(reconcilers::make_root_ca_publisher(deps, server_ca_pem));
  return controllers;
}

constexpr ControllerGroup kGroups[] = {
    {"service-account", make_all<reconcilers::make_service_account_controller>},
    {"root-ca", make_root_ca},
    {"namespace", make_all<reconcilers::make_namespace_controller>},
    {"aggregation", make_all<reconcilers::make_cluster_role_aggregation>},
    {"resource-quota", make_all<reconcilers::make_resource_quota_controller>},
    {"storage-protection", make_all<reconcilers::make_claim_protection, reconcilers::make_volume_protection,
                                    reconcilers::make_attributes_class_protection>},
    {"garbage-collector", make_all<reconcilers::make_garbage_collector>},
};

}  // namespace

std::span<const ControllerGroup> builtin_controllers() {
  return kGroups;
}

}  // namespace coracle::daemon
