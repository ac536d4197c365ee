#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "charts/template/go_value.h"

namespace coracle::charts {

// A moment as a zone's clock shows it.
struct CivilTime {
  int year;
  unsigned month;  // 1..12
  unsigned day;    // 1..31
  int hour;
  int minute;
  int second;
  int nanosecond;
  unsigned weekday;  // 0 is Sunday
  int year_day;      // 1..366
};
CivilTime civil_time(const GoValue& time);

// time.Time.Format: layouts are written as Mon Jan 2 15:04:05 MST 2006 would be.
std::string format_go_time(const GoValue& time, std::string_view layout);
// time.Parse; errors read as Go's.
Result<GoValue> parse_go_time(std::string_view layout, std::string_view text);
// time.Time.String.
std::string go_time_text(const GoValue& time);
// The same moment in a zone of the IANA database, read from the system's zoneinfo files; nothing
// when the zone is unknown.
std::optional<GoValue> in_time_zone(const GoValue& time, const std::string& zone);
// Go's zero time, the first of January of year 1.
inline constexpr GoTime kGoZeroTime =
    std::chrono::sys_days(std::chrono::year(1) / std::chrono::January / std::chrono::day(1));
// The layout that encoding/json writes times in.
inline constexpr std::string_view kGoRfc3339Nano = "2006-01-02T15:04:05.999999999Z07:00";
// time.Time.Sub: what no duration can say is the longest one.
Duration go_time_difference(GoTime later, GoTime earlier);
// time.Duration.Round: half a unit is rounded away from zero, and the longest durations stay.
Duration round_go_duration(Duration duration, Duration unit);
// time.Time.AddDate.
GoValue add_date(const GoValue& time, std::int64_t years, std::int64_t months, std::int64_t days);

}  // namespace coracle::charts
