#include "base/internal/thread_lane.h"

#include <algorithm>
#include <utility>

#include "base/internal/start_thread.h"

namespace coracle::internal {

ThreadLane::ThreadLane(std::string name, unsigned limit, Duration idle, std::function<void()> on_idle)
    : name_(std::move(name)), limit_(std::max(limit, 1U)), idle_(idle), on_idle_(std::move(on_idle)) {}

void ThreadLane::post(std::function<void()> task) {
  std::list<std::thread> ended;
  bool wake = false;
  {
    std::lock_guard lock(mutex_);
    if (closed_) return;  // `task` dies after the lock is gone
    tasks_.push_back(std::move(task));
    ended.swap(ended_);
    if (idle_threads_ >= tasks_.size()) {
      wake = true;
    } else if (threads_.size() < limit_) {
      start_thread();
    }
  }
  if (wake) wakeup_.notify_one();
  for (std::thread& thread : ended) thread.join();
}

void ThreadLane::close() {
  std::deque<std::function<void()>> dropped;
  std::list<std::thread> threads;
  {
    std::unique_lock lock(mutex_);
    closed_ = true;
    dropped.swap(tasks_);
    wakeup_.notify_all();
    all_ended_.wait(lock, [this] { return threads_.empty(); });
    threads.swap(ended_);
  }
  for (std::thread& thread : threads) thread.join();
}

void ThreadLane::start_thread() {
  const auto self = threads_.emplace(threads_.end());
  *self = internal::start_thread(name_, [this, self] { serve(self); });
}

void ThreadLane::serve(std::list<std::thread>::iterator self) {
  std::unique_lock lock(mutex_);
  while (true) {
    if (!tasks_.empty()) {
      std::function<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      task = nullptr;
      lock.lock();
      continue;
    }
    if (closed_) break;
    ++idle_threads_;
    const bool timed_out = wakeup_.wait_for(lock, idle_) == std::cv_status::timeout;
    --idle_threads_;
    if (!timed_out || !tasks_.empty()) continue;
    if (on_idle_ == nullptr) break;
    lock.unlock();
    on_idle_();
    lock.lock();
    if (tasks_.empty()) break;
  }
  // Whoever comes next joins; a thread cannot join itself.
  ended_.splice(ended_.end(), threads_, self);
  if (threads_.empty()) all_ended_.notify_all();
}

}  // namespace coracle::internal
