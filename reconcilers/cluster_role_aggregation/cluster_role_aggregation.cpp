#include "reconcilers/cluster_role_aggregation/cluster_role_aggregation.h"

#include <algorithm>
#include <utility>

#include "kube/client/resources.h"
#include "kube/controller/identity.h"
#include "kube/object/selector.h"

namespace coracle::reconcilers {
namespace {

constexpr std::string_view kFieldManager = "clusterrole-aggregation-controller";

bool aggregates(const kube::Object& role) {
  return role["aggregationRule"]["clusterRoleSelectors"].size() > 0;
}

class ClusterRoleAggregationReconciler : public kube::Reconciler {
 public:
  ClusterRoleAggregationReconciler(const kube::Client& client, const kube::Store& roles)
      : client_(client), roles_(roles) {}

  Result<kube::Done> reconcile(const Context& context, const kube::ObjectKey& key) override {
    const std::optional<kube::Object> role = roles_.get(key);
    if (!role || !aggregates(*role) || role->deleting()) return kube::Done{};
    ASSIGN_OR_RETURN(const Value rules, plan_aggregated_rules(*role, roles_.list()));
    if ((*role)["rules"] == rules || ((*role)["rules"].empty() && rules.empty())) return kube::Done{};
    const kube::Object wanted(Value::object({{"apiVersion", "rbac.authorization.k8s.io/v1"},
                                             {"kind", "ClusterRole"},
                                             {"metadata", Value::object({{"name", key.name}})},
                                             {"rules", rules}}));
    TRY(client_.apply(context, kube::resources::cluster_roles(), wanted,
                      {.field_manager = std::string(kFieldManager), .force = true}));
    return kube::Done{};
  }

 private:
  const kube::Client& client_;
  const kube::Store& roles_;
};

}  // namespace

Result<Value> plan_aggregated_rules(const kube::Object& role, const std::vector<kube::Object>& roles) {
  std::vector<Value> rules;
  for (const Value& selector_value : role["aggregationRule"]["clusterRoleSelectors"].items()) {
    ASSIGN_OR_RETURN(const kube::LabelSelector selector, kube::LabelSelector::from_value(selector_value));
    for (const kube::Object& other : roles) {  // a lister's order is by name
      if (other.name() == role.name() || !selector.matches(other.metadata()["labels"])) continue;
      for (const Value& rule : other["rules"].items()) {
        if (std::find(rules.begin(), rules.end(), rule) == rules.end()) rules.push_back(rule);
      }
    }
  }
  return Value::array(std::move(rules));
}

std::unique_ptr<kube::ManagedController> make_cluster_role_aggregation(const kube::ControllerDeps& deps) {
  kube::Informer& roles = deps.informers.get(kube::resources::cluster_roles());
  const kube::Store& store = roles.store();
  auto controller = std::make_unique<kube::SimpleController>(
      kube::as_service_account(deps.context, "kube-system", "clusterrole-aggregation-controller"),
      std::make_unique<ClusterRoleAggregationReconciler>(deps.client, store),
      kube::ControllerOptions{.name = "clusterrole-aggregation-controller", .concurrency = 1}, deps.log);
  // Any role may be a part of any aggregating one.
  controller->controller().watch(roles, [&store](const kube::Object&) {
    std::vector<kube::ObjectKey> keys;
    for (const kube::Object& role : store.list()) {
      if (aggregates(role)) keys.push_back(role.key());
    }
    return keys;
  });
  return controller;
}

}  // namespace coracle::reconcilers
