#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace coracle {

using Duration = std::chrono::nanoseconds;

// Wall time: what objects carry and people read.
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;
// Time that only ever grows: deadlines and intervals.
using MonotonicTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;

// Where time comes from. The one of the process is an executor's; simulation has a virtual one.
// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime wall() const = 0;
  virtual MonotonicTime monotonic() const = 0;
};

// RFC 3339 in UTC with whole seconds ("2026-01-02T15:04:05Z"), as metav1.Time prints.
std::string format_time(WallTime time);
// The same with six digits of fraction, as metav1.MicroTime prints.
std::string format_micro_time(WallTime time);
// Reads RFC 3339 with any offset and any number of fraction digits. Years that a WallTime cannot hold (before 1678,
// after 2261) become the nearest second that it can.
Result<WallTime> parse_time(std::string_view text);

// Seconds and nanoseconds since 1970, for every year that RFC 3339 can write.
struct Instant {
  std::int64_t seconds = 0;
  std::int32_t nanos = 0;
};
// What parse_time() reads, of any year.
Result<Instant> parse_instant(std::string_view text);

// Go's time.Duration text: "1h2m3.5s", "300ms", "0s".
std::string format_duration(Duration duration);
// Reads Go's text; BadRequest names the text when it is not a duration.
Result<Duration> parse_duration(std::string_view text);

}  // namespace coracle
