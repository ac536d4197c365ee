#include "base/internal/wait_point.h"

#include <condition_variable>
#include <list>
#include <utility>

#include "base/internal/fiber_lane.h"

namespace coracle::internal {

namespace {

using Wake = WaitPoint::Wake;

struct Waiter {
  Fiber* fiber = nullptr;          // null: a thread, which sleeps on ...
  std::condition_variable wakeup;  // ... this
  bool listed = false;             // until then it looks at `woken` itself before it lies down
  std::optional<Wake> woken;
};
// Shared with whoever wakes it: that happens after the gate is open again, or the woken thread would
// only run into it.
using WaiterPtr = std::shared_ptr<Waiter>;

void let_go(const WaiterPtr& waiter) {
  if (waiter->fiber != nullptr) {
    FiberLane::resume(*waiter->fiber);
  } else {
    waiter->wakeup.notify_one();
  }
}

// Who waits. The gate is the only mutex that stop callbacks and timers take, so whoever requests a
// stop may hold the caller's lock. Shared with timers, which may come late.
struct Waiters {
  std::mutex gate;
  std::list<WaiterPtr> list;

  void wake(const WaiterPtr& waiter, Wake reason) {
    {
      std::lock_guard lock(gate);
      if (waiter->woken) return;
      waiter->woken = reason;
      if (!waiter->listed) return;
    }
    let_go(waiter);
  }
};

class ThreadWaitPoint : public WaitPoint {
 public:
  explicit ThreadWaitPoint(std::shared_ptr<DeliveryLane> timers) : timers_(std::move(timers)) {}

  Wake wait(std::unique_lock<std::mutex>& lock, const Context& context, std::optional<MonotonicTime> until) override {
    std::optional<MonotonicTime> end = context.deadline();
    if (until && (!end || *until < *end)) end = until;

    const auto waiter = std::make_shared<Waiter>();
    waiter->fiber = FiberLane::current();
    Wake result = Wake::Notified;
    {
      auto stop = [this, &waiter] { waiters_->wake(waiter, Wake::Stopped); };
      const std::stop_callback<decltype(stop)> on_stop(context.stop(), stop);
      std::unique_lock gate(waiters_->gate);
      const auto place = waiters_->list.insert(waiters_->list.end(), waiter);
      waiter->listed = true;
      lock.unlock();
      if (waiter->fiber != nullptr) {
        park(waiter, end, gate);
      } else {
        sleep(*waiter, end, gate);
      }
      waiters_->list.erase(place);
      result = *waiter->woken;
    }
    lock.lock();
    return result;
  }

  void notify_one() override {
    WaiterPtr found;
    {
      std::lock_guard gate(waiters_->gate);
      for (const WaiterPtr& waiter : waiters_->list) {
        if (waiter->woken) continue;
        found = waiter;
        found->woken = Wake::Notified;
        break;
      }
    }
    if (found != nullptr) let_go(found);
  }

  void notify_all() override {
    std::list<WaiterPtr> found;
    {
      std::lock_guard gate(waiters_->gate);
      for (const WaiterPtr& waiter : waiters_->list) {
        if (waiter->woken) continue;
        waiter->woken = Wake::Notified;
        found.push_back(waiter);
      }
    }
    for (const WaiterPtr& waiter : found) let_go(waiter);
  }

 private:
  static void sleep(Waiter& waiter, std::optional<MonotonicTime> end, std::unique_lock<std::mutex>& gate) {
    while (!waiter.woken) {
      if (!end) {
        waiter.wakeup.wait(gate);
      } else if (waiter.wakeup.wait_until(gate, *end) == std::cv_status::timeout && !waiter.woken) {
        waiter.woken = Wake::Deadline;
      }
    }
  }

  void park(const WaiterPtr& waiter, std::optional<MonotonicTime> end, std::unique_lock<std::mutex>& gate) {
    if (waiter->woken) return;
    std::optional<DeliveryLane::Key> timer;
    if (end) {
      timer = timers_->add_timer(*end, [waiters = waiters_, waiter] { waiters->wake(waiter, Wake::Deadline); });
    }
    // Open before the switch: for a thread sanitizer the fiber and its thread are two, and a mutex has one owner.
    gate.unlock();
    FiberLane::park();
    if (timer) timers_->remove_timer(*timer);
    gate.lock();
  }

  const std::shared_ptr<DeliveryLane> timers_;
  const std::shared_ptr<Waiters> waiters_ = std::make_shared<Waiters>();
};

}  // namespace

std::unique_ptr<WaitPoint> make_thread_wait_point(std::shared_ptr<DeliveryLane> timers) {
  return std::make_unique<ThreadWaitPoint>(std::move(timers));
}

}  // namespace coracle::internal
