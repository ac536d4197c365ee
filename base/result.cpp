#include "base/result.h"

#include <cstdio>
#include <cstdlib>

namespace coracle::internal {

void result_misused(const char* what, const Error* error) {
  std::fprintf(stderr, "result misused: %s%s%s\n", what, error != nullptr ? ": " : "",
               error != nullptr ? error->message().c_str() : "");
  std::abort();
}

}  // namespace coracle::internal
