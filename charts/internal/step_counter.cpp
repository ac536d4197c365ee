#include "charts/internal/step_counter.h"

#include <algorithm>
#include <string>

#include "base/context.h"

namespace coracle::charts {

Result<void> StepCounter::look() {
  // Far less than a second of work.
  constexpr std::uint64_t kStepsBetweenLooks = 4096;
  if (taken_ > limit_) {
    return bad_request(std::string(what_) + " take more than " + std::to_string(limit_) + " steps");
  }
  if (context_ != nullptr) TRY(context_->check());
  next_look_ = std::min(taken_ + kStepsBetweenLooks, limit_ + 1);
  return {};
}

}  // namespace coracle::charts
