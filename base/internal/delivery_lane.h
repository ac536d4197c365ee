#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "base/clock.h"

namespace coracle::internal {

// The thread that runs short tasks, at once or at their time. Thread-safe.
class DeliveryLane {
 public:
  using Key = std::pair<MonotonicTime, std::uint64_t>;

  DeliveryLane();
  ~DeliveryLane();
  DeliveryLane(const DeliveryLane&) = delete;
  DeliveryLane& operator=(const DeliveryLane&) = delete;

  void post(std::function<void()> task);
  Key add_timer(MonotonicTime time, std::function<void()> task);
  // Does not wait for a task that already runs.
  void remove_timer(const Key& key);
  // Waits for the running task, drops the others and refuses new ones.
  void close();

 private:
  void serve();
  bool take_task(std::unique_lock<std::mutex>& lock, std::function<void()>& task);

  std::mutex mutex_;
  std::condition_variable wakeup_;
  std::deque<std::function<void()>> tasks_;
  std::map<Key, std::function<void()>> timers_;
  std::uint64_t next_sequence_ = 0;
  bool sleeping_ = false;
  bool closed_ = false;
  std::thread thread_;
};

}  // namespace coracle::internal
