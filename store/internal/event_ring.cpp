#include "store/internal/event_ring.h"

#include <algorithm>
#include <utility>

namespace coracle::store::internal {

namespace {
std::size_t record_bytes(const HistoryRecord& record) {
  const Event& event = *record.event;
  std::size_t bytes = sizeof(Event) + sizeof(HistoryRecord) + event.entry.key.size();
  if (event.entry.value != nullptr) bytes += event.entry.value->size();
  if (event.previous != nullptr && event.previous != event.entry.value) bytes += event.previous->size();
  return bytes;
}
}  // namespace

void EventRing::drop_oldest() {
  floor_ = records_.front().event->entry.mod_revision;
  bytes_ -= record_bytes(records_.front());
  records_.pop_front();
}

void EventRing::append(HistoryRecord record) {
  bytes_ += record_bytes(record);
  records_.push_back(std::move(record));
  while (records_.size() > 1 && (records_.size() > limits_.rows || bytes_ > limits_.bytes)) drop_oldest();
}

void EventRing::trim(Revision revision) {
  while (!records_.empty() && records_.front().event->entry.mod_revision <= revision) drop_oldest();
  floor_ = std::max(floor_, revision);
}

std::size_t EventRing::after(Revision revision) const {
  const auto found = std::upper_bound(
      records_.begin(), records_.end(), revision,
      [](Revision wanted, const HistoryRecord& record) { return wanted < record.event->entry.mod_revision; });
  return static_cast<std::size_t>(found - records_.begin());
}

}  // namespace coracle::store::internal
