#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "base/executor.h"

namespace coracle::internal {

// A callback that may be asked for often and from any thread, runs on the Delivery lane once for
// all that asked before it began, and never after cancel() returned. Held by shared pointer.
class ChangeCallback : public std::enable_shared_from_this<ChangeCallback> {
 public:
  ChangeCallback(Executor& executor, std::function<void()> callback);

  void request();
  // Waits for a run in progress, unless that is what calls it.
  void cancel();

 private:
  void run();

  Executor& executor_;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::function<void()> callback_;
  std::thread::id runner_;  // of the run in progress
  bool requested_ = false;
  bool running_ = false;
  bool cancelled_ = false;
};

}  // namespace coracle::internal
