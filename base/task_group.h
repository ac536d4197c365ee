#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/executor.h"

namespace coracle {

// Owns background tasks: destruction asks them to stop and waits for them, so that what they
// reference may be destroyed right after. Declare it last among the members that its tasks use.
class TaskGroup {
 public:
  explicit TaskGroup(const Context& parent);
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // The task's context ends when the group stops or the parent's does. False once stopped.
  bool spawn(Lane lane, std::function<void(const Context&)> task);
  // Asks all tasks to stop; does not wait.
  void stop();
  // Waits until no task runs.
  void join();
  // Context of this group, for work that shares its life.
  const Context& context() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace coracle
