#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "store/internal/event_ring.h"

namespace coracle::store::internal {

// One watch: a place in the ring of events. Because the ring is what all watches share, a watch
// costs the same however far behind it is, and one whose next event has left the ring is too slow.
struct Watcher {
  KeyRange range;
  // Events older than the ring, delivered first.
  std::deque<EventPtr> backlog;
  // The first event in the ring that is not delivered yet; 0 when there is none.
  Revision pending = 0;
  // What the last drain reported.
  Revision progress = 0;
  // Woken since the last drain: no need to wake again.
  bool woken = false;

  // Makes the owner look. Held during the call, so that a watch that has been destroyed is never
  // woken afterwards; the callback neither waits nor calls back, as on_ready() demands.
  void call();
  std::mutex wake_mutex;
  std::function<void()> wake;
};

using WatcherPtr = std::shared_ptr<Watcher>;

// All watches of a backend, guarded by the lock of the committed state.
class WatchHub {
 public:
  void add(const WatcherPtr& watcher);
  void remove(const Watcher& watcher);
  bool empty() const { return groups_.empty(); }

  // Notes the records from index `first` on; appends the watchers to wake.
  void announce(const EventRing& ring, std::size_t first, std::vector<WatcherPtr>& wake);
  // Appends the watchers that have not heard of `head` yet.
  void announce_progress(Revision head, std::vector<WatcherPtr>& wake);
  void all(std::vector<WatcherPtr>& wake);

 private:
  // Watches of one range are matched once.
  std::map<std::pair<std::string, std::string>, std::vector<WatcherPtr>> groups_;
};

// Revision of the first record of the range from index `first` on; 0 when there is none.
Revision first_match(const EventRing& ring, std::size_t first, const KeyRange& range);

}  // namespace coracle::store::internal
