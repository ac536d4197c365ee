#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>

#include "base/clock.h"

namespace coracle::internal {

// Runs tasks on threads: as many as there is work for, up to the limit. Thread-safe.
class ThreadLane {
 public:
  // `on_idle` runs on a thread that ends because it had nothing to do for `idle`.
  ThreadLane(std::string name, unsigned limit, Duration idle, std::function<void()> on_idle = nullptr);

  void post(std::function<void()> task);
  // Waits for running tasks, drops queued ones and refuses new ones.
  void close();

 private:
  void start_thread();
  void serve(std::list<std::thread>::iterator self);

  const std::string name_;
  const std::size_t limit_;
  const Duration idle_;
  const std::function<void()> on_idle_;
  std::mutex mutex_;
  std::condition_variable wakeup_;
  std::condition_variable all_ended_;
  std::deque<std::function<void()>> tasks_;
  std::list<std::thread> threads_;
  std::list<std::thread> ended_;
  std::size_t idle_threads_ = 0;
  bool closed_ = false;
};

}  // namespace coracle::internal
