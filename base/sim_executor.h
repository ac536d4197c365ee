#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/executor.h"

namespace coracle {

// Runs everything on the calling thread: tasks are fibers (ucontext) that switch only where they
// wait, time is virtual and jumps to the next timer when nothing can run, and the seed decides
// which runnable task goes next. The same seed and program give the same run.
// Unlike other executors it belongs to one thread. Aborts, with the list of tasks, on what a simulation
// cannot survive: nothing can ever run again, a Delivery task waits, tasks wake each other for ever,
// a second thread calls. Code outside run() may wait; the tasks run meanwhile. Destruction lets
// running tasks end and drops those that never began.
class SimExecutor : public Executor {
 public:
  static std::unique_ptr<SimExecutor> make(std::uint64_t seed, WallTime start);

  // Runs `task` as a fiber and everything it causes; returns when `task` has returned.
  virtual void run(std::function<void()> task) = 0;
  // Lets other runnable fibers go first; only inside run().
  virtual void yield() = 0;
  // Number of switches so far; equal for equal seeds.
  virtual std::uint64_t switches() const = 0;
  // A digest of the schedule so far, to prove that a seed repeats.
  virtual std::uint64_t schedule_hash() const = 0;
};

}  // namespace coracle
