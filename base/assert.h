#pragma once

#include <cstdint>

// Three strengths of assertion for what can only be wrong through a mistake in this program; bad
// input is never one of them. Include this in source files only: test programs have a CHECK of
// their own.

namespace coracle {

namespace internal {
[[noreturn]] void assertion_failed(const char* kind, const char* condition, const char* file, int line);
// Counts the bug, writes one line to standard error, answers true.
bool report_bug(const char* condition, const char* file, int line);
}  // namespace internal

// Bugs that BUG_IF met since the process began. Tests and the metrics look at it: it must stay 0.
std::uint64_t bug_count();

}  // namespace coracle

// Ends the process in debug builds, is not evaluated in others.
#ifdef NDEBUG
#define ASSERT(condition) static_cast<void>(sizeof((condition) ? 1 : 0))
#else
#define ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::coracle::internal::assertion_failed("ASSERT", #condition, __FILE__, __LINE__))
#endif

// True when the condition holds, which is a bug: `if (BUG_IF(items.empty())) return internal_error("...");`
// fails the request or reconcile at hand and nothing else.
#define BUG_IF(condition) ((condition) && ::coracle::internal::report_bug(#condition, __FILE__, __LINE__))

// Ends the process in every build. Only where going on would damage what is stored.
#define CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::coracle::internal::assertion_failed("CHECK", #condition, __FILE__, __LINE__))
