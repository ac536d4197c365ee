#include "base/context.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "base/executor.h"

namespace coracle {

const Clock& Context::clock() const {
  return executor_->clock();
}

Context Context::with_deadline(MonotonicTime deadline) const {
  Context copy = *this;
  copy.deadline_ = deadline_ ? std::min(*deadline_, deadline) : deadline;
  return copy;
}

Context Context::with_timeout(Duration timeout) const {
  return with_deadline(clock().monotonic() + timeout);
}

Context Context::with_stop(std::stop_token stop) const {
  Context copy = *this;
  copy.stop_ = std::move(stop);
  return copy;
}

Context Context::with_identity(std::shared_ptr<const Identity> identity) const {
  Context copy = *this;
  copy.identity_ = std::move(identity);
  return copy;
}

Context Context::with_trace(std::string trace) const {
  Context copy = *this;
  copy.trace_ = std::move(trace);
  return copy;
}

bool Context::expired() const {
  return deadline_ && clock().monotonic() >= *deadline_;
}

Result<void> Context::check() const {
  if (stopped()) return canceled("the caller gave up");
  if (expired()) return Error(Reason::Timeout, "the deadline passed");
  return {};
}

Result<void> Context::sleep(Duration duration) const {
  const MonotonicTime until = clock().monotonic() + duration;
  std::mutex mutex;
  const std::unique_ptr<WaitPoint> point = executor_->make_wait_point();
  std::unique_lock lock(mutex);
  while (clock().monotonic() < until) {
    TRY(check());
    point->wait(lock, *this, until);
  }
  return check();
}

LinkedStop::LinkedStop(std::stop_token first, std::stop_token second)
    : first_(std::move(first), Forward{&source_}), second_(std::move(second), Forward{&source_}) {}

}  // namespace coracle
