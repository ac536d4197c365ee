#pragma once

#include <deque>
#include <optional>

#include "base/clock.h"
#include "store/backend.h"

namespace coracle::store::internal {

struct HistoryLimits {
  Duration age;
  std::int64_t rows;
};

// Remembers roughly which revision was current when, and says up to which one history may go.
// Not thread-safe.
class HistoryClock {
 public:
  explicit HistoryClock(HistoryLimits limits) : limits_(limits) {}

  // `current` was reached at `now`.
  void note(MonotonicTime now, Revision current);
  // When due() will have something next; nullopt: not before something is noted.
  std::optional<MonotonicTime> next() const;
  // The revision to compact to; 0 for none.
  Revision due(MonotonicTime now, Revision current, Revision compacted);

 private:
  struct Mark {
    MonotonicTime time;
    Revision revision;
  };
  const HistoryLimits limits_;
  std::deque<Mark> marks_;
};

}  // namespace coracle::store::internal
