#include "base/internal/change_callback.h"

#include <utility>

namespace coracle::internal {

ChangeCallback::ChangeCallback(Executor& executor, std::function<void()> callback)
    : executor_(executor), callback_(std::move(callback)) {}

void ChangeCallback::request() {
  {
    std::lock_guard lock(mutex_);
    if (requested_ || cancelled_) return;
    requested_ = true;
  }
  executor_.post(Lane::Delivery, [self = shared_from_this()] { self->run(); });
}

void ChangeCallback::run() {
  {
    std::unique_lock lock(mutex_);
    // Another Delivery thread may still be at the run before.
    ended_.wait(lock, [this] { return !running_; });
    requested_ = false;
    if (cancelled_) return;
    running_ = true;
    runner_ = std::this_thread::get_id();
  }
  callback_();
  std::lock_guard lock(mutex_);
  running_ = false;
  ended_.notify_all();
}

void ChangeCallback::cancel() {
  std::unique_lock lock(mutex_);
  cancelled_ = true;
  if (runner_ != std::this_thread::get_id()) ended_.wait(lock, [this] { return !running_; });
}

}  // namespace coracle::internal
