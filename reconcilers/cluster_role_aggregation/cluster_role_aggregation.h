#pragma once

#include <memory>
#include <vector>

#include "kube/controller/manager.h"

namespace coracle::reconcilers {

// Fills the rules of ClusterRoles that have an aggregationRule (upstream's
// clusterrole-aggregation-controller).
std::unique_ptr<kube::ManagedController> make_cluster_role_aggregation(const kube::ControllerDeps& deps);

// The rules that `role` should have: those of every role that one of its selectors matches, in the
// order of selectors and names, each rule once. Pure. Invalid when a selector is wrong.
Result<Value> plan_aggregated_rules(const kube::Object& role, const std::vector<kube::Object>& roles);

}  // namespace coracle::reconcilers
