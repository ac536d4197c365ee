#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "base/executor.h"

namespace coracle {

// A flag that tasks can wait for. Once set it stays set until reset().
class Event {
 public:
  explicit Event(Executor& executor) : point_(executor.make_wait_point()) {}

  void set() {
    std::lock_guard lock(mutex_);
    set_ = true;
    point_->notify_all();
  }
  void reset() {
    std::lock_guard lock(mutex_);
    set_ = false;
  }
  bool is_set() const {
    std::lock_guard lock(mutex_);
    return set_;
  }
  // Canceled or Timeout when the context ends first.
  Result<void> wait(const Context& context) {
    std::unique_lock lock(mutex_);
    while (!set_) {
      TRY(context.check());
      point_->wait(lock, context);
    }
    return {};
  }

 private:
  mutable std::mutex mutex_;
  std::unique_ptr<WaitPoint> point_;
  bool set_ = false;
};

// A bounded queue between tasks. push() never waits: a full queue says so.
template <class T>
class Queue {
 public:
  Queue(Executor& executor, std::size_t capacity) : capacity_(capacity), point_(executor.make_wait_point()) {}

  // False when the queue is full or closed; the item is then lost to the caller's care.
  bool push(T item) {
    std::lock_guard lock(mutex_);
    if (closed_ || items_.size() >= capacity_) return false;
    items_.push_back(std::move(item));
    point_->notify_one();
    return true;
  }
  // The next item; nullopt when the queue is closed and empty.
  Result<std::optional<T>> pop(const Context& context) {
    std::unique_lock lock(mutex_);
    while (items_.empty()) {
      if (closed_) return std::optional<T>();
      TRY(context.check());
      point_->wait(lock, context);
    }
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    return item;
  }
  void close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    point_->notify_all();
  }
  std::size_t size() const {
    std::lock_guard lock(mutex_);
    return items_.size();
  }

 private:
  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::unique_ptr<WaitPoint> point_;
  std::deque<T> items_;
  bool closed_ = false;
};

// A value that one task delivers and another waits for. Copies share the value.
template <class T>
class Future {
 public:
  explicit Future(Executor& executor) : state_(std::make_shared<State>(executor)) {}

  // The first delivery counts; later ones are dropped.
  void set(T value) {
    std::lock_guard lock(state_->mutex);
    if (state_->value) return;
    state_->value.emplace(std::move(value));
    state_->point->notify_all();
  }
  // Waits and takes the value; only one task may call it.
  Result<T> take(const Context& context) {
    std::unique_lock lock(state_->mutex);
    while (!state_->value) {
      TRY(context.check());
      state_->point->wait(lock, context);
    }
    return std::move(*state_->value);
  }

 private:
  struct State {
    explicit State(Executor& executor) : point(executor.make_wait_point()) {}
    std::mutex mutex;
    std::unique_ptr<WaitPoint> point;
    std::optional<T> value;
  };
  std::shared_ptr<State> state_;
};

}  // namespace coracle
