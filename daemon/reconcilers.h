#pragma once

#include <memory>
#include <string>

#include "base/context.h"
#include "base/file_system.h"
#include "base/http/message.h"
#include "base/log.h"
#include "base/result.h"
#include "daemon/certificates.h"
#include "daemon/server_settings.h"

namespace coracle::daemon {

// Everything that keeps the cluster as it should be: controllers, the manifests folder, Helm and git.
// Destruction stops them.
class Reconcilers {
 public:
  virtual ~Reconcilers() = default;
};

// Applies the bundled definitions, then starts the reconcilers that the settings ask for, as in-process
// clients of `api`, which the node reaches at `api_address` ("127.0.0.1:6443"). Everything handed in outlives the
// result.
Result<std::unique_ptr<Reconcilers>> start_reconcilers(const Context& context, http::Handler& api, FileSystem& files,
                                                       const ServerSettings& settings, const Certificates& certificates,
                                                       std::string api_address, const Logger& log);

}  // namespace coracle::daemon
