#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "base/executor.h"

namespace coracle {

// A bounded number of places for what may not all happen at once. Whoever finds none waits. Thread-safe.
class Slots {
 public:
  Slots(Executor& executor, unsigned count) : point_(executor.make_wait_point()), free_(count) {}

  // A place that is taken; it is free again when this dies, before the Slots do.
  class Slot {
   public:
    explicit Slot(Slots& owner) : owner_(&owner) {}
    Slot(Slot&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}
    Slot& operator=(Slot&& other) noexcept {
      std::swap(owner_, other.owner_);
      return *this;
    }
    ~Slot() {
      if (owner_ != nullptr) owner_->give_back();
    }

   private:
    Slots* owner_;
  };

  // Nothing when none is free.
  std::optional<Slot> try_take() {
    std::lock_guard lock(mutex_);
    if (free_ == 0) return std::nullopt;
    --free_;
    return std::optional<Slot>(std::in_place, *this);
  }
  // Canceled or Timeout when the context ends first.
  Result<Slot> take(const Context& context) {
    std::unique_lock lock(mutex_);
    while (free_ == 0) {
      TRY(context.check());
      point_->wait(lock, context);
    }
    --free_;
    return Slot(*this);
  }

 private:
  void give_back() {
    std::lock_guard lock(mutex_);
    ++free_;
    point_->notify_one();
  }

  std::mutex mutex_;
  std::unique_ptr<WaitPoint> point_;
  unsigned free_;
};

}  // namespace coracle
