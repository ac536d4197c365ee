#pragma once

#include <cstdint>
#include <limits>

namespace coracle {

// Go's int64(number) as amd64 has it, on every machine: what does not fit, or is not a number, becomes the smallest
// integer. C++ leaves that undefined, and processors differ: arm64 takes the nearest integer, and 0 for NaN.
constexpr std::int64_t go_int64(double number) {
  constexpr double kEnd = 9223372036854775808.0;
  if (!(number >= -kEnd && number < kEnd)) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(number);
}

}  // namespace coracle
