#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace coracle {
class Context;
}

namespace coracle::charts {

// Counts the work that a chart makes, and ends it when it is too much or when whoever waits for it has given up.
// A step is about what a node of a template takes.
class StepCounter {
 public:
  // `what` is for the error: "the templates". Without a context only the limit counts.
  StepCounter(std::string_view what, std::uint64_t limit, const Context* context)
      : what_(what), limit_(limit), context_(context) {}
  StepCounter(const StepCounter&) = delete;
  StepCounter& operator=(const StepCounter&) = delete;

  // BadRequest beyond the limit, else Canceled or Timeout when the context has ended.
  Result<void> count(std::uint64_t steps = 1) {
    taken_ += steps;
    if (taken_ < next_look_) return {};
    return look();
  }
  // Items of a list, nodes of a value: many of them make a step.
  Result<void> count_items(std::uint64_t items) {
    constexpr std::uint64_t kItemsOfStep = 16;
    items_ += items;
    const std::uint64_t steps = items_ / kItemsOfStep;
    items_ %= kItemsOfStep;
    return count(steps);
  }
  // A text that is read or written once.
  Result<void> count_bytes(std::uint64_t bytes) {
    constexpr std::uint64_t kBytesOfItem = 64;
    return count_items(bytes / kBytesOfItem);
  }

 private:
  Result<void> look();

  std::string_view what_;
  std::uint64_t limit_;
  const Context* context_;
  std::uint64_t taken_ = 0;
  std::uint64_t items_ = 0;
  std::uint64_t next_look_ = 0;
};

}  // namespace coracle::charts
