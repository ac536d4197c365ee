#include "base/http/internal/timeouts.h"

namespace coracle::http::internal {

void TimeoutNode::disarm() {
  if (queue_ == nullptr) return;
  (before_ != nullptr ? before_->after_ : queue_->first_) = after_;
  (after_ != nullptr ? after_->before_ : queue_->last_) = before_;
  queue_ = nullptr;
  before_ = after_ = nullptr;
}

void TimeoutQueue::arm(TimeoutNode& node, MonotonicTime now) {
  node.disarm();
  node.queue_ = this;
  node.deadline_ = now + duration_;
  node.before_ = last_;
  (last_ != nullptr ? last_->after_ : first_) = &node;
  last_ = &node;
}

std::optional<MonotonicTime> TimeoutQueue::next() const {
  if (first_ == nullptr) return std::nullopt;
  return first_->deadline_;
}

TimeoutNode* TimeoutQueue::pop_expired(MonotonicTime now) {
  TimeoutNode* node = first_;
  if (node == nullptr || node->deadline_ > now) return nullptr;
  node->disarm();
  return node;
}

}  // namespace coracle::http::internal
