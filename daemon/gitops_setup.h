#pragma once

#include "base/context.h"
#include "base/file_system.h"
#include "base/result.h"
#include "daemon/server_settings.h"
#include "kube/apply/applier.h"

namespace coracle::daemon {

// Makes GitRepository and Kustomization flux-system/flux-system from the gitops-* settings, so that a node
// sets itself up from nothing; credentials become a Secret beside them. Does nothing without gitops-url.
Result<void> set_up_gitops(const Context& context, const kube::Applier& applier, FileSystem& files,
                           const GitopsSettings& settings);

}  // namespace coracle::daemon
