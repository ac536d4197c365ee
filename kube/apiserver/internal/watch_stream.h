#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/executor.h"
#include "base/http/message.h"
#include "kube/apiserver/internal/object_encoder.h"
#include "kube/apiserver/internal/store_feed.h"
#include "kube/apiserver/internal/watch_cache.h"
#include "kube/apiserver/internal/watcher.h"

namespace coracle::kube::apiserver {

struct WatchStart {
  // State that is told first, as ADDED events; empty when only changes are wanted.
  CacheSnapshot initial;
  bool tell_initial = false;
  bool mark_initial_end = false;  // BOOKMARK with k8s.io/initial-events-end
  // History between the asked revision and the cache's, and where it ends.
  std::unique_ptr<store::Watch> backlog;
  store::Revision backlog_end = 0;
  bool bookmarks = false;
  MonotonicTime deadline;
  // Answered instead of everything else: one ERROR event.
  std::optional<Error> error;
};

// The body of a watch: holds no thread, is pulled by the connection that sends it and woken by the
// cache or a timer.
class WatchStream : public http::BodySource {
 public:
  static constexpr Duration kBookmarkInterval = std::chrono::seconds(60);
  static constexpr Duration kLastBookmarkLead = std::chrono::seconds(2);

  WatchStream(std::shared_ptr<StoreFeed> feed, std::shared_ptr<WatchCache> cache, std::shared_ptr<Watcher> watcher,
              ObjectEncoder encoder, WatchStart start);
  ~WatchStream() override;

  State pull(std::vector<http::Bytes>& out, std::size_t limit) override;
  void on_ready(std::function<void()> wake) override;

 private:
  struct Budget {
    std::vector<http::Bytes>& out;
    std::size_t left;
    void add(http::Bytes bytes) {
      left -= std::min(left, bytes->size());
      out.push_back(std::move(bytes));
    }
    bool spent() const { return left == 0; }
  };

  bool send_initial(Budget& budget);
  // False while history is still missing.
  bool send_backlog(Budget& budget);
  // `open`: whether more may come.
  void send_live(Budget& budget, bool& open);
  bool send_event(Budget& budget, WatchType type, const CacheEvent& event);
  State send_bookmark(Budget& budget, bool open);
  void fail(Budget& budget, const Error& error);
  void arm_timer();

  const std::shared_ptr<StoreFeed> feed_;
  const std::shared_ptr<WatchCache> cache_;
  const std::shared_ptr<Watcher> watcher_;
  ObjectEncoder encoder_;
  WatchStart start_;
  std::span<const StoredObjectPtr> initial_left_;
  std::deque<Watcher::Item> items_;
  std::vector<store::EventPtr> history_;
  std::unique_ptr<Timer> timer_;
  MonotonicTime next_bookmark_;
  bool ended_ = false;
};

}  // namespace coracle::kube::apiserver
