#include "base/internal/fiber.h"

#include <cxxabi.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

namespace coracle::internal {

FiberStack::FiberStack(std::size_t bytes) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  size_ = (bytes + page - 1) / page * page;
  mapping_ = mmap(nullptr, size_ + page, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (mapping_ == MAP_FAILED) throw std::bad_alloc();
  if (mprotect(mapping_, page, PROT_NONE) != 0) {
    munmap(mapping_, size_ + page);
    throw std::bad_alloc();
  }
  // One deep call must not claim two megabytes.
  madvise(mapping_, size_ + page, MADV_NOHUGEPAGE);
  bottom_ = static_cast<char*>(mapping_) + page;
}

FiberStack::~FiberStack() {
#ifdef __SANITIZE_ADDRESS__
  // What it knows of frames that lived here would else meet whatever is mapped here next.
  __asan_unpoison_memory_region(bottom_, size_);
#endif
  const auto guard = static_cast<std::size_t>(static_cast<char*>(bottom_) - static_cast<char*>(mapping_));
  munmap(mapping_, size_ + guard);
}

FiberContext::FiberContext() {
#ifdef __SANITIZE_THREAD__
  thread_sanitizer_fiber_ = __tsan_get_current_fiber();
#endif
}

FiberContext::FiberContext(FiberStack& stack, std::function<void()> body)
    : body_(std::move(body)), stack_bottom_(stack.bottom()), stack_size_(stack.size()) {
#ifdef __SANITIZE_THREAD__
  thread_sanitizer_fiber_ = __tsan_create_fiber(0);
  owns_sanitizer_fiber_ = true;
#endif
  getcontext(&context_);
  context_.uc_stack.ss_sp = stack.bottom();
  context_.uc_stack.ss_size = stack.size();
  context_.uc_link = nullptr;
  // makecontext hands over ints only; two of them make a pointer.
  const auto self = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(this));
  makecontext(&context_, reinterpret_cast<void (*)()>(&FiberContext::enter), 2, static_cast<unsigned>(self >> 32U),
              static_cast<unsigned>(self));
#ifdef __SANITIZE_ADDRESS__
  // On every switch to a stack that it knows of, the sanitizer's swapcontext() forgets all that it knows of the frames
  // there: megabytes at a time, and redzones that are still in use. Only makecontext() needs the stack, and
  // switch_to() tells the sanitizer of every switch.
  context_.uc_stack.ss_sp = nullptr;
  context_.uc_stack.ss_size = 0;
#endif
}

FiberContext::~FiberContext() {
#ifdef __SANITIZE_THREAD__
  if (owns_sanitizer_fiber_) __tsan_destroy_fiber(thread_sanitizer_fiber_);
#endif
}

void FiberContext::enter(unsigned high, unsigned low) {
  const std::uint64_t address = (static_cast<std::uint64_t>(high) << 32U) | low;
  auto* self = reinterpret_cast<FiberContext*>(static_cast<std::uintptr_t>(address));
  self->finish_switch();
  self->body_();
  std::abort();  // the body's last act is a switch
}

void FiberContext::switch_to(FiberContext& from, FiberContext& to, bool last) {
  to.came_from_ = &from;
  std::memcpy(&from.exceptions_, abi::__cxa_get_globals(), sizeof from.exceptions_);
  std::memcpy(static_cast<void*>(abi::__cxa_get_globals()), &to.exceptions_, sizeof to.exceptions_);
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_start_switch_fiber(last ? nullptr : &from.address_sanitizer_stack_, to.stack_bottom_, to.stack_size_);
#else
  static_cast<void>(last);
#endif
#ifdef __SANITIZE_THREAD__
  __tsan_switch_to_fiber(to.thread_sanitizer_fiber_, 0);
#endif
  swapcontext(&from.context_, &to.context_);
  from.finish_switch();
}

void FiberContext::finish_switch() {
#ifdef __SANITIZE_ADDRESS__
  const void* bottom = nullptr;
  std::size_t size = 0;
  __sanitizer_finish_switch_fiber(address_sanitizer_stack_, &bottom, &size);
  // The thread's own stack is learnt when it is first left.
  if (came_from_->stack_bottom_ == nullptr) {
    came_from_->stack_bottom_ = bottom;
    came_from_->stack_size_ = size;
  }
#endif
}

}  // namespace coracle::internal
