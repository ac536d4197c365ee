#include "reconcilers/garbage_collector/plan.h"

#include <algorithm>

namespace coracle::reconcilers {

CollectionPlan plan_collection(const GraphNode& node, const std::vector<OwnerStanding>& owners,
                               const std::vector<GraphNode>& dependents) {
  CollectionPlan plan;
  const auto any = [&owners](OwnerState state) {
    return std::any_of(owners.begin(), owners.end(),
                       [state](const OwnerStanding& owner) { return owner.state == state; });
  };
  // An object that is going already, or whose owners cannot be judged, is left alone.
  if (owners.empty() || node.deleting || any(OwnerState::Unknown)) return plan;

  if (any(OwnerState::Solid)) {
    for (const OwnerStanding& owner : owners) {
      if (owner.state != OwnerState::Solid) plan.references.push_back(owner.reference.uid);
    }
    if (!plan.references.empty()) plan.action = CollectionPlan::Action::RemoveReferences;
    return plan;
  }

  plan.action = CollectionPlan::Action::Delete;
  if (any(OwnerState::Waiting) && !dependents.empty()) {
    plan.propagation = "Foreground";
    plan.unblock_owners = std::any_of(dependents.begin(), dependents.end(),
                                      [](const GraphNode& dependent) { return dependent.deleting_dependents(); });
    return plan;
  }
  plan.propagation = node.orphan ? "Orphan" : node.foreground ? "Foreground" : "Background";
  return plan;
}

}  // namespace coracle::reconcilers
