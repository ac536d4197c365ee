#pragma once

#include <memory>

#include "kube/controller/manager.h"
#include "reconcilers/git/git_mirror.h"

namespace coracle::reconcilers {

// Keeps the mirror of every GitRepository (source.toolkit.fluxcd.io/v1) at the revision that its spec
// asks for, and says in its status which one that is. `mirror` outlives the controller.
std::unique_ptr<kube::ManagedController> make_git_repository_controller(const kube::ControllerDeps& deps,
                                                                        GitMirror& mirror);

}  // namespace coracle::reconcilers
