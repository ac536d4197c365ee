#pragma once

#include <memory>
#include <string>

#include "kube/controller/manager.h"

namespace coracle::reconcilers {

// Keeps the ConfigMap "kube-root-ca.crt" in every active namespace exactly as it should be
// (upstream's root-ca-certificate-publisher-controller).
std::unique_ptr<kube::ManagedController> make_root_ca_publisher(const kube::ControllerDeps& deps, std::string ca_pem);

}  // namespace coracle::reconcilers
