#pragma once

#include <functional>
#include <memory>

#include "base/executor.h"

namespace coracle {

// Runs a task on the Delivery lane soon after it was asked for: at once after a quiet time, but not before
// the pause is over that the last run called for, so that what comes thick and fast is dealt with in bulk.
// Thread-safe.
class PacedTask {
 public:
  // `task` answers how long after its beginning it shall not run again.
  PacedTask(Executor& executor, std::function<Duration()> task);
  // The task may still be running, and does not begin any more.
  ~PacedTask();
  PacedTask(const PacedTask&) = delete;
  PacedTask& operator=(const PacedTask&) = delete;

  // The task begins after this call. Never blocks.
  void ask();

 private:
  class State;
  const std::shared_ptr<State> state_;
};

}  // namespace coracle
