#include "base/assert.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/files.h"

namespace coracle {
namespace {

// The one counter of the process: a macro has nowhere to take another from.
std::atomic<std::uint64_t> bugs_met{0};

void print_location(const char* kind, const char* condition, const char* file, int line) {
  // The directories are those of the build and mean nothing to a reader.
  const std::string_view name = file_name(file);
  std::fprintf(stderr, "%s(%s) at %.*s:%d\n", kind, condition, static_cast<int>(name.size()), name.data(), line);
}

}  // namespace

std::uint64_t bug_count() {
  return bugs_met.load();
}

namespace internal {

void assertion_failed(const char* kind, const char* condition, const char* file, int line) {
  print_location(kind, condition, file, line);
  std::abort();
}

bool report_bug(const char* condition, const char* file, int line) {
  bugs_met.fetch_add(1);
  print_location("error BUG_IF", condition, file, line);
  return true;
}

}  // namespace internal
}  // namespace coracle
