#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/executor.h"
#include "base/internal/fiber.h"
#include "base/internal/thread_lane.h"

namespace coracle::internal {

class FiberLane;

// A task of a FiberLane on its way from its first turn to its end.
struct Fiber {
  Fiber(FiberLane& owner, std::size_t stack_bytes);

  FiberLane& lane;
  FiberStack stack;
  FiberContext context;
  std::function<void()> task;  // empty: the fiber ends
  TaskHost* host = nullptr;    // whose thread gives it its turns; null: the lane's
  bool begun = false;          // the task has had its first turn

  // A fiber can be resumed before it has left its thread, which then gives it its next turn itself.
  enum class State : unsigned char { Running, Parked, Resumed };
  std::atomic<State> state = State::Running;
};

// Runs tasks on fibers, many on few threads: one that waits gives its thread to the next, which costs a
// fraction of a switch between threads and lets many writes wait for one commit. A fiber may go on
// on another thread than the one it waited on, so no task keeps the address of something that
// belongs to a thread (errno) across a wait. Thread-safe.
class FiberLane {
 public:
  // `limit`: how many tasks may have begun and not ended; more queue.
  FiberLane(std::string name, unsigned threads, unsigned limit, Duration idle);
  ~FiberLane();
  FiberLane(const FiberLane&) = delete;
  FiberLane& operator=(const FiberLane&) = delete;

  void post(std::function<void()> task);
  // As Executor::begin_on().
  void begin_on(TaskHost& host, std::function<void()> task);
  // Waits for tasks that have begun, drops the others and refuses new ones.
  void close();

  // The fiber that calls this; null on a plain thread.
  static Fiber* current();
  // Leaves the running fiber until someone resumes it, which may have happened already.
  static void park();
  // Lets a parked fiber go on; once for each park().
  static void resume(Fiber& fiber);

 private:
  friend struct Fiber;

  Fiber* assign(std::function<void()>& task);
  Fiber* take_idle();
  void enter(Fiber& fiber);
  static void post_turn(Fiber& fiber);
  static void run(Fiber& fiber);
  void finish(Fiber& fiber);
  void retire(std::unique_ptr<Fiber> fiber);
  void retire_idle();

  const std::size_t limit_;
  std::mutex mutex_;
  std::condition_variable none_begun_;
  std::deque<std::function<void()>> waiting_;
  std::vector<std::unique_ptr<Fiber>> idle_;
  std::size_t busy_ = 0;  // fibers that have a task
  bool closed_ = false;
  ThreadLane threads_;
};

}  // namespace coracle::internal
