#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kube/controller/manager.h"

namespace coracle::reconcilers {

// Empties namespaces that are being deleted and then lets them go (upstream's namespace-controller).
std::unique_ptr<kube::ManagedController> make_namespace_controller(const kube::ControllerDeps& deps);

// What is left of one resource in a namespace.
struct RemainingContent {
  std::string resource;  // "pods.", "deployments.apps": as condition messages name it
  std::size_t count = 0;
  std::vector<std::pair<std::string, std::size_t>> finalizers;  // with the number of objects that have them
};

struct NamespaceProgress {
  std::string discovery_error;
  std::vector<std::string> deletion_errors;
  std::vector<RemainingContent> remaining;
};

// The five conditions of a namespace that is being deleted. Pure.
Value plan_namespace_conditions(const Value& conditions, const NamespaceProgress& progress, WallTime now);

}  // namespace coracle::reconcilers
