#pragma once

#include <memory>
#include <stop_token>

#include "base/executor.h"
#include "base/log.h"
#include "base/result.h"
#include "daemon/server_settings.h"

namespace coracle::daemon {

// A running `coracle server`. Destruction stops everything in reverse order of starting: reconcilers,
// the listener, the API server, the store.
class RunningServer {
 public:
  virtual ~RunningServer() = default;
  virtual std::uint16_t port() const = 0;
};

// Brings up certificates, tokens, store, API server, listener, kubeconfig and reconcilers. The error of
// a failed start is one line that names the component. The API answers /readyz with "ok" when this
// returns. A start that waits ends with Canceled when `stop` is asked for.
Result<std::unique_ptr<RunningServer>> start_server(Executor& executor, const ServerSettings& settings,
                                                    std::stop_source stop, Logger log);

}  // namespace coracle::daemon
