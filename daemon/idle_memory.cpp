#include "daemon/idle_memory.h"

#include <malloc.h>

#include <ctime>
#include <mutex>
#include <utility>

namespace coracle::daemon {

namespace {

constexpr Duration kLookEvery = std::chrono::seconds(15);
// A process that used less of a processor than this between two looks has little to do.
constexpr Duration kQuiet = kLookEvery / 20;
// As much work as may free something worth the while.
constexpr Duration kWork = std::chrono::milliseconds(100);
constexpr std::size_t kWorthTrimming = 8 * 1024 * 1024;

}  // namespace

Duration processor_time() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

std::size_t unused_memory() {
  return mallinfo2().fordblks;
}

void trim_memory() {
  if (unused_memory() >= kWorthTrimming) malloc_trim(0);
}

// Shared with a callback that may still run when the owner is gone.
class IdleMemory::State : public std::enable_shared_from_this<State> {
 public:
  State(Executor& executor, std::function<Duration()> used, std::function<void()> trim)
      : executor_(executor), used_(std::move(used)), trim_(std::move(trim)), used_before_(used_()) {}

  void arm() {
    std::lock_guard lock(mutex_);
    if (stopped_) return;
    // Giving back many pages takes a while: not on the lane of timers.
    timer_ = executor_.call_after(
        kLookEvery, [self = shared_from_this()] { self->executor_.post(Lane::Blocking, [self] { self->look(); }); });
  }

  void stop() {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    timer_.reset();
  }

 private:
  void look() {
    const Duration used = used_();
    const bool quiet = used - used_before_ < kQuiet;
    used_before_ = used;
    if (quiet && used - used_at_trim_ >= kWork) {
      trim_();
      used_at_trim_ = used_();
    }
    arm();
  }

  Executor& executor_;
  const std::function<Duration()> used_;
  const std::function<void()> trim_;
  // Of one look at a time.
  Duration used_before_;
  Duration used_at_trim_ = Duration::zero();
  std::mutex mutex_;
  std::unique_ptr<Timer> timer_;
  bool stopped_ = false;
};

IdleMemory::IdleMemory(Executor& executor, std::function<Duration()> used, std::function<void()> trim)
    : state_(std::make_shared<State>(executor, std::move(used), std::move(trim))) {
  state_->arm();
}

IdleMemory::~IdleMemory() {
  state_->stop();
}

}  // namespace coracle::daemon
