#include "base/sim_executor.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <list>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/internal/fiber.h"

namespace coracle {
namespace {

using internal::FiberContext;
using internal::FiberStack;

// Address space, not memory: pages come when they are touched.
constexpr std::size_t kFiberStackBytes = 2 * 1024 * 1024;
constexpr std::size_t kPooledTracks = 64;
// So many switches without time moving mean that tasks wake each other for ever.
constexpr std::uint64_t kMaxSwitchesPerInstant = 20'000'000;

std::string_view lane_name(Lane lane) {
  switch (lane) {
    case Lane::Delivery:
      return "delivery";
    case Lane::Worker:
      return "worker";
    case Lane::Blocking:
      return "blocking";
  }
  return "";
}

class SimScheduler;

// What a task runs on, and the next one after it: under the thread sanitizer a new context costs far more than most
// tasks take.
struct Track {
  explicit Track(SimScheduler& scheduler);

  FiberStack stack;
  FiberContext context;
};

// A task from its post to its end; it has a track from its first turn on.
struct SimFiber {
  std::uint64_t id;
  Lane lane;
  std::function<void()> task;
  std::unique_ptr<Track> track;
  MonotonicTime waiting_since;
};

class SimClock : public Clock {
 public:
  explicit SimClock(WallTime start) : start_(start) {}
  WallTime wall() const override { return start_ + elapsed_; }
  MonotonicTime monotonic() const override { return MonotonicTime(kBoot) + elapsed_; }
  void advance_to(MonotonicTime time) { elapsed_ = std::max(elapsed_, time - MonotonicTime(kBoot)); }

 private:
  // Monotonic time is never near zero, so that "an hour ago" exists.
  static constexpr Duration kBoot = std::chrono::hours(24 * 365);
  WallTime start_;
  Duration elapsed_{};
};

class SimScheduler : public SimExecutor {
 public:
  SimScheduler(std::uint64_t seed, WallTime start)
      : clock_(start),
        random_(seeded_random(seed)),
        // Its own sequence: what the program draws does not change who runs next.
        choices_(seeded_random(seed ^ 0x5C4EDC0DE5EEDULL)),
        thread_(std::this_thread::get_id()) {}

  // Lets running tasks end, as the executor on threads does; drops those that never began.
  ~SimScheduler() override {
    closed_ = true;
    std::list<std::unique_ptr<SimFiber>> dropped;
    for (auto fiber = fibers_.begin(); fiber != fibers_.end();) {
      const auto next = std::next(fiber);
      if ((*fiber)->track == nullptr) {
        std::erase(runnable_, fiber->get());
        dropped.splice(dropped.end(), fibers_, fiber);
      }
      fiber = next;
    }
    dropped.clear();
    while (!fibers_.empty()) step();
    // What a callback holds may cancel other timers when it goes.
    std::exchange(timers_, {}).clear();
    for (const auto& track : tracks_) retire(*track);
  }

  void post(Lane lane, std::function<void()> task) override {
    check_thread();
    if (closed_) return;
    fibers_.push_back(std::make_unique<SimFiber>(
        SimFiber{.id = next_fiber_++, .lane = lane, .task = std::move(task), .track = {}, .waiting_since = {}}));
    runnable_.push_back(fibers_.back().get());
  }

  std::unique_ptr<Timer> call_at(MonotonicTime time, std::function<void()> task) override;
  std::unique_ptr<WaitPoint> make_wait_point() override;
  const Clock& clock() const override { return clock_; }
  Random& random() override { return *random_; }

  void run(std::function<void()> task) override {
    check_thread();
    if (current_ != nullptr) fail("run() called inside a task");
    bool done = false;
    post(Lane::Worker, [&] {
      task();
      done = true;
    });
    while (!done) step();
  }

  void yield() override {
    if (current_ == nullptr) fail("yield() called outside run()");
    runnable_.push_back(current_);
    leave();
  }

  std::uint64_t switches() const override { return switches_; }
  std::uint64_t schedule_hash() const override { return hash_; }

  // For timers and wait points.
  using TimerKey = std::pair<MonotonicTime, std::uint64_t>;

  TimerKey add_timer(MonotonicTime time, std::function<void()> action) {
    check_thread();
    const TimerKey key(time, next_timer_++);
    timers_.emplace(key, std::move(action));
    return key;
  }
  void remove_timer(const TimerKey& key) { timers_.erase(key); }

  SimFiber* current() const { return current_; }
  std::uint64_t choose(std::uint64_t bound) { return bound == 1 ? 0 : choices_->below(bound); }
  void make_runnable(SimFiber* fiber) {
    check_thread();
    runnable_.push_back(fiber);
  }

  // The body of a track, on its own stack: one task after another.
  void run_tasks(Track& track) {
    while (current_ != nullptr) {
      current_->task();
      current_->task = nullptr;
      ended_ = current_;
      leave();
    }
    FiberContext::switch_to(track.context, scheduler_, true);
  }

  // Suspends the running task until someone makes it runnable; outside run() it runs the others
  // until `woken`.
  void suspend(const bool& woken) {
    check_thread();
    if (current_ == nullptr) {
      while (!woken) step();
      return;
    }
    if (current_->lane == Lane::Delivery) fail("a Delivery task waits");
    current_->waiting_since = clock_.monotonic();
    leave();
  }

  [[noreturn]] void fail(const char* what) const {
    std::fprintf(stderr, "simulation: %s after %llu switches, at %s; tasks:\n", what,
                 static_cast<unsigned long long>(switches_), format_micro_time(clock_.wall()).c_str());
    for (const auto& fiber : fibers_) {
      const bool runnable = std::find(runnable_.begin(), runnable_.end(), fiber.get()) != runnable_.end();
      const char* state = fiber.get() == current_ ? "running" : runnable ? "runnable" : "waiting";
      const Duration waited = clock_.monotonic() - fiber->waiting_since;
      std::fprintf(stderr, "  task %llu (%.*s): %s", static_cast<unsigned long long>(fiber->id),
                   static_cast<int>(lane_name(fiber->lane).size()), lane_name(fiber->lane).data(), state);
      if (fiber->track != nullptr && !runnable && fiber.get() != current_) {
        std::fprintf(stderr, " for %s", format_duration(waited).c_str());
      }
      std::fputc('\n', stderr);
    }
    std::abort();
  }

 private:
  void check_thread() const {
    if (std::this_thread::get_id() != thread_) fail("used from a second thread");
  }

  // One turn of one task, or one step in time.
  void step() {
    if (runnable_.empty()) {
      if (timers_.empty()) fail("nothing can ever run again");
      clock_.advance_to(timers_.begin()->first.first);
      switches_this_instant_ = 0;
    }
    while (!timers_.empty() && timers_.begin()->first.first <= clock_.monotonic()) {
      auto due = timers_.extract(timers_.begin());
      due.mapped()();
    }
    if (runnable_.empty()) return;
    if (++switches_this_instant_ > kMaxSwitchesPerInstant) fail("time does not move");

    const std::uint64_t choice = choose(runnable_.size());
    SimFiber* fiber = runnable_[choice];
    runnable_.erase(runnable_.begin() + static_cast<std::ptrdiff_t>(choice));
    note_switch(fiber->id);
    enter(*fiber);
  }

  // FNV-1a over who ran when.
  void note_switch(std::uint64_t id) {
    ++switches_;
    for (std::uint64_t word : {id, static_cast<std::uint64_t>(clock_.monotonic().time_since_epoch().count())}) {
      for (int i = 0; i < 8; ++i) {
        hash_ = (hash_ ^ (word & 0xFFU)) * 0x100000001B3U;
        word >>= 8U;
      }
    }
  }

  void enter(SimFiber& fiber) {
    if (fiber.track == nullptr) fiber.track = take_track();
    current_ = &fiber;
    FiberContext::switch_to(scheduler_, fiber.track->context);
    current_ = nullptr;
    if (ended_ != nullptr) bury(std::exchange(ended_, nullptr));
  }

  void leave() { FiberContext::switch_to(current_->track->context, scheduler_); }

  void bury(SimFiber* fiber) {
    if (tracks_.size() < kPooledTracks) {
      tracks_.push_back(std::move(fiber->track));
    } else {
      retire(*fiber->track);
    }
    std::erase_if(fibers_, [fiber](const auto& other) { return other.get() == fiber; });
  }

  // Lets the body of a track that has no task return, so that nothing of it stays behind.
  void retire(Track& track) { FiberContext::switch_to(scheduler_, track.context); }

  std::unique_ptr<Track> take_track() {
    if (tracks_.empty()) return std::make_unique<Track>(*this);
    std::unique_ptr<Track> track = std::move(tracks_.back());
    tracks_.pop_back();
    return track;
  }

  SimClock clock_;
  std::unique_ptr<Random> random_;
  std::unique_ptr<Random> choices_;
  const std::thread::id thread_;
  FiberContext scheduler_;
  std::list<std::unique_ptr<SimFiber>> fibers_;
  std::vector<SimFiber*> runnable_;
  std::vector<std::unique_ptr<Track>> tracks_;
  std::map<TimerKey, std::function<void()>> timers_;
  SimFiber* current_ = nullptr;
  SimFiber* ended_ = nullptr;
  std::uint64_t next_fiber_ = 1;
  std::uint64_t next_timer_ = 0;
  std::uint64_t switches_ = 0;
  std::uint64_t switches_this_instant_ = 0;
  std::uint64_t hash_ = 0xCBF29CE484222325U;
  bool closed_ = false;
};

Track::Track(SimScheduler& scheduler)
    : stack(kFiberStackBytes), context(stack, [this, &scheduler] { scheduler.run_tasks(*this); }) {}

class SimWaitPoint : public WaitPoint {
 public:
  explicit SimWaitPoint(SimScheduler& scheduler) : scheduler_(scheduler) {}

  Wake wait(std::unique_lock<std::mutex>& lock, const Context& context, std::optional<MonotonicTime> until) override {
    std::optional<MonotonicTime> end = context.deadline();
    if (until && (!end || *until < *end)) end = until;

    Waiter waiter{.fiber = scheduler_.current()};
    waiters_.push_back(&waiter);
    lock.unlock();
    {
      auto stop = [this, &waiter] { wake(waiter, Wake::Stopped); };
      std::optional<SimScheduler::TimerKey> timer;
      if (end) timer = scheduler_.add_timer(*end, [this, &waiter] { wake(waiter, Wake::Deadline); });
      const std::stop_callback<decltype(stop)> on_stop(context.stop(), stop);
      scheduler_.suspend(waiter.woken);
      if (timer) scheduler_.remove_timer(*timer);
    }
    lock.lock();
    return waiter.reason;
  }

  void notify_one() override {
    if (!waiters_.empty()) wake(*waiters_[scheduler_.choose(waiters_.size())], Wake::Notified);
  }

  void notify_all() override {
    while (!waiters_.empty()) wake(*waiters_.front(), Wake::Notified);
  }

 private:
  struct Waiter {
    SimFiber* fiber;  // null for code outside run()
    bool woken = false;
    Wake reason = Wake::Notified;
  };

  void wake(Waiter& waiter, Wake reason) {
    if (waiter.woken) return;
    waiter.woken = true;
    waiter.reason = reason;
    std::erase(waiters_, &waiter);
    if (waiter.fiber != nullptr) scheduler_.make_runnable(waiter.fiber);
  }

  SimScheduler& scheduler_;
  std::vector<Waiter*> waiters_;
};

// Cancelling counts until the callback begins: it may already wait for its turn.
class SimTimer : public Timer {
 public:
  SimTimer(SimScheduler& scheduler, MonotonicTime time, std::function<void()> task)
      : scheduler_(scheduler), cancelled_(std::make_shared<bool>(false)) {
    key_ = scheduler.add_timer(time, [&scheduler, cancelled = cancelled_, task = std::move(task)] {
      scheduler.post(Lane::Delivery, [cancelled, task] {
        if (!*cancelled) task();
      });
    });
  }
  ~SimTimer() override {
    *cancelled_ = true;
    scheduler_.remove_timer(key_);
  }

 private:
  SimScheduler& scheduler_;
  SimScheduler::TimerKey key_;
  std::shared_ptr<bool> cancelled_;
};

std::unique_ptr<Timer> SimScheduler::call_at(MonotonicTime time, std::function<void()> task) {
  return std::make_unique<SimTimer>(*this, time, std::move(task));
}

std::unique_ptr<WaitPoint> SimScheduler::make_wait_point() {
  return std::make_unique<SimWaitPoint>(*this);
}

}  // namespace

std::unique_ptr<SimExecutor> SimExecutor::make(std::uint64_t seed, WallTime start) {
  return std::make_unique<SimScheduler>(seed, start);
}

}  // namespace coracle
