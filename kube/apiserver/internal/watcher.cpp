#include "kube/apiserver/internal/watcher.h"

namespace coracle::kube::apiserver {

std::optional<WatchType> Watcher::classify(const CacheEvent& event) const {
  const bool now = event.current() != nullptr && filter_.matches(*event.current());
  if (!filter_.selects() && event.current() != nullptr) {
    if (!now) return std::nullopt;
    return event.previous() != nullptr ? WatchType::Modified : WatchType::Added;
  }
  const bool before = event.previous() != nullptr && filter_.matches(*event.previous());
  if (now) return before ? WatchType::Modified : WatchType::Added;
  if (before) return WatchType::Deleted;
  return std::nullopt;
}

bool Watcher::offer(const CacheEventPtr& event) {
  if (event->revision() <= after_) return false;
  const auto type = classify(*event);
  if (!type) return false;
  std::lock_guard lock(mutex_);
  if (closed_) return false;
  if (queue_.size() >= kMaxQueue) {
    closed_ = true;
    queue_.clear();
  } else {
    queue_.push_back({*type, event});
  }
  return !std::exchange(woken_, true);
}

bool Watcher::close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  return !std::exchange(woken_, true);
}

void Watcher::set_wake(std::function<void()> wake) {
  std::lock_guard lock(mutex_);
  wake_ = std::make_shared<const std::function<void()>>(std::move(wake));
}

void Watcher::wake() {
  std::shared_ptr<const std::function<void()>> wake;
  {
    std::lock_guard lock(mutex_);
    wake = wake_;
  }
  if (wake != nullptr && *wake) (*wake)();
}

void Watcher::tick() {
  {
    std::lock_guard lock(mutex_);
    woken_ = true;
  }
  wake();
}

void Watcher::take(std::deque<Item>& out, bool& open) {
  std::lock_guard lock(mutex_);
  woken_ = false;
  open = !closed_;
  if (out.empty()) {
    out.swap(queue_);
  } else {
    for (Item& item : queue_) out.push_back(std::move(item));
    queue_.clear();
  }
}

bool Watcher::idle() const {
  std::lock_guard lock(mutex_);
  return queue_.empty();
}

}  // namespace coracle::kube::apiserver
