#pragma once

#include <memory>

#include "kube/controller/manager.h"

namespace coracle::reconcilers {

// Deletes what its owners left behind and carries out foreground and orphan deletion (upstream's
// garbage-collector-controller). Follows the metadata of every resource that can be listed, watched and
// deleted, events excepted.
std::unique_ptr<kube::ManagedController> make_garbage_collector(const kube::ControllerDeps& deps);

}  // namespace coracle::reconcilers
