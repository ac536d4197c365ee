#include "store/internal/watch_hub.h"

#include <algorithm>

namespace coracle::store::internal {

void Watcher::call() {
  std::lock_guard lock(wake_mutex);
  if (wake) wake();
}

Revision first_match(const EventRing& ring, std::size_t first, const KeyRange& range) {
  for (std::size_t index = first; index < ring.size(); ++index) {
    const Entry& entry = ring[index].event->entry;
    if (range.contains(entry.key)) return entry.mod_revision;
  }
  return 0;
}

void WatchHub::add(const WatcherPtr& watcher) {
  groups_[{watcher->range.start, watcher->range.end}].push_back(watcher);
}

void WatchHub::remove(const Watcher& watcher) {
  const auto group = groups_.find({watcher.range.start, watcher.range.end});
  if (group == groups_.end()) return;
  std::erase_if(group->second, [&](const WatcherPtr& other) { return other.get() == &watcher; });
  if (group->second.empty()) groups_.erase(group);
}

void WatchHub::announce(const EventRing& ring, std::size_t first, std::vector<WatcherPtr>& wake) {
  for (const auto& [key, watchers] : groups_) {
    const Revision match = first_match(ring, first, watchers.front()->range);
    if (match == 0) continue;
    for (const WatcherPtr& watcher : watchers) {
      if (watcher->pending == 0) watcher->pending = match;
      if (std::exchange(watcher->woken, true)) continue;
      wake.push_back(watcher);
    }
  }
}

void WatchHub::announce_progress(Revision head, std::vector<WatcherPtr>& wake) {
  for (const auto& [key, watchers] : groups_) {
    for (const WatcherPtr& watcher : watchers) {
      if (watcher->progress >= head || std::exchange(watcher->woken, true)) continue;
      wake.push_back(watcher);
    }
  }
}

void WatchHub::all(std::vector<WatcherPtr>& wake) {
  for (const auto& [key, watchers] : groups_) wake.insert(wake.end(), watchers.begin(), watchers.end());
}

}  // namespace coracle::store::internal
