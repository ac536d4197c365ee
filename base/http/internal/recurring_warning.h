#pragma once

#include <mutex>
#include <optional>

#include "base/clock.h"

namespace coracle::http::internal {

// Says when to warn of a state that lasts, and may come and go quickly: once as it begins, and not again before it has
// been away for a minute. Thread-safe.
class RecurringWarning {
 public:
  // The state was met; true when that is news.
  bool met(MonotonicTime now) {
    const std::lock_guard lock(mutex_);
    const bool news = !last_ || now - *last_ >= kAway;
    last_ = now;
    return news;
  }

 private:
  static constexpr Duration kAway = std::chrono::minutes(1);

  std::mutex mutex_;
  std::optional<MonotonicTime> last_;
};

}  // namespace coracle::http::internal
