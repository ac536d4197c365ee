#include <algorithm>
#include <thread>
#include <utility>

#include "base/executor.h"
#include "base/internal/delivery_lane.h"
#include "base/internal/fiber_lane.h"
#include "base/internal/thread_lane.h"
#include "base/internal/wait_point.h"

namespace coracle {
namespace {

using internal::DeliveryLane;
using internal::FiberLane;
using internal::ThreadLane;

// Two, so that a handler that computes for long does not hold up the rest; more than a few only
// wait for each other's locks.
constexpr unsigned kMinWorkerThreads = 2;
constexpr unsigned kMaxWorkerThreads = 8;

class SystemClock : public Clock {
 public:
  WallTime wall() const override { return std::chrono::system_clock::now(); }
  MonotonicTime monotonic() const override { return std::chrono::steady_clock::now(); }
};

class ThreadTimer : public Timer {
 public:
  ThreadTimer(std::shared_ptr<DeliveryLane> lane, MonotonicTime time, std::function<void()> task)
      : lane_(std::move(lane)), key_(lane_->add_timer(time, std::move(task))) {}
  ~ThreadTimer() override { lane_->remove_timer(key_); }

 private:
  const std::shared_ptr<DeliveryLane> lane_;
  const DeliveryLane::Key key_;
};

class ThreadExecutor : public Executor {
 public:
  explicit ThreadExecutor(const ThreadLimits& limits)
      : delivery_(std::make_shared<DeliveryLane>()),
        worker_("worker", std::clamp(std::thread::hardware_concurrency(), kMinWorkerThreads, kMaxWorkerThreads),
                limits.worker, limits.idle),
        blocking_("blocking", limits.blocking, limits.idle),
        random_(system_random()) {}

  ~ThreadExecutor() override {
    // Deliveries last: running tasks may wait for one.
    worker_.close();
    blocking_.close();
    delivery_->close();
  }

  void post(Lane lane, std::function<void()> task) override {
    switch (lane) {
      case Lane::Delivery:
        delivery_->post(std::move(task));
        return;
      case Lane::Worker:
        worker_.post(std::move(task));
        return;
      case Lane::Blocking:
        blocking_.post(std::move(task));
        return;
    }
  }

  void begin_on(TaskHost& host, std::function<void()> task) override { worker_.begin_on(host, std::move(task)); }

  std::unique_ptr<Timer> call_at(MonotonicTime time, std::function<void()> task) override {
    return std::make_unique<ThreadTimer>(delivery_, time, std::move(task));
  }

  std::unique_ptr<WaitPoint> make_wait_point() override { return internal::make_thread_wait_point(delivery_); }
  const Clock& clock() const override { return clock_; }
  Random& random() override { return *random_; }

 private:
  SystemClock clock_;
  const std::shared_ptr<DeliveryLane> delivery_;
  FiberLane worker_;
  ThreadLane blocking_;
  std::unique_ptr<Random> random_;
};

}  // namespace

std::unique_ptr<Executor> make_thread_executor(ThreadLimits limits) {
  return std::make_unique<ThreadExecutor>(limits);
}

}  // namespace coracle
