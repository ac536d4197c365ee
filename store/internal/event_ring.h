#pragma once

#include <deque>

#include "store/internal/change.h"

namespace coracle::store::internal {

struct RingLimits {
  std::size_t rows;
  std::size_t bytes;  // values before and after, and what an event costs beside them
};

// The newest committed changes in revision order. Not thread-safe.
class EventRing {
 public:
  explicit EventRing(RingLimits limits) : limits_(limits) {}

  // Starts empty after `revision`.
  void start(Revision revision) { floor_ = revision; }
  // Drops the oldest records when there are too many; the newest one always stays.
  void append(HistoryRecord record);
  // Drops what is not newer than `revision`.
  void trim(Revision revision);

  // Every event with a higher revision is here.
  Revision floor() const { return floor_; }
  std::size_t size() const { return records_.size(); }
  const HistoryRecord& operator[](std::size_t index) const { return records_[index]; }
  // Index of the first record with a higher revision; size() when there is none.
  std::size_t after(Revision revision) const;

 private:
  void drop_oldest();

  const RingLimits limits_;
  std::deque<HistoryRecord> records_;
  std::size_t bytes_ = 0;
  Revision floor_ = 0;
};

}  // namespace coracle::store::internal
