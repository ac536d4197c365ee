#pragma once

#include <cstddef>
#include <memory>

#include "base/executor.h"

namespace coracle::daemon {

// What the allocator keeps of freed memory, in bytes.
std::size_t unused_memory();

// Gives memory that was freed back to the system when the process has had little to do for a while: the allocator
// itself keeps what lies between pieces that are in use, which after one large answer can be most of it. While there is
// work the pages would soon be wanted again.
class IdleMemory {
 public:
  // `executor` outlives it.
  explicit IdleMemory(Executor& executor);
  ~IdleMemory();
  IdleMemory(const IdleMemory&) = delete;
  IdleMemory& operator=(const IdleMemory&) = delete;

 private:
  class State;
  const std::shared_ptr<State> state_;
};

}  // namespace coracle::daemon
