// sprig's dates and Helm's durations. Local time is UTC.

#include <cmath>

#include "charts/template/evaluator.h"
#include "charts/template/function.h"
#include "charts/template/go_format.h"
#include "charts/template/go_number.h"
#include "charts/template/go_quote.h"
#include "charts/template/go_time.h"

namespace coracle::charts {
namespace {

using Output = Result<GoValue>;

constexpr std::int64_t kSecond = 1'000'000'000;

GoValue now(const Call& call) {
  return GoValue::time(call.evaluator.environment().clock.wall());
}

GoValue from_unix(std::int64_t seconds) {
  return GoValue::time(GoTime(std::chrono::seconds(seconds)));
}

// What the date functions take for a date: a time or unix seconds; anything else is now.
GoValue date_argument(const Call& call, std::size_t index) {
  const GoValue& value = call[index];
  if (value.type() == GoValue::Type::Time) return value;
  if (value.type() == GoValue::Type::Int || value.type() == GoValue::Type::Int64) return from_unix(value.as_integer());
  return now(call);
}

Output date_format(const Call& call) {
  return GoValue::string(format_go_time(date_argument(call, 1), call.text(0)));
}

Output date_in_zone(const Call& call) {
  const GoValue date = date_argument(call, 1);
  const auto zoned = in_time_zone(date, call.text(2));
  return GoValue::string(format_go_time(zoned ? *zoned : GoValue::time(date.as_time()), call.text(0)));
}

Output html_date(const Call& call) {
  return GoValue::string(format_go_time(date_argument(call, 0), "2006-01-02"));
}

Output html_date_in_zone(const Call& call) {
  const GoValue date = date_argument(call, 0);
  const auto zoned = in_time_zone(date, call.text(1));
  return GoValue::string(format_go_time(zoned ? *zoned : GoValue::time(date.as_time()), "2006-01-02"));
}

Output date_modify(const Call& call) {
  auto change = parse_duration(call.text(0));
  if (!change.ok()) return call[1];
  return GoValue::time(call[1].as_time() + *change, call[1].zone_offset(), call[1].zone_name());
}

Output must_date_modify(const Call& call) {
  ASSIGN_OR_RETURN(const Duration change, parse_duration(call.text(0)));
  return GoValue::time(call[1].as_time() + change, call[1].zone_offset(), call[1].zone_name());
}

Output date_ago(const Call& call) {
  const Duration age = go_time_difference(now(call).as_time(), date_argument(call, 0).as_time());
  return GoValue::string(format_duration(round_go_duration(age, std::chrono::seconds(1))));
}

Output date_duration(const Call& call) {
  std::int64_t seconds = 0;
  if (call[0].is_string()) {
    seconds = parse_saturating_int(call.text(0));
  } else if (call[0].type() == GoValue::Type::Int64) {
    seconds = call[0].as_integer();
  }
  // Go's integers wrap around.
  const std::uint64_t nanoseconds = static_cast<std::uint64_t>(seconds) * static_cast<std::uint64_t>(kSecond);
  return GoValue::string(format_duration(Duration(static_cast<std::int64_t>(nanoseconds))));
}

Output date_duration_round(const Call& call) {
  Duration duration{0};
  if (call[0].is_string()) {
    duration = parse_duration(call.text(0)).value_or(Duration(0));
  } else if (call[0].type() == GoValue::Type::Int64) {
    duration = Duration(call[0].as_integer());
  } else if (call[0].type() == GoValue::Type::Time) {
    duration = go_time_difference(now(call).as_time(), call[0].as_time());
  }
  struct Unit {
    std::int64_t seconds;
    std::string_view name;
  };
  constexpr Unit kUnits[] = {{365 * 86400, "y"}, {30 * 86400, "mo"}, {86400, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}};
  const std::int64_t seconds = std::abs(duration.count() / kSecond);
  for (const Unit& unit : kUnits) {
    if (seconds > unit.seconds || (unit.seconds == 1 && seconds == 1)) {
      return GoValue::string(std::to_string(seconds / unit.seconds) + std::string(unit.name));
    }
  }
  return GoValue::string("0s");
}

Output to_date(const Call& call) {
  auto parsed = parse_go_time(call.text(0), call.text(1));
  if (parsed.ok()) return std::move(parsed).value();
  return GoValue::time(kGoZeroTime);
}

Output must_to_date(const Call& call) {
  return parse_go_time(call.text(0), call.text(1));
}

Output unix_epoch(const Call& call) {
  return GoValue::string(
      std::to_string(std::chrono::floor<std::chrono::seconds>(call[0].as_time()).time_since_epoch().count()));
}

Error seconds_overflow(const GoValue& seconds) {
  return bad_request("duration seconds overflow: " + go_print(seconds));
}

Result<Duration> nanoseconds_of(std::int64_t seconds) {
  std::int64_t nanoseconds = 0;
  if (__builtin_mul_overflow(seconds, kSecond, &nanoseconds)) return seconds_overflow(GoValue::integer64(seconds));
  return Duration(nanoseconds);
}

Result<Duration> nanoseconds_of(double seconds) {
  if (!std::isfinite(seconds)) return bad_request("invalid duration seconds: " + go_print(GoValue::number(seconds)));
  constexpr double kLimit = 9223372036854775808.0;
  const double nanoseconds = seconds * static_cast<double>(kSecond);
  if (nanoseconds < -kLimit || nanoseconds >= kLimit) return seconds_overflow(GoValue::number(seconds));
  return Duration(static_cast<std::int64_t>(nanoseconds));
}

// Helm 4's durations take a duration, a text or a number of seconds.
Result<Duration> duration_argument(const GoValue& value) {
  if (value.type() == GoValue::Type::Duration) return Duration(value.as_integer());
  if (value.is_string()) {
    auto parsed = parse_duration(value.text());
    if (parsed.ok()) return parsed;
    if (const auto seconds = parse_go_float(value.text())) return nanoseconds_of(*seconds);
    return bad_request("could not parse duration " + go_quote(value.text()));
  }
  if (value.is_integer()) return nanoseconds_of(value.as_integer());
  if (value.is_float()) return nanoseconds_of(value.as_double());
  if (value.is_nil()) return bad_request("invalid duration");
  return bad_request("unsupported duration type " + value.type_name());
}

Output in_units(const Call& call, std::int64_t nanoseconds) {
  const Duration duration = duration_argument(call[0]).value_or(Duration(0));
  return GoValue::number(static_cast<double>(duration.count()) / static_cast<double>(nanoseconds));
}

Output whole_units(const Call& call, std::int64_t nanoseconds) {
  const Duration duration = duration_argument(call[0]).value_or(Duration(0));
  return GoValue::integer64(duration.count() / nanoseconds);
}

Output round_duration(const Call& call, bool truncate) {
  const Duration duration = duration_argument(call[0]).value_or(Duration(0));
  const Duration unit = duration_argument(call[1]).value_or(Duration(0));
  if (!truncate) return GoValue::duration(round_go_duration(duration, unit).count());
  return GoValue::duration(unit > Duration::zero() ? (duration - duration % unit).count() : duration.count());
}

Output must_to_duration(const Call& call) {
  ASSIGN_OR_RETURN(const Duration duration, duration_argument(call[0]));
  return GoValue::duration(duration.count());
}

constexpr Function kDates[] = {
    {"now", "", [](const Call& c) -> Output { return now(c); }},
    {"date", "sa", date_format},
    {"date_in_zone", "sas", date_in_zone},
    {"dateInZone", "sas", date_in_zone},
    {"htmlDate", "a", html_date},
    {"htmlDateInZone", "as", html_date_in_zone},
    {"date_modify", "st", date_modify},
    {"dateModify", "st", date_modify},
    {"must_date_modify", "st", must_date_modify},
    {"mustDateModify", "st", must_date_modify},
    {"ago", "a", date_ago},
    {"duration", "a", date_duration},
    {"durationRound", "a", date_duration_round},
    {"toDate", "ss", to_date},
    {"mustToDate", "ss", must_to_date},
    {"unixEpoch", "t", unix_epoch},
    {"mustToDuration", "a", must_to_duration},
    {"durationSeconds", "a", [](const Call& c) { return in_units(c, kSecond); }},
    {"durationMilliseconds", "a", [](const Call& c) { return whole_units(c, kSecond / 1000); }},
    {"durationMicroseconds", "a", [](const Call& c) { return whole_units(c, 1000); }},
    {"durationNanoseconds", "a", [](const Call& c) { return whole_units(c, 1); }},
    {"durationMinutes", "a", [](const Call& c) { return in_units(c, 60 * kSecond); }},
    {"durationHours", "a", [](const Call& c) { return in_units(c, 3600 * kSecond); }},
    {"durationDays", "a", [](const Call& c) { return in_units(c, 86400 * kSecond); }},
    {"durationWeeks", "a", [](const Call& c) { return in_units(c, 7 * 86400 * kSecond); }},
    {"durationRoundTo", "aa", [](const Call& c) { return round_duration(c, false); }},
    {"durationTruncateTo", "aa", [](const Call& c) { return round_duration(c, true); }},
};

}  // namespace

std::span<const Function> date_functions() {
  return kDates;
}

}  // namespace coracle::charts
