#include "base/internal/delivery_lane.h"

#include "base/internal/start_thread.h"

namespace coracle::internal {

DeliveryLane::DeliveryLane() : thread_(start_thread("delivery", [this] { serve(); })) {}

DeliveryLane::~DeliveryLane() {
  close();
}

void DeliveryLane::close() {
  std::deque<std::function<void()>> tasks;
  std::map<Key, std::function<void()>> timers;
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    tasks.swap(tasks_);
    timers.swap(timers_);
  }
  wakeup_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void DeliveryLane::post(std::function<void()> task) {
  bool wake = false;
  {
    std::lock_guard lock(mutex_);
    if (closed_) return;  // `task` dies after the lock is gone
    tasks_.push_back(std::move(task));
    wake = std::exchange(sleeping_, false);
  }
  if (wake) wakeup_.notify_one();
}

DeliveryLane::Key DeliveryLane::add_timer(MonotonicTime time, std::function<void()> task) {
  bool wake = false;
  Key key;
  {
    std::lock_guard lock(mutex_);
    key = Key(time, next_sequence_++);
    if (closed_) return key;
    const auto place = timers_.emplace(key, std::move(task)).first;
    if (place == timers_.begin()) wake = std::exchange(sleeping_, false);
  }
  if (wake) wakeup_.notify_one();
  return key;
}

void DeliveryLane::remove_timer(const Key& key) {
  std::function<void()> removed;  // dies after the lock is gone
  std::lock_guard lock(mutex_);
  if (const auto found = timers_.find(key); found != timers_.end()) {
    removed = std::move(found->second);
    timers_.erase(found);
  }
}

void DeliveryLane::serve() {
  std::unique_lock lock(mutex_);
  std::function<void()> task;
  while (take_task(lock, task)) {
    lock.unlock();
    task();
    task = nullptr;
    lock.lock();
  }
}

// Due timers come first: they have waited already. False when the lane is closed.
bool DeliveryLane::take_task(std::unique_lock<std::mutex>& lock, std::function<void()>& task) {
  while (!closed_) {
    const auto first = timers_.begin();
    const bool timed = first != timers_.end();
    if (timed && first->first.first <= std::chrono::steady_clock::now()) {
      task = std::move(first->second);
      timers_.erase(first);
      return true;
    }
    if (!tasks_.empty()) {
      task = std::move(tasks_.front());
      tasks_.pop_front();
      return true;
    }
    sleeping_ = true;
    if (timed) {
      // A copy: the timer may be removed meanwhile, and the time is looked at once more after the wait.
      const MonotonicTime until = first->first.first;
      wakeup_.wait_until(lock, until);
    } else {
      wakeup_.wait(lock);
    }
    sleeping_ = false;
  }
  return false;
}

}  // namespace coracle::internal
