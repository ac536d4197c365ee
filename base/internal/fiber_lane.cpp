#include "base/internal/fiber_lane.h"

#include <algorithm>
#include <new>
#include <utility>

namespace coracle::internal {

namespace {

// As a thread has. Address space, not memory: pages come when they are touched.
constexpr std::size_t kStackBytes = std::size_t{8} << 20U;

// What a thread needs to run fibers.
struct Carrier {
  FiberContext context;  // of the thread itself
  Fiber* running = nullptr;
  bool parked = false;  // the fiber left in order to wait, and not because its task has ended
};

// Never inlined: a fiber may be on another thread after a switch, so the address must be asked for anew.
[[gnu::noinline]] Carrier& this_carrier() {
  static thread_local Carrier carrier;
  asm volatile("");
  return carrier;
}

}  // namespace

Fiber::Fiber(FiberLane& owner, std::size_t stack_bytes)
    : lane(owner), stack(stack_bytes), context(stack, [this] { FiberLane::run(*this); }) {}

FiberLane::FiberLane(std::string name, unsigned threads, unsigned limit, Duration idle)
    : limit_(std::max(limit, 1U)), threads_(std::move(name), threads, idle, [this] { retire_idle(); }) {}

FiberLane::~FiberLane() {
  close();
}

void FiberLane::post(std::function<void()> task) {
  if (Fiber* fiber = assign(task)) threads_.post([this, fiber] { enter(*fiber); });
}

void FiberLane::begin_on(TaskHost& host, std::function<void()> task) {
  Fiber* fiber = assign(task);
  if (fiber == nullptr) return;
  fiber->host = &host;
  enter(*fiber);
}

// Null when the task has to wait for a fiber, or for ever.
Fiber* FiberLane::assign(std::function<void()>& task) {
  std::lock_guard lock(mutex_);
  if (closed_) return nullptr;
  Fiber* fiber = busy_ < limit_ ? take_idle() : nullptr;
  if (fiber == nullptr) {
    waiting_.push_back(std::move(task));
    return nullptr;
  }
  ++busy_;
  fiber->task = std::move(task);
  return fiber;
}

// Null when there is no memory for another stack: a fiber that ends then takes the task.
Fiber* FiberLane::take_idle() {
  if (idle_.empty()) {
    try {
      idle_.push_back(std::make_unique<Fiber>(*this, kStackBytes));
    } catch (const std::bad_alloc&) {
      return nullptr;
    }
  }
  Fiber* fiber = idle_.back().release();
  idle_.pop_back();
  return fiber;
}

void FiberLane::close() {
  std::deque<std::function<void()>> dropped;
  {
    std::unique_lock lock(mutex_);
    closed_ = true;
    dropped.swap(waiting_);
    none_begun_.wait(lock, [this] { return busy_ == 0; });
  }
  threads_.close();
  retire_idle();
}

Fiber* FiberLane::current() {
  return this_carrier().running;
}

void FiberLane::park() {
  Carrier& carrier = this_carrier();
  carrier.parked = true;
  FiberContext::switch_to(carrier.running->context, carrier.context);
}

void FiberLane::resume(Fiber& fiber) {
  if (fiber.state.exchange(Fiber::State::Resumed) == Fiber::State::Parked) post_turn(fiber);
}

void FiberLane::post_turn(Fiber& fiber) {
  auto turn = [&fiber] { fiber.lane.enter(fiber); };
  if (fiber.host != nullptr) {
    fiber.host->post_turn(turn);
  } else {
    fiber.lane.threads_.post(turn);
  }
}

void FiberLane::enter(Fiber& fiber) {
  if (!fiber.begun) {
    bool closed = false;
    {
      std::lock_guard lock(mutex_);
      closed = closed_;
    }
    if (closed) {
      fiber.task = nullptr;
      finish(fiber);
      return;
    }
    fiber.begun = true;
  }
  Carrier& carrier = this_carrier();
  carrier.running = &fiber;
  fiber.state = Fiber::State::Running;
  FiberContext::switch_to(carrier.context, fiber.context);
  carrier.running = nullptr;
  if (!std::exchange(carrier.parked, false)) {
    finish(fiber);
  } else if (fiber.state.exchange(Fiber::State::Parked) == Fiber::State::Resumed) {
    post_turn(fiber);
  }  // else it may already run elsewhere
}

// The body of a fiber, on its own stack: one task after another.
void FiberLane::run(Fiber& fiber) {
  while (fiber.task != nullptr) {
    fiber.task();
    fiber.task = nullptr;
    FiberContext::switch_to(fiber.context, this_carrier().context);
  }
  FiberContext::switch_to(fiber.context, this_carrier().context, true);
}

void FiberLane::finish(Fiber& fiber) {
  fiber.begun = false;
  fiber.host = nullptr;
  std::unique_ptr<Fiber> owned(&fiber);
  std::lock_guard lock(mutex_);
  if (!waiting_.empty()) {
    fiber.task = std::move(waiting_.front());
    waiting_.pop_front();
    Fiber* next = owned.release();
    threads_.post([this, next] { enter(*next); });
    return;
  }
  idle_.push_back(std::move(owned));
  if (--busy_ == 0) none_begun_.notify_all();
}

// Lets the fiber's body return, so that nothing of it stays behind, and frees its stack.
void FiberLane::retire(std::unique_ptr<Fiber> fiber) {
  FiberContext::switch_to(this_carrier().context, fiber->context);
}

void FiberLane::retire_idle() {
  std::vector<std::unique_ptr<Fiber>> idle;
  {
    std::lock_guard lock(mutex_);
    idle.swap(idle_);
  }
  for (std::unique_ptr<Fiber>& fiber : idle) retire(std::move(fiber));
}

}  // namespace coracle::internal
