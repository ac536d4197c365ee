#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kube/controller/manager.h"

namespace coracle::reconcilers {

// Keeps the status of every ResourceQuota equal to what its namespace uses (upstream's resourcequota-controller).
// Admission adds to it what is created; this takes away what has gone, and counts anew when a quota changes.
std::unique_ptr<kube::ManagedController> make_resource_quota_controller(const kube::ControllerDeps& deps);

// A resource that quotas count ("pods", "deployments.apps") and its objects in one namespace.
struct CountedObjects {
  std::string resource;
  std::vector<kube::Object> objects;
};

struct QuotaPlan {
  std::optional<Value> status;  // what the quota should have; empty when it has it
  bool lowers_later = false;    // less is in use than the quota says, but that must not be written yet
};

// Pure. Admission charges an object before that is stored: an amount may fall only when the quota is `settled`, that
// is when nothing has been charged for so long that everything charged is stored.
QuotaPlan plan_quota_status(const kube::Object& quota, const std::vector<CountedObjects>& content, bool settled);

}  // namespace coracle::reconcilers
