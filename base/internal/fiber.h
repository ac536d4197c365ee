#pragma once

#include <ucontext.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

namespace coracle::internal {

// Memory for one fiber's frames, with a page below it that faults on overflow.
class FiberStack {
 public:
  // Throws std::bad_alloc.
  explicit FiberStack(std::size_t bytes);
  ~FiberStack();
  FiberStack(const FiberStack&) = delete;
  FiberStack& operator=(const FiberStack&) = delete;

  void* bottom() const { return bottom_; }
  std::size_t size() const { return size_; }

 private:
  void* mapping_;
  void* bottom_;
  std::size_t size_;
};

// One line of execution that can be left and entered again: the scheduler's own (made without a
// stack) or a fiber. Tells the address and thread sanitizers about every switch, and keeps the
// exception state that the C++ runtime holds per thread.
class FiberContext {
 public:
  // The context of the code that calls this.
  FiberContext();
  // Will run `body` on `stack` when first entered. `body` must end in a switch that never returns.
  FiberContext(FiberStack& stack, std::function<void()> body);
  ~FiberContext();
  FiberContext(const FiberContext&) = delete;
  FiberContext& operator=(const FiberContext&) = delete;

  // Leaves `from`, which is running, and goes on in `to`. With `last`, `from` never runs again.
  // Never inlined: the runtime declares the address of a thread's exception state to be constant, so that a caller who
  // switches in a loop might keep it, and come back on another thread.
  [[gnu::noinline]] static void switch_to(FiberContext& from, FiberContext& to, bool last = false);

 private:
  static void enter(unsigned high, unsigned low);
  void finish_switch();

  ucontext_t context_{};
  std::function<void()> body_;
  const void* stack_bottom_ = nullptr;
  std::size_t stack_size_ = 0;
  FiberContext* came_from_ = nullptr;
  void* address_sanitizer_stack_ = nullptr;
  void* thread_sanitizer_fiber_ = nullptr;
  bool owns_sanitizer_fiber_ = false;
  // abi::__cxa_eh_globals: the caught exceptions and how many are in flight.
  struct ExceptionState {
    void* caught;
    unsigned int uncaught;
  };
  ExceptionState exceptions_{};
};

}  // namespace coracle::internal
