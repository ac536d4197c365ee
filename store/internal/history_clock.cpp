#include "store/internal/history_clock.h"

#include <algorithm>

namespace coracle::store::internal {

namespace {
// How exactly the age is kept: in so many steps.
constexpr int kMarksPerAge = 10;
// Beyond the row limit, history is cut to this share of it, so that not each write compacts.
constexpr std::int64_t kKeepTenths = 9;
}  // namespace

void HistoryClock::note(MonotonicTime now, Revision current) {
  if (!marks_.empty() && now - marks_.back().time < limits_.age / kMarksPerAge) return;
  marks_.push_back({now, current});
}

std::optional<MonotonicTime> HistoryClock::next() const {
  if (marks_.empty()) return std::nullopt;
  return marks_.front().time + limits_.age;
}

Revision HistoryClock::due(MonotonicTime now, Revision current, Revision compacted) {
  Revision target = 0;
  while (!marks_.empty() && marks_.front().time + limits_.age <= now) {
    target = marks_.front().revision;
    marks_.pop_front();
  }
  // What followed the last mark too closely to get its own.
  if (target != 0 && marks_.empty() && current > target) marks_.push_back({now, current});
  if (current - compacted > limits_.rows) target = std::max(target, current - limits_.rows * kKeepTenths / 10);
  return target > compacted ? target : 0;
}

}  // namespace coracle::store::internal
