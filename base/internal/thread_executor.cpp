#include <pthread.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <list>
#include <map>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/executor.h"

namespace coracle {
namespace {

class SystemClock : public Clock {
 public:
  WallTime wall() const override { return std::chrono::system_clock::now(); }
  MonotonicTime monotonic() const override { return std::chrono::steady_clock::now(); }
};

void name_thread(const std::string& name) {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
}

// Every waiter has a condition variable of its own under a mutex of the wait point. That mutex is
// the only one that stop callbacks take, so whoever requests a stop may hold the caller's lock.
class ThreadWaitPoint : public WaitPoint {
 public:
  Wake wait(std::unique_lock<std::mutex>& lock, const Context& context, std::optional<MonotonicTime> until) override {
    std::optional<MonotonicTime> end = context.deadline();
    if (until && (!end || *until < *end)) end = until;

    const auto waiter = std::make_shared<Waiter>();
    Wake result = Wake::Notified;
    {
      auto stop = [this, &waiter] { wake(waiter, Wake::Stopped); };
      const std::stop_callback<decltype(stop)> on_stop(context.stop(), stop);
      std::unique_lock gate(gate_);
      waiters_.push_back(waiter);
      lock.unlock();
      while (!waiter->woken) {
        if (!end) {
          waiter->wakeup.wait(gate);
        } else if (waiter->wakeup.wait_until(gate, *end) == std::cv_status::timeout && !waiter->woken) {
          waiter->woken = Wake::Deadline;
        }
      }
      waiters_.remove(waiter);
      result = *waiter->woken;
    }
    lock.lock();
    return result;
  }

  void notify_one() override {
    WaiterPtr found;
    {
      std::lock_guard gate(gate_);
      for (const WaiterPtr& waiter : waiters_) {
        if (waiter->woken) continue;
        found = waiter;
        found->woken = Wake::Notified;
        break;
      }
    }
    if (found != nullptr) found->wakeup.notify_one();
  }

  void notify_all() override {
    std::list<WaiterPtr> found;
    {
      std::lock_guard gate(gate_);
      for (const WaiterPtr& waiter : waiters_) {
        if (waiter->woken) continue;
        waiter->woken = Wake::Notified;
        found.push_back(waiter);
      }
    }
    for (const WaiterPtr& waiter : found) waiter->wakeup.notify_one();
  }

 private:
  // Shared with whoever wakes it: that happens after the gate is open again, or the woken thread would
  // only run into it.
  struct Waiter {
    std::condition_variable wakeup;
    std::optional<Wake> woken;
  };
  using WaiterPtr = std::shared_ptr<Waiter>;

  void wake(const WaiterPtr& waiter, Wake reason) {
    {
      std::lock_guard gate(gate_);
      if (waiter->woken) return;
      waiter->woken = reason;
    }
    waiter->wakeup.notify_one();
  }

  std::mutex gate_;
  std::list<WaiterPtr> waiters_;
};

// The threads of one lane: as many as there is work for, up to the limit.
class ThreadLane {
 public:
  ThreadLane(std::string name, unsigned limit, Duration idle)
      : name_(std::move(name)), limit_(std::max(limit, 1U)), idle_(idle) {}

  void post(std::function<void()> task) {
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

  // Waits for running tasks, drops queued ones.
  void close() {
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

 private:
  void start_thread() {
    const auto self = threads_.emplace(threads_.end());
    try {
      *self = std::thread([this, self] { serve(self); });
    } catch (const std::system_error&) {
      // Out of threads: those that run, or the next post, take the task later.
      threads_.erase(self);
    }
  }

  void serve(std::list<std::thread>::iterator self) {
    name_thread(name_);
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
      if (timed_out && tasks_.empty()) break;
    }
    // Whoever comes next joins; a thread cannot join itself.
    ended_.splice(ended_.end(), threads_, self);
    if (threads_.empty()) all_ended_.notify_all();
  }

  const std::string name_;
  const std::size_t limit_;
  const Duration idle_;
  std::mutex mutex_;
  std::condition_variable wakeup_;
  std::condition_variable all_ended_;
  std::deque<std::function<void()>> tasks_;
  std::list<std::thread> threads_;
  std::list<std::thread> ended_;
  std::size_t idle_threads_ = 0;
  bool closed_ = false;
};

// Pending timers and the thread that waits for the earliest.
class TimerQueue : public std::enable_shared_from_this<TimerQueue> {
 public:
  struct Entry {
    std::function<void()> task;
    std::atomic<bool> cancelled = false;
  };
  using Key = std::pair<MonotonicTime, std::uint64_t>;

  void start(ThreadLane& delivery) {
    thread_ = std::thread([this, &delivery] { serve(delivery); });
  }

  void stop() {
    std::map<Key, std::shared_ptr<Entry>> dropped;
    {
      std::lock_guard lock(mutex_);
      stopped_ = true;
      dropped.swap(entries_);
      wakeup_.notify_all();
    }
    thread_.join();
  }

  Key add(MonotonicTime time, std::shared_ptr<Entry> entry) {
    std::lock_guard lock(mutex_);
    const Key key(time, next_sequence_++);
    if (stopped_) return key;
    const auto place = entries_.emplace(key, std::move(entry)).first;
    if (place == entries_.begin()) wakeup_.notify_all();
    return key;
  }

  void remove(const Key& key) {
    std::shared_ptr<Entry> removed;  // its task dies after the lock is gone
    std::lock_guard lock(mutex_);
    if (const auto found = entries_.find(key); found != entries_.end()) {
      removed = std::move(found->second);
      entries_.erase(found);
    }
  }

 private:
  void serve(ThreadLane& delivery) {
    name_thread("timer");
    std::unique_lock lock(mutex_);
    while (!stopped_) {
      if (entries_.empty()) {
        wakeup_.wait(lock);
        continue;
      }
      const auto first = entries_.begin();
      const MonotonicTime due = first->first.first;
      if (std::chrono::steady_clock::now() < due) {
        wakeup_.wait_until(lock, due);
        continue;
      }
      std::shared_ptr<Entry> entry = std::move(first->second);
      entries_.erase(first);
      lock.unlock();
      delivery.post([entry = std::move(entry)] {
        if (!entry->cancelled.load()) entry->task();
      });
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable wakeup_;
  std::map<Key, std::shared_ptr<Entry>> entries_;
  std::uint64_t next_sequence_ = 0;
  bool stopped_ = false;
  std::thread thread_;
};

class ThreadTimer : public Timer {
 public:
  ThreadTimer(std::shared_ptr<TimerQueue> queue, MonotonicTime time, std::function<void()> task)
      : queue_(std::move(queue)), entry_(std::make_shared<TimerQueue::Entry>()) {
    entry_->task = std::move(task);
    key_ = queue_->add(time, entry_);
  }
  ~ThreadTimer() override {
    entry_->cancelled.store(true);
    queue_->remove(key_);
  }

 private:
  std::shared_ptr<TimerQueue> queue_;
  std::shared_ptr<TimerQueue::Entry> entry_;
  TimerQueue::Key key_;
};

class ThreadExecutor : public Executor {
 public:
  explicit ThreadExecutor(const ThreadLimits& limits)
      : delivery_("delivery", limits.delivery, limits.idle),
        worker_("worker", limits.worker, limits.idle),
        blocking_("blocking", limits.blocking, limits.idle),
        random_(system_random()),
        timers_(std::make_shared<TimerQueue>()) {
    timers_->start(delivery_);
  }

  ~ThreadExecutor() override {
    // Deliveries last: running tasks may wait for one.
    worker_.close();
    blocking_.close();
    timers_->stop();
    delivery_.close();
  }

  void post(Lane lane, std::function<void()> task) override {
    switch (lane) {
      case Lane::Delivery:
        delivery_.post(std::move(task));
        return;
      case Lane::Worker:
        worker_.post(std::move(task));
        return;
      case Lane::Blocking:
        blocking_.post(std::move(task));
        return;
    }
  }

  std::unique_ptr<Timer> call_at(MonotonicTime time, std::function<void()> task) override {
    return std::make_unique<ThreadTimer>(timers_, time, std::move(task));
  }

  std::unique_ptr<WaitPoint> make_wait_point() override { return std::make_unique<ThreadWaitPoint>(); }
  const Clock& clock() const override { return clock_; }
  Random& random() override { return *random_; }

 private:
  SystemClock clock_;
  ThreadLane delivery_;
  ThreadLane worker_;
  ThreadLane blocking_;
  std::unique_ptr<Random> random_;
  std::shared_ptr<TimerQueue> timers_;
};

}  // namespace

std::unique_ptr<Executor> make_thread_executor(ThreadLimits limits) {
  return std::make_unique<ThreadExecutor>(limits);
}

}  // namespace coracle
