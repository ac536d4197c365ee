#pragma once

#include <functional>
#include <memory>

#include "base/executor.h"
#include "base/result.h"

namespace coracle {

// Keeps SIGTERM, SIGINT and SIGHUP from ending the process and makes writes to closed connections
// fail instead of raising SIGPIPE. Call it first in main(): threads inherit it when they start.
void block_termination_signals();

// Ends when destroyed; a call that runs is waited for. Destroy it before its executor.
class SignalWatch {
 public:
  virtual ~SignalWatch() = default;
};

// Calls `on_signal` with SIGTERM, SIGINT or SIGHUP on the Delivery lane. Only one per process, after
// block_termination_signals().
Result<std::unique_ptr<SignalWatch>> watch_termination_signals(Executor& executor, std::function<void(int)> on_signal);

}  // namespace coracle
