#include "base/paced_task.h"

#include <mutex>
#include <utility>

namespace coracle {

class PacedTask::State : public std::enable_shared_from_this<State> {
 public:
  State(Executor& executor, std::function<Duration()> task) : executor_(executor), task_(std::move(task)) {}

  void ask() {
    std::lock_guard lock(mutex_);
    if (stopped_ || std::exchange(asked_, true) || running_) return;
    schedule();
  }

  void stop() {
    std::unique_ptr<Timer> timer;
    std::lock_guard lock(mutex_);
    stopped_ = true;
    timer.swap(timer_);
  }

 private:
  void schedule() {
    auto turn = [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->run();
    };
    if (executor_.clock().monotonic() < next_) {
      timer_ = executor_.call_at(next_, std::move(turn));
    } else {
      executor_.post(Lane::Delivery, std::move(turn));
    }
  }

  void run() {
    std::unique_ptr<Timer> timer;  // goes after the lock
    std::unique_lock lock(mutex_);
    if (stopped_) return;
    timer.swap(timer_);
    asked_ = false;
    running_ = true;
    const MonotonicTime begin = executor_.clock().monotonic();
    lock.unlock();
    const Duration pause = task_();
    lock.lock();
    running_ = false;
    next_ = begin + pause;
    if (asked_ && !stopped_) schedule();
  }

  Executor& executor_;
  const std::function<Duration()> task_;
  std::mutex mutex_;
  bool asked_ = false;  // and not begun
  bool running_ = false;
  bool stopped_ = false;
  MonotonicTime next_{};
  std::unique_ptr<Timer> timer_;
};

PacedTask::PacedTask(Executor& executor, std::function<Duration()> task)
    : state_(std::make_shared<State>(executor, std::move(task))) {}

PacedTask::~PacedTask() {
  state_->stop();
}

void PacedTask::ask() {
  state_->ask();
}

}  // namespace coracle
