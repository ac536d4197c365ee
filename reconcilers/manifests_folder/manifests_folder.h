#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "kube/controller/manager.h"

namespace coracle::reconcilers {

struct ManifestsFolderOptions {
  std::string folder;                 // <data-dir>/server/manifests
  std::vector<std::string> disabled;  // --disable
};

// Applies every manifest of a folder and keeps an Addon for each, as k3s's deploy controller does, but
// as soon as a file changes. Errors of a file are an event on its Addon and a log line, and are tried
// again; the other files go on. `files` outlives the controller.
std::unique_ptr<kube::ManagedController> make_manifests_folder(const kube::ControllerDeps& deps, FileSystem& files,
                                                               ManifestsFolderOptions options);

}  // namespace coracle::reconcilers
