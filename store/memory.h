#pragma once

#include <cstddef>
#include <memory>

#include "base/executor.h"
#include "store/backend.h"

namespace coracle::store {

struct MemoryOptions {
  // History that is kept; what goes beyond it counts as compacted.
  std::size_t history_rows = 10'000;
  std::size_t history_bytes = std::size_t{64} << 20U;
};

// A backend that forgets everything when it is destroyed: tests, simulations, `memory://`. Writes
// run on the caller's thread and never wait; leases end by the executor's timers. The executor must
// outlive it.
std::unique_ptr<Backend> make_memory_backend(Executor& executor, const MemoryOptions& options = {});

}  // namespace coracle::store
