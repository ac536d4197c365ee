#pragma once

#include <memory>

#include "kube/controller/manager.h"
#include "reconcilers/git/git_mirror.h"

namespace coracle::reconcilers {

// Applies what every Kustomization (kustomize.toolkit.fluxcd.io/v1) names of its source, prunes what left
// it, and keeps it that way. Follows sources and dependencies by watching them. `mirror` outlives the
// controller.
std::unique_ptr<kube::ManagedController> make_kustomization_controller(const kube::ControllerDeps& deps,
                                                                       GitMirror& mirror);

}  // namespace coracle::reconcilers
