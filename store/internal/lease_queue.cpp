#include "store/internal/lease_queue.h"

#include <algorithm>

namespace coracle::store::internal {

void LeaseQueue::end(const std::string& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  by_time_.erase({found->second.deadline, key});
  by_key_.erase(found);
}

void LeaseQueue::follow(const Event& event, MonotonicTime now) {
  if (event.type == Event::Type::Delete) {
    end(event.entry.key);
  } else {
    restart(event.entry, now);
  }
}

void LeaseQueue::restart(const Entry& entry, MonotonicTime now) {
  end(entry.key);
  if (entry.lease.count() <= 0) return;
  const MonotonicTime deadline = now + std::min(entry.lease, kMaxLease);
  by_key_[entry.key] = {deadline, entry.mod_revision};
  by_time_.emplace(deadline, entry.key);
}

std::optional<MonotonicTime> LeaseQueue::next() const {
  if (by_time_.empty()) return std::nullopt;
  return by_time_.begin()->first;
}

std::vector<Change> LeaseQueue::due(MonotonicTime now, std::size_t limit) const {
  std::vector<Change> changes;
  for (const auto& [deadline, key] : by_time_) {
    if (deadline > now || changes.size() == limit) break;
    changes.push_back({Change::Kind::Remove, key, nullptr, by_key_.at(key).revision});
  }
  return changes;
}

void LeaseQueue::postpone(MonotonicTime now, MonotonicTime time) {
  while (!by_time_.empty() && by_time_.begin()->first <= now) {
    std::string key = by_time_.begin()->second;
    by_time_.erase(by_time_.begin());
    by_key_.at(key).deadline = time;
    by_time_.emplace(time, std::move(key));
  }
}

}  // namespace coracle::store::internal
