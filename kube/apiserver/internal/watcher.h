#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "kube/apiserver/internal/object_filter.h"
#include "kube/apiserver/internal/watch_event.h"

namespace coracle::kube::apiserver {

// Where a cache leaves events for one watch, and where the watch's stream takes them. Thread-safe.
class Watcher {
 public:
  // A watch that lets more events than this pile up is closed; its client lists again.
  static constexpr std::size_t kMaxQueue = 4096;

  struct Item {
    WatchType type;
    CacheEventPtr event;
  };

  explicit Watcher(ObjectFilter filter) : filter_(std::move(filter)) {}

  const ObjectFilter& filter() const { return filter_; }
  // Events up to this revision were already told. Set before the cache knows the watcher.
  void start_after(store::Revision revision) { after_ = revision; }

  // Queues the event when it concerns this watch. True: the caller must call wake().
  bool offer(const CacheEventPtr& event);
  // How an event looks through the filter; nothing when it is not to be seen.
  std::optional<WatchType> classify(const CacheEvent& event) const;
  // Ends the stream once the queue is empty. True: the caller must call wake().
  bool close();

  void set_wake(std::function<void()> wake);
  void wake();
  // A timer has fired: the stream shall look at the clock.
  void tick();

  // Moves what is there to `out`. `open` tells whether more can come.
  void take(std::deque<Item>& out, bool& open);
  bool idle() const;

 private:
  const ObjectFilter filter_;
  store::Revision after_ = 0;
  mutable std::mutex mutex_;
  std::deque<Item> queue_;
  bool closed_ = false;
  bool woken_ = false;  // wake() is due or was called since the last take()
  std::shared_ptr<const std::function<void()>> wake_;
};

}  // namespace coracle::kube::apiserver
