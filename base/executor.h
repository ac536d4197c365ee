#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/context.h"
#include "base/random.h"

namespace coracle {

// Which threads a task may occupy.
//   Delivery: short work that never waits (moving events into caches, timers' callbacks).
//   Worker:   request handlers and reconciles; may wait through base.
//   Blocking: git, chart rendering, name look-up, host commands; may block in the kernel.
enum class Lane : unsigned char { Delivery, Worker, Blocking };

// A place where tasks wait under a mutex, as on a condition variable. Made by an executor so that
// the same code runs on threads and on simulated fibers.
class WaitPoint {
 public:
  enum class Wake : unsigned char { Notified, Deadline, Stopped };

  virtual ~WaitPoint() = default;
  // Releases `lock`, waits until notified, until the context ends or `until` passes, takes the lock
  // again. May wake without cause: callers loop over their condition.
  virtual Wake wait(std::unique_lock<std::mutex>& lock, const Context& context,
                    std::optional<MonotonicTime> until = std::nullopt) = 0;
  virtual void notify_one() = 0;
  virtual void notify_all() = 0;
};

// A pending timer: destroying it cancels the callback. Cancelling does not wait for a callback
// that already runs.
class Timer {
 public:
  virtual ~Timer() = default;
};

// A thread of someone else that gives turns to tasks between its own work: an I/O loop. It must run
// until the tasks that began on it have ended.
class TaskHost {
 public:
  virtual ~TaskHost() = default;
  // Runs `turn` on the host's thread soon. From any thread; never blocks.
  virtual void post_turn(std::function<void()> turn) = 0;
};

// Where work runs and time passes. Production runs threads; simulation runs every task as a fiber
// of one thread under virtual time, choosing among runnable ones by seed. Thread-safe.
class Executor {
 public:
  virtual ~Executor() = default;

  // Runs `task` soon on the lane's threads. Tasks queue when the lane is full. No order between
  // tasks is promised, not even on one lane.
  virtual void post(Lane lane, std::function<void()> task) = 0;
  // Begins a Worker task on the calling thread, the host's, without waking another; whenever it has
  // waited, it goes on there. For tasks that compute for some ten microseconds: the host stands still
  // meanwhile.
  virtual void begin_on(TaskHost&, std::function<void()> task) { post(Lane::Worker, std::move(task)); }
  // Runs `task` on the Delivery lane at `time`. It must not wait.
  [[nodiscard]] virtual std::unique_ptr<Timer> call_at(MonotonicTime time, std::function<void()> task) = 0;
  [[nodiscard]] std::unique_ptr<Timer> call_after(Duration delay, std::function<void()> task) {
    return call_at(clock().monotonic() + delay, std::move(task));
  }
  virtual std::unique_ptr<WaitPoint> make_wait_point() = 0;
  virtual const Clock& clock() const = 0;
  virtual Random& random() = 0;
};

// Limits of the production executor.
struct ThreadLimits {
  unsigned worker = 128;   // tasks under way: fibers, carried by about one thread for each core
  unsigned blocking = 16;  // threads; they start on demand and end after `idle`
  Duration idle = std::chrono::seconds(10);
};

// Destruction refuses new work, waits for running tasks and drops queued ones.
std::unique_ptr<Executor> make_thread_executor(ThreadLimits limits = {});

}  // namespace coracle
