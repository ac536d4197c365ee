#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "base/executor.h"

namespace coracle::daemon {

// What the allocator keeps of freed memory, in bytes.
std::size_t unused_memory();

// Gives freed memory back to the system, if it is enough to be worth the while: the allocator itself keeps what lies
// between pieces that are in use, which after one large answer can be most of it. Takes milliseconds.
void trim_memory();
// What all threads of the process have used of the processors.
Duration processor_time();

// Calls `trim` on a Blocking task when the process has worked and then had little to do for a while: during work the
// pages would soon be wanted again.
class IdleMemory {
 public:
  // `executor` outlives it.
  explicit IdleMemory(Executor& executor, std::function<Duration()> used = processor_time,
                      std::function<void()> trim = trim_memory);
  ~IdleMemory();
  IdleMemory(const IdleMemory&) = delete;
  IdleMemory& operator=(const IdleMemory&) = delete;

 private:
  class State;
  const std::shared_ptr<State> state_;
};

}  // namespace coracle::daemon
