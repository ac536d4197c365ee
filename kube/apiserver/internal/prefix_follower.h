#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/executor.h"
#include "base/log.h"
#include "base/task_group.h"
#include "store/backend.h"

namespace coracle::kube::apiserver {

// Runs one piece of work whenever something below a prefix of the store has changed, one run at a
// time: changes that come during a run make one more. Thread-safe.
class PrefixFollower {
 public:
  // True: something is left to be done that no event will tell of; it is tried again later.
  using Work = std::function<Result<bool>(const Context&)>;

  // Everything outlives the follower; destruction waits for a run to end.
  PrefixFollower(Executor& executor, store::Backend& backend, Work work, Logger log);

  // Follows `prefix` from now on, beginning with a run.
  Result<void> start(const Context& context, std::string prefix);
  // Asks for a run for another reason; never waits.
  void wake();

 private:
  static constexpr Duration kRetryInterval = std::chrono::seconds(1);
  static constexpr std::size_t kEventBatch = 256;

  Result<void> follow(const Context& context);
  void run(const Context& context);
  bool wait(const Context& context, std::optional<MonotonicTime> retry_at);
  Result<void> keep_up(const Context& context);

  store::Backend& backend_;
  const Work work_;
  const Logger log_;
  std::string prefix_;

  std::mutex mutex_;
  bool again_ = false;
  const std::unique_ptr<WaitPoint> woken_;
  std::unique_ptr<store::Watch> watch_;  // after start(), the running task's alone
  TaskGroup tasks_;
};

}  // namespace coracle::kube::apiserver
