#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "base/executor.h"
#include "store/backend.h"

// What every implementation of Backend must do, as one suite. A test program runs each case on each
// implementation, on threads or inside a simulation.
namespace coracle::store::conformance {

// Where a case runs. `make` makes an empty backend that keeps about `history_rows` events in memory
// for watches.
struct Environment {
  Executor& executor;
  std::function<std::unique_ptr<Backend>(std::size_t history_rows)> make;
};

struct Case {
  std::string_view name;
  // An error says which expectation did not hold.
  Result<void> (*run)(const Environment& environment);
  // Takes seconds where time is real.
  bool slow = false;
};

std::span<const Case> cases();

}  // namespace coracle::store::conformance
