#pragma once

#include <optional>

#include "base/clock.h"

namespace coracle::http::internal {

class TimeoutQueue;

// Something that can be late. In at most one queue.
class TimeoutNode {
 public:
  TimeoutNode() = default;
  TimeoutNode(const TimeoutNode&) = delete;
  TimeoutNode& operator=(const TimeoutNode&) = delete;
  ~TimeoutNode() { disarm(); }
  void disarm();

 private:
  friend class TimeoutQueue;
  TimeoutQueue* queue_ = nullptr;
  TimeoutNode* before_ = nullptr;
  TimeoutNode* after_ = nullptr;
  MonotonicTime deadline_;
};

// Deadlines that all lie the same duration after they were armed, hence sorted by themselves:
// arming costs a few pointers and never a system call.
class TimeoutQueue {
 public:
  explicit TimeoutQueue(Duration duration) : duration_(duration) {}
  TimeoutQueue(const TimeoutQueue&) = delete;
  TimeoutQueue& operator=(const TimeoutQueue&) = delete;

  void arm(TimeoutNode& node, MonotonicTime now);
  std::optional<MonotonicTime> next() const;
  // Takes out the first node whose time has come; null when there is none.
  TimeoutNode* pop_expired(MonotonicTime now);

 private:
  friend class TimeoutNode;
  const Duration duration_;
  TimeoutNode* first_ = nullptr;
  TimeoutNode* last_ = nullptr;
};

}  // namespace coracle::http::internal
