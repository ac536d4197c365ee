#pragma once

#include <memory>

#include "kube/controller/manager.h"

namespace coracle::reconcilers {

// Keeps the ServiceAccount "default" in every active namespace (upstream's serviceaccount-controller).
std::unique_ptr<kube::ManagedController> make_service_account_controller(const kube::ControllerDeps& deps);

}  // namespace coracle::reconcilers
