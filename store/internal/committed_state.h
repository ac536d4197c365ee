#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/executor.h"
#include "store/internal/event_ring.h"
#include "store/internal/fair_shared_mutex.h"
#include "store/internal/key_index.h"
#include "store/internal/watch_hub.h"

namespace coracle::store::internal {

// What a backend has committed, as far as it is in memory: the newest entry of every key, the
// latest events, the watches. One writer applies; anybody reads. Thread-safe.
class CommittedState : public std::enable_shared_from_this<CommittedState> {
 public:
  CommittedState(Executor& executor, ValueLimits values, RingLimits ring);

  // Before anything else: what was found on start.
  void load(const Entry& entry) { index_.put(entry); }
  // `floor`: everything that happened later is (or will be) among the events in memory.
  void start(Revision current, Revision compacted, Revision floor);

  // The writer's part. apply() makes the batch visible; the watchers it returns are to be called
  // once the caller holds no lock. The batch is in revision order.
  [[nodiscard]] std::vector<WatcherPtr> apply(std::vector<HistoryRecord> batch);
  static void wake(const std::vector<WatcherPtr>& watchers);
  // Forgets history up to `revision`. Watches that need it expire.
  void compact(Revision revision);
  // Ends all watches with Canceled.
  void close();

  Revision current() const { return current_.load(std::memory_order_acquire); }
  Revision compacted() const { return compacted_.load(std::memory_order_acquire); }
  // Events with a higher revision are in memory.
  Revision floor() const;

  // A null value is one that is not in memory.
  GetResult get(std::string_view key) const;
  // nullopt when options.at is older than the events in memory.
  Result<std::optional<ListResult>> list(const KeyRange& range, const ListOptions& options) const;
  std::size_t count(const KeyRange& range) const;
  std::size_t kept_bytes() const;

  // A watch of what follows `after`. When `after` lies before the events in memory, `joined`
  // becomes the revision up to which the caller has to fill the backlog, else 0.
  WatcherPtr join(const KeyRange& range, Revision after, Revision& joined);
  std::unique_ptr<Watch> make_watch(WatcherPtr watcher);

  // For the Watch that make_watch() returns.
  Result<void> drain(Watcher& watcher, std::vector<EventPtr>& out, std::size_t limit, Revision& progress) const;
  bool has_news(const Watcher& watcher) const;
  void leave(const Watcher& watcher);

 private:
  void list_now(const KeyRange& range, const ListOptions& options, ListResult& result) const;
  void list_past(const KeyRange& range, const ListOptions& options, ListResult& result) const;
  void arm_progress();
  void progress();

  Executor& executor_;
  mutable FairSharedMutex mutex_;
  KeyIndex index_;
  EventRing ring_;
  WatchHub hub_;
  std::atomic<Revision> current_ = 0;
  std::atomic<Revision> compacted_ = 0;
  bool closed_ = false;
  bool progress_armed_ = false;

  std::mutex timer_mutex_;
  std::unique_ptr<Timer> timer_;
};

}  // namespace coracle::store::internal
