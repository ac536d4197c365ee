#pragma once

#include <string>
#include <vector>

#include "reconcilers/garbage_collector/graph.h"

namespace coracle::reconcilers {

// How an owner that a reference names stands right now.
enum class OwnerState : std::uint8_t {
  Solid,     // exists
  Dangling,  // does not exist, or has another uid
  Waiting,   // exists, and is being deleted after its dependents
  Unknown,   // cannot be looked up (kind not served, namespaced owner of a cluster-scoped object)
};

struct OwnerStanding {
  kube::OwnerReference reference;
  OwnerState state;
};

struct CollectionPlan {
  enum class Action : std::uint8_t { Keep, RemoveReferences, Delete };
  Action action = Action::Keep;
  std::vector<std::string> references;  // uids to take out, of RemoveReferences
  std::string propagation;              // of Delete
  bool unblock_owners = false;          // first stop blocking: the object is part of a circle
};

// What to do with an object, given how its owners stand and what depends on it. Pure.
CollectionPlan plan_collection(const GraphNode& node, const std::vector<OwnerStanding>& owners,
                               const std::vector<GraphNode>& dependents);

}  // namespace coracle::reconcilers
