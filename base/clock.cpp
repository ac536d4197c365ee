#include "base/clock.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>

#include "base/text.h"

namespace coracle {
namespace {

using Nanoseconds = std::chrono::nanoseconds;

void append_padded(std::string& out, std::int64_t number, std::size_t digits) {
  std::array<char, 20> text{};
  const char* const end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  const auto length = static_cast<std::size_t>(end - text.data());
  out.append(digits - std::min(length, digits), '0').append(text.data(), length);
}

// "2026-01-02T15:04:05" and the nanoseconds that are left.
std::string format_seconds(WallTime time, std::int64_t& fraction) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  fraction = (time - seconds).count();
  const auto day = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(seconds - day);
  std::string text;
  append_padded(text, static_cast<int>(date.year()), 4);
  append_padded(text.append("-"), static_cast<unsigned>(date.month()), 2);
  append_padded(text.append("-"), static_cast<unsigned>(date.day()), 2);
  append_padded(text.append("T"), clock.hours().count(), 2);
  append_padded(text.append(":"), clock.minutes().count(), 2);
  append_padded(text.append(":"), clock.seconds().count(), 2);
  return text;
}

// Takes pieces off the front of a text; every step says whether it could.
class TimeScanner {
 public:
  explicit TimeScanner(std::string_view text) : rest_(text) {}

  bool number(std::size_t digits, int least, int most, int& out) {
    if (rest_.size() < digits) return false;
    out = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (!is_digit(rest_[i])) return false;
      out = out * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(digits);
    return out >= least && out <= most;
  }

  bool literal(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // ".123": digits beyond the ninth are dropped.
  bool fraction(std::int64_t& nanoseconds) {
    nanoseconds = 0;
    if (!literal('.')) return true;
    std::int64_t unit = 100'000'000;
    if (rest_.empty() || !is_digit(rest_.front())) return false;
    for (; !rest_.empty() && is_digit(rest_.front()); rest_.remove_prefix(1)) {
      nanoseconds += (rest_.front() - '0') * unit;
      unit /= 10;
    }
    return true;
  }

  // "Z" or "+hh:mm".
  bool offset(std::chrono::minutes& out) {
    out = {};
    if (literal('Z')) return true;
    const bool negative = !rest_.empty() && rest_.front() == '-';
    int hours = 0;
    int minutes = 0;
    if (!literal('+') && !literal('-')) return false;
    if (!number(2, 0, 23, hours) || !literal(':') || !number(2, 0, 59, minutes)) return false;
    out = std::chrono::hours(hours) + std::chrono::minutes(minutes);
    if (negative) out = -out;
    return true;
  }

  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

std::optional<Instant> scan_instant(std::string_view text) {
  TimeScanner scanner(text);
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  std::int64_t fraction = 0;
  std::chrono::minutes offset{};
  const bool matches = scanner.number(4, 0, 9999, year) && scanner.literal('-') && scanner.number(2, 1, 12, month) &&
                       scanner.literal('-') && scanner.number(2, 1, 31, day) && scanner.literal('T') &&
                       scanner.number(2, 0, 23, hour) && scanner.literal(':') && scanner.number(2, 0, 59, minute) &&
                       scanner.literal(':') && scanner.number(2, 0, 59, second) && scanner.fraction(fraction) &&
                       scanner.offset(offset) && scanner.at_end();
  const std::chrono::year_month_day date(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  if (!matches || !date.ok()) return std::nullopt;
  const std::chrono::seconds since_epoch = std::chrono::sys_days(date).time_since_epoch() + std::chrono::hours(hour) +
                                           std::chrono::minutes(minute) + std::chrono::seconds(second) - offset;
  return Instant{since_epoch.count(), static_cast<std::int32_t>(fraction)};
}

struct Unit {
  std::string_view name;
  std::uint64_t nanoseconds;
};

// The longer names first, so that "ms" is not taken for "m". Both micro signs are in use.
constexpr std::array kUnits = {
    Unit{"ns", 1},         Unit{"us", 1'000},        Unit{"\u00b5s", 1'000},    Unit{"\u03bcs", 1'000},
    Unit{"ms", 1'000'000}, Unit{"s", 1'000'000'000}, Unit{"m", 60'000'000'000}, Unit{"h", 3'600'000'000'000},
};

// The magnitude of "1h2.5s" in nanoseconds, at most 2^63.
std::optional<std::uint64_t> scan_duration(std::string_view text) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 63U;
  if (text == "0") return 0;
  if (text.empty()) return std::nullopt;
  std::uint64_t total = 0;
  while (!text.empty()) {
    std::uint64_t whole = 0;
    bool digits = false;
    for (; !text.empty() && is_digit(text.front()); text.remove_prefix(1)) {
      if (whole > kMost / 10) return std::nullopt;
      whole = whole * 10 + static_cast<std::uint64_t>(text.front() - '0');
      digits = true;
    }
    std::uint64_t fraction = 0;
    double scale = 1;
    if (!text.empty() && text.front() == '.') {
      text.remove_prefix(1);
      for (; !text.empty() && is_digit(text.front()); text.remove_prefix(1)) {
        digits = true;
        if (fraction > (kMost - 9) / 10) continue;  // digits too fine to matter
        fraction = fraction * 10 + static_cast<std::uint64_t>(text.front() - '0');
        scale *= 10;
      }
    }
    if (!digits) return std::nullopt;
    const Unit* unit = nullptr;
    for (const Unit& candidate : kUnits) {
      if (unit == nullptr && text.substr(0, candidate.name.size()) == candidate.name) unit = &candidate;
    }
    if (unit == nullptr) return std::nullopt;
    text.remove_prefix(unit->name.size());
    if (whole > kMost / unit->nanoseconds) return std::nullopt;
    total += whole * unit->nanoseconds + static_cast<std::uint64_t>(static_cast<double>(fraction) *
                                                                    (static_cast<double>(unit->nanoseconds) / scale));
    if (total > kMost) return std::nullopt;
  }
  return total;
}

// "1.5" for 1500 of a unit of 1000: no zeros at the end.
std::string format_fraction(std::uint64_t value, std::uint64_t unit) {
  std::string text = std::to_string(value / unit);
  std::uint64_t rest = value % unit;
  if (rest == 0) return text;
  text += '.';
  for (std::uint64_t digit = unit / 10; rest != 0; digit /= 10) {
    text += static_cast<char>('0' + rest / digit);
    rest %= digit;
  }
  return text;
}

}  // namespace

std::string format_time(WallTime time) {
  std::int64_t fraction = 0;
  return format_seconds(time, fraction) + "Z";
}

std::string format_micro_time(WallTime time) {
  std::int64_t fraction = 0;
  std::string text = format_seconds(time, fraction);
  append_padded(text.append("."), fraction / 1000, 6);
  return text + "Z";
}

Result<WallTime> parse_time(std::string_view text) {
  ASSIGN_OR_RETURN(const Instant instant, parse_instant(text));
  constexpr std::int64_t kLimit = std::numeric_limits<std::int64_t>::max() / 1'000'000'000 - 1;
  if (std::abs(instant.seconds) > kLimit) return WallTime(std::chrono::seconds(instant.seconds < 0 ? -kLimit : kLimit));
  return WallTime(std::chrono::seconds(instant.seconds) + Nanoseconds(instant.nanos));
}

Result<Instant> parse_instant(std::string_view text) {
  if (const std::optional<Instant> instant = scan_instant(text)) return *instant;
  return bad_request("\"" + std::string(text) + "\" is not a time; expected RFC 3339 as in 2026-01-02T15:04:05Z");
}

std::string format_duration(Duration duration) {
  const bool negative = duration.count() < 0;
  std::uint64_t left = static_cast<std::uint64_t>(duration.count());
  if (negative) left = 0 - left;
  std::string text = negative ? "-" : "";
  if (left == 0) return "0s";
  if (left < 1'000) return text + std::to_string(left) + "ns";
  if (left < 1'000'000) return text + format_fraction(left, 1'000) + "\u00b5s";
  if (left < 1'000'000'000) return text + format_fraction(left, 1'000'000) + "ms";
  constexpr std::uint64_t kMinute = 60'000'000'000;
  const std::uint64_t minutes = left / kMinute;
  if (minutes >= 60) text += std::to_string(minutes / 60) + "h";
  if (minutes > 0) text += std::to_string(minutes % 60) + "m";
  return text + format_fraction(left % kMinute, 1'000'000'000) + "s";
}

Result<Duration> parse_duration(std::string_view text) {
  std::string_view rest = text;
  const bool negative = !rest.empty() && rest.front() == '-';
  if (!rest.empty() && (rest.front() == '-' || rest.front() == '+')) rest.remove_prefix(1);
  const std::optional<std::uint64_t> magnitude = scan_duration(rest);
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (!magnitude || (*magnitude > kMost && !negative)) {
    return bad_request("\"" + std::string(text) +
                       "\" is not a duration; expected a number with a unit as in 1h30m or 300ms");
  }
  return Duration(static_cast<std::int64_t>(negative ? 0 - *magnitude : *magnitude));
}

}  // namespace coracle
