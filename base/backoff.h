#pragma once

#include <algorithm>

#include "base/clock.h"
#include "base/random.h"

namespace coracle {

// Delays between attempts: each twice the one before up to a longest one, and each shortened by up
// to a quarter at random, so that many who failed together do not come back together.
// Belongs to one task; not thread-safe.
class Backoff {
 public:
  // `random` must outlive this.
  Backoff(Duration first, Duration longest, Random& random)
      : first_(first), longest_(std::max(first, longest)), random_(&random) {}

  Duration next() {
    const Duration full = delay_ == Duration::zero() ? first_ : delay_ > longest_ / 2 ? longest_ : delay_ * 2;
    delay_ = full;
    ++failures_;
    const double shortened = static_cast<double>(full.count()) * (1.0 - kJitter * random_->fraction());
    return Duration(static_cast<Duration::rep>(shortened));
  }
  // After a success: the next delay is the first one again.
  void reset() {
    delay_ = Duration::zero();
    failures_ = 0;
  }
  // Calls of next() since the last reset().
  unsigned failures() const { return failures_; }

 private:
  static constexpr double kJitter = 0.25;
  Duration first_;
  Duration longest_;
  Random* random_;
  Duration delay_{};
  unsigned failures_ = 0;
};

}  // namespace coracle
