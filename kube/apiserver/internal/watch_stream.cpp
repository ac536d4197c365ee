#include "kube/apiserver/internal/watch_stream.h"

#include <algorithm>

namespace coracle::kube::apiserver {

namespace {

constexpr std::size_t kHistoryBatch = 256;

}  // namespace

WatchStream::WatchStream(std::shared_ptr<StoreFeed> feed, std::shared_ptr<WatchCache> cache,
                         std::shared_ptr<Watcher> watcher, ObjectEncoder encoder, WatchStart start)
    : feed_(std::move(feed)),
      cache_(std::move(cache)),
      watcher_(std::move(watcher)),
      encoder_(std::move(encoder)),
      start_(std::move(start)),
      next_bookmark_(feed_->executor().clock().monotonic() + kBookmarkInterval) {
  next_bookmark_ = std::min(next_bookmark_, start_.deadline - kLastBookmarkLead);
  if (start_.tell_initial) initial_left_ = start_.initial.range(watcher_->filter().namespace_());
}

WatchStream::~WatchStream() {
  if (cache_ != nullptr) cache_->remove_watcher(watcher_.get());
}

void WatchStream::on_ready(std::function<void()> wake) {
  watcher_->set_wake(std::move(wake));
  if (start_.backlog != nullptr) {
    start_.backlog->on_ready([weak = std::weak_ptr(watcher_)] {
      if (auto watcher = weak.lock()) watcher->tick();
    });
  }
  arm_timer();
}

void WatchStream::arm_timer() {
  const MonotonicTime at = start_.bookmarks ? std::min(next_bookmark_, start_.deadline) : start_.deadline;
  timer_ = feed_->executor().call_at(at, [weak = std::weak_ptr(watcher_)] {
    if (auto watcher = weak.lock()) watcher->tick();
  });
}

http::BodySource::State WatchStream::pull(std::vector<http::Bytes>& out, std::size_t limit) {
  if (ended_) return State::End;
  Budget budget{out, std::max<std::size_t>(limit, 1)};
  if (start_.error) {
    fail(budget, *start_.error);
    return State::End;
  }
  encoder_.set_now(feed_->executor().clock().wall());
  bool open = true;
  const bool told = send_initial(budget) && send_backlog(budget);
  if (told) send_live(budget, open);
  if (ended_) return State::End;
  if (budget.spent()) return State::More;
  if (!told) return State::Pending;
  return send_bookmark(budget, open);
}

bool WatchStream::send_initial(Budget& budget) {
  while (!initial_left_.empty() && !ended_) {
    if (budget.spent()) return false;
    const StoredObjectPtr& object = initial_left_.front();
    initial_left_ = initial_left_.subspan(1);
    if (!watcher_->filter().matches(*object)) continue;
    auto bytes = encoder_.watch_event(WatchType::Added, *object);
    if (!bytes.ok()) {
      fail(budget, bytes.error());
      return false;
    }
    budget.add(std::move(bytes).value());
  }
  if (start_.tell_initial) {
    if (start_.mark_initial_end) budget.add(encoder_.bookmark(start_.initial.revision, true));
    start_.tell_initial = false;
    start_.initial.objects = nullptr;
  }
  return true;
}

bool WatchStream::send_backlog(Budget& budget) {
  while (start_.backlog != nullptr && !ended_) {
    if (budget.spent()) return false;
    history_.clear();
    store::Revision progress = 0;
    auto drained = start_.backlog->drain(history_, kHistoryBatch, progress);
    if (!drained.ok()) {
      fail(budget, drained.error());
      return false;
    }
    for (const store::EventPtr& event : history_) {
      if (event->entry.mod_revision > start_.backlog_end) break;
      const CacheEventPtr made = cache_->make_event(*event);
      if (made == nullptr) continue;
      if (auto type = watcher_->classify(*made)) {
        if (!send_event(budget, *type, *made)) return false;
      }
    }
    const bool complete = progress >= start_.backlog_end ||
                          (!history_.empty() && history_.back()->entry.mod_revision >= start_.backlog_end);
    if (complete) {
      start_.backlog = nullptr;
    } else if (history_.empty()) {
      return false;
    }
  }
  return true;
}

// What was taken goes out before more is taken: a slow reader's events wait in the queue, which has an end.
void WatchStream::send_live(Budget& budget, bool& open) {
  while (!budget.spent() && !ended_) {
    if (items_.empty()) watcher_->take(items_, open);
    if (items_.empty()) return;
    const Watcher::Item item = std::move(items_.front());
    items_.pop_front();
    if (!send_event(budget, item.type, *item.event)) return;
  }
}

bool WatchStream::send_event(Budget& budget, WatchType type, const CacheEvent& event) {
  const std::uint64_t key = encoder_.share_key(type);
  http::Bytes bytes = key == 0 ? nullptr : event.encoded(key);
  if (bytes == nullptr) {
    // A deletion shows the last state that the watch could see, at the deletion's revision.
    const StoredObjectPtr object =
        type == WatchType::Deleted ? event.previous()->at(event.revision()) : event.current();
    auto made = encoder_.watch_event(type, *object);
    if (!made.ok()) {
      fail(budget, made.error());
      return false;
    }
    bytes = key == 0 ? std::move(made).value() : event.keep_encoded(key, std::move(made).value());
  }
  budget.add(std::move(bytes));
  return true;
}

http::BodySource::State WatchStream::send_bookmark(Budget& budget, bool open) {
  if (!open) {
    ended_ = true;
    return State::End;
  }
  const MonotonicTime now = feed_->executor().clock().monotonic();
  if (start_.bookmarks && now >= next_bookmark_) {
    // Read before the queue is looked at: everything up to it is in the queue or was sent.
    const store::Revision progress = feed_->progress();
    if (watcher_->idle()) budget.add(encoder_.bookmark(progress, false));
    const MonotonicTime last = start_.deadline - kLastBookmarkLead;
    next_bookmark_ = now < last ? std::min(now + kBookmarkInterval, last) : start_.deadline + kBookmarkInterval;
    arm_timer();
  }
  if (now >= start_.deadline) {
    ended_ = true;
    return State::End;
  }
  return State::Pending;
}

void WatchStream::fail(Budget& budget, const Error& error) {
  budget.add(encoder_.watch_error(error));
  ended_ = true;
}

}  // namespace coracle::kube::apiserver
