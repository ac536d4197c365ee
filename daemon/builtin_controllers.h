#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kube/controller/manager.h"

namespace coracle::daemon {

// Controllers that belong together: what a cluster needs whatever else runs on it (kube-controller-manager's part).
struct ControllerGroup {
  std::string_view name;
  std::vector<std::unique_ptr<kube::ManagedController>> (*make)(const kube::ControllerDeps& deps,
                                                                const std::string& server_ca_pem);
};

// In the order in which they start.
std::span<const ControllerGroup> builtin_controllers();

}  // namespace coracle::daemon
