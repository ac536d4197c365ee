#include "charts/template/go_time.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "base/text.h"
#include "charts/template/go_quote.h"

namespace coracle::charts {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"January",   "February", "March",    "April",
                                                      "May",       "June",     "July",     "August",
                                                      "September", "October",  "November", "December"};
constexpr std::array<std::string_view, 7> kDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                   "Thursday", "Friday", "Saturday"};

enum class Part {
  LongMonth,
  ShortMonth,
  Month,
  ZeroMonth,
  LongWeekday,
  ShortWeekday,
  Day,
  SpaceDay,
  ZeroDay,
  YearDay,
  Hour,
  Hour12,
  ZeroHour12,
  Minute,
  ZeroMinute,
  Second,
  ZeroSecond,
  LongYear,
  Year,
  UpperNoon,
  LowerNoon,
  Zone,
  ZoneIso,
  ZoneIsoColon,
  ZoneIsoHours,
  ZoneNumber,
  ZoneColon,
  ZoneHours,
  Fraction,
  FractionTrimmed,
};

struct PartText {
  std::string_view text;
  Part part;
};

// Longer texts before their prefixes.
constexpr std::array<PartText, 31> kParts = {{{"January", Part::LongMonth},
                                              {"Jan", Part::ShortMonth},
                                              {"Monday", Part::LongWeekday},
                                              {"Mon", Part::ShortWeekday},
                                              {"MST", Part::Zone},
                                              {"002", Part::YearDay},
                                              {"01", Part::ZeroMonth},
                                              {"02", Part::ZeroDay},
                                              {"03", Part::ZeroHour12},
                                              {"04", Part::ZeroMinute},
                                              {"05", Part::ZeroSecond},
                                              {"06", Part::Year},
                                              {"2006", Part::LongYear},
                                              {"_2006", Part::LongYear},
                                              {"15", Part::Hour},
                                              {"PM", Part::UpperNoon},
                                              {"pm", Part::LowerNoon},
                                              {"-07:00", Part::ZoneColon},
                                              {"-0700", Part::ZoneNumber},
                                              {"-07", Part::ZoneHours},
                                              {"Z07:00", Part::ZoneIsoColon},
                                              {"Z0700", Part::ZoneIso},
                                              {"Z07", Part::ZoneIsoHours},
                                              {"_2", Part::SpaceDay},
                                              {"1", Part::Month},
                                              {"2", Part::Day},
                                              {"3", Part::Hour12},
                                              {"4", Part::Minute},
                                              {"5", Part::Second},
                                              {"", Part::Fraction},
                                              {"", Part::FractionTrimmed}}};

bool digit_at(std::string_view text, std::size_t at) {
  return at < text.size() && is_digit(text[at]);
}

// A run of zeros or nines after '.' or ',' that no digit follows; its length with the point, or 0.
std::size_t fraction_length(std::string_view layout) {
  if (layout.size() < 2 || (layout[0] != '.' && layout[0] != ',') || (layout[1] != '0' && layout[1] != '9')) return 0;
  std::size_t end = 1;
  while (end < layout.size() && layout[end] == layout[1]) ++end;
  return digit_at(layout, end) ? 0 : end;
}

// The part at the start of a layout, if one starts there.
std::optional<PartText> part_at(std::string_view layout) {
  if (const std::size_t length = fraction_length(layout); length > 0) {
    return PartText{layout.substr(0, length), layout[1] == '0' ? Part::Fraction : Part::FractionTrimmed};
  }
  for (const PartText& part : kParts) {
    if (part.text.empty() || !layout.starts_with(part.text)) continue;
    if (part.part == Part::ShortMonth && layout.starts_with("January")) continue;
    // "Janet" holds no month.
    if (part.part == Part::ShortMonth && layout.size() > 3 && layout[3] >= 'a' && layout[3] <= 'z') continue;
    if (part.text == "_2006") return PartText{"_", Part::Fraction};  // a literal '_' before a year
    return part;
  }
  return std::nullopt;
}

void append_number(std::string& out, int value, int width, char fill = '0') {
  if (value < 0) out += '-';
  std::string digits = std::to_string(std::abs(value));
  while (static_cast<int>(digits.size()) < width) digits.insert(0, 1, fill);
  out += digits;
}

void append_offset(std::string& out, int offset, bool colon, bool minutes) {
  out += offset < 0 ? '-' : '+';
  const int total = std::abs(offset) / 60;
  append_number(out, total / 60, 2);
  if (!minutes) return;
  if (colon) out += ':';
  append_number(out, total % 60, 2);
}

void append_fraction(std::string& out, const PartText& part, int nanosecond) {
  std::array<char, 16> digits;
  std::snprintf(digits.data(), digits.size(), "%09d", nanosecond);
  std::string text(digits.data(), std::min<std::size_t>(part.text.size() - 1, 9));
  if (part.part == Part::FractionTrimmed) {
    while (!text.empty() && text.back() == '0') text.pop_back();
    if (text.empty()) return;
  }
  out += part.text[0];
  out += text;
}

void append_zone(std::string& out, Part part, const GoValue& time) {
  const int offset = time.zone_offset();
  switch (part) {
    case Part::Zone:
      if (!time.zone_name().empty()) {
        out += time.zone_name();
      } else {
        append_offset(out, offset, false, offset % 3600 != 0);
      }
      return;
    case Part::ZoneIso:
    case Part::ZoneIsoColon:
    case Part::ZoneIsoHours:
      if (offset == 0) {
        out += 'Z';
        return;
      }
      break;
    default:
      break;
  }
  const bool colon = part == Part::ZoneColon || part == Part::ZoneIsoColon;
  append_offset(out, offset, colon, part != Part::ZoneHours && part != Part::ZoneIsoHours);
}

// A part that is a number, and the fewest digits that it is written with.
struct NumberPart {
  Part part;
  int (*number)(const CivilTime& civil);
  int width;
  char fill = '0';
};

int hour12(const CivilTime& civil) {
  return civil.hour % 12 == 0 ? 12 : civil.hour % 12;
}

constexpr std::array kNumberParts = {
    NumberPart{Part::Month, [](const CivilTime& civil) { return static_cast<int>(civil.month); }, 0},
    NumberPart{Part::ZeroMonth, [](const CivilTime& civil) { return static_cast<int>(civil.month); }, 2},
    NumberPart{Part::Day, [](const CivilTime& civil) { return static_cast<int>(civil.day); }, 0},
    NumberPart{Part::SpaceDay, [](const CivilTime& civil) { return static_cast<int>(civil.day); }, 2, ' '},
    NumberPart{Part::ZeroDay, [](const CivilTime& civil) { return static_cast<int>(civil.day); }, 2},
    NumberPart{Part::YearDay, [](const CivilTime& civil) { return civil.year_day; }, 3},
    NumberPart{Part::Hour, [](const CivilTime& civil) { return civil.hour; }, 2},
    NumberPart{Part::Hour12, hour12, 0},
    NumberPart{Part::ZeroHour12, hour12, 2},
    NumberPart{Part::Minute, [](const CivilTime& civil) { return civil.minute; }, 0},
    NumberPart{Part::ZeroMinute, [](const CivilTime& civil) { return civil.minute; }, 2},
    NumberPart{Part::Second, [](const CivilTime& civil) { return civil.second; }, 0},
    NumberPart{Part::ZeroSecond, [](const CivilTime& civil) { return civil.second; }, 2},
    NumberPart{Part::LongYear, [](const CivilTime& civil) { return civil.year; }, 4},
    NumberPart{Part::Year, [](const CivilTime& civil) { return std::abs(civil.year) % 100; }, 2},
};

void append_part(std::string& out, const PartText& part, const CivilTime& civil, const GoValue& time) {
  for (const NumberPart& row : kNumberParts) {
    if (row.part == part.part) return append_number(out, row.number(civil), row.width, row.fill);
  }
  switch (part.part) {
    case Part::LongMonth:
      out += kMonths[civil.month - 1];
      break;
    case Part::ShortMonth:
      out += kMonths[civil.month - 1].substr(0, 3);
      break;
    case Part::LongWeekday:
      out += kDays[civil.weekday];
      break;
    case Part::ShortWeekday:
      out += kDays[civil.weekday].substr(0, 3);
      break;
    case Part::UpperNoon:
      out += civil.hour >= 12 ? "PM" : "AM";
      break;
    case Part::LowerNoon:
      out += civil.hour >= 12 ? "pm" : "am";
      break;
    case Part::Fraction:
    case Part::FractionTrimmed:
      if (part.text == "_") {
        out += '_';
      } else {
        append_fraction(out, part, civil.nanosecond);
      }
      break;
    default:
      append_zone(out, part.part, time);
  }
}

// Takes up to `most` and at least `least` digits off the front.
std::optional<int> take_number(std::string_view& text, std::size_t least, std::size_t most) {
  std::size_t count = 0;
  int value = 0;
  while (count < most && digit_at(text, count)) value = value * 10 + (text[count++] - '0');
  if (count < least) return std::nullopt;
  text.remove_prefix(count);
  return value;
}

template <std::size_t N>
std::optional<int> take_name(std::string_view& text, const std::array<std::string_view, N>& names, bool abbreviated) {
  for (std::size_t i = 0; i < N; ++i) {
    const std::string_view name = abbreviated ? names[i].substr(0, 3) : names[i];
    if (text.size() < name.size()) continue;
    bool same = true;
    for (std::size_t c = 0; c < name.size(); ++c) same = same && (text[c] | 0x20) == (name[c] | 0x20);
    if (!same) continue;
    text.remove_prefix(name.size());
    return static_cast<int>(i);
  }
  return std::nullopt;
}

struct ParsedTime {
  int year = 0;
  int month = 1;
  int day = 1;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int nanosecond = 0;
  int offset = 0;
  std::string zone = "UTC";
  bool afternoon = false;
  bool noon_given = false;
};

bool take_offset(std::string_view& text, ParsedTime& parsed, bool colon, bool minutes) {
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return false;
  const int sign = text[0] == '-' ? -1 : 1;
  text.remove_prefix(1);
  const auto hours = take_number(text, 2, 2);
  if (!hours) return false;
  int total = *hours * 3600;
  if (minutes) {
    if (colon) {
      if (!text.starts_with(':')) return false;
      text.remove_prefix(1);
    }
    const auto rest = take_number(text, 2, 2);
    if (!rest) return false;
    total += *rest * 60;
  }
  parsed.offset = sign * total;
  parsed.zone = total == 0 ? "UTC" : "";
  return true;
}

bool take_zone(std::string_view& text, ParsedTime& parsed, Part part) {
  if (part == Part::Zone) {
    std::size_t length = 0;
    while (length < text.size() && text[length] >= 'A' && text[length] <= 'Z') ++length;
    // As Go has it: three letters, four or five that end in T, and one exception.
    const std::string_view name = text.substr(0, length);
    if (length < 3 || length > 5 || (length > 3 && !name.ends_with('T') && name != "WITA")) return false;
    parsed.zone = text.substr(0, length);
    text.remove_prefix(length);
    return true;
  }
  const bool iso = part == Part::ZoneIso || part == Part::ZoneIsoColon || part == Part::ZoneIsoHours;
  if (iso && text.starts_with('Z')) {
    text.remove_prefix(1);
    return true;
  }
  return take_offset(text, parsed, part == Part::ZoneColon || part == Part::ZoneIsoColon,
                     part != Part::ZoneHours && part != Part::ZoneIsoHours);
}

bool take_fraction(std::string_view& text, ParsedTime& parsed) {
  if (text.empty() || (text[0] != '.' && text[0] != ',') || !digit_at(text, 1)) return false;
  text.remove_prefix(1);
  int scale = 100'000'000;
  parsed.nanosecond = 0;
  while (digit_at(text, 0)) {
    parsed.nanosecond += (text[0] - '0') * scale;
    scale /= 10;
    text.remove_prefix(1);
  }
  return true;
}

bool store(std::optional<int> value, int& field) {
  if (value) field = *value;
  return value.has_value();
}

bool take_part(std::string_view& text, ParsedTime& parsed, const PartText& part) {
  int ignored = 0;
  switch (part.part) {
    case Part::LongMonth:
    case Part::ShortMonth:
      if (!store(take_name(text, kMonths, part.part == Part::ShortMonth), parsed.month)) return false;
      ++parsed.month;
      return true;
    case Part::LongWeekday:
    case Part::ShortWeekday:
      return store(take_name(text, kDays, part.part == Part::ShortWeekday), ignored);
    case Part::Month:
    case Part::ZeroMonth:
      return store(take_number(text, part.part == Part::Month ? 1 : 2, 2), parsed.month);
    case Part::Day:
    case Part::SpaceDay:
    case Part::ZeroDay:
      while (part.part == Part::SpaceDay && text.starts_with(' ')) text.remove_prefix(1);
      return store(take_number(text, part.part == Part::ZeroDay ? 2 : 1, 2), parsed.day);
    case Part::YearDay:
      if (!store(take_number(text, 3, 3), parsed.day)) return false;
      parsed.month = 1;
      return true;
    case Part::Hour:
    case Part::Hour12:
    case Part::ZeroHour12:
      return store(take_number(text, part.part == Part::ZeroHour12 ? 2 : 1, 2), parsed.hour);
    case Part::Minute:
    case Part::ZeroMinute:
      return store(take_number(text, part.part == Part::Minute ? 1 : 2, 2), parsed.minute);
    case Part::Second:
    case Part::ZeroSecond:
      return store(take_number(text, part.part == Part::Second ? 1 : 2, 2), parsed.second);
    case Part::LongYear:
      return store(take_number(text, 4, 4), parsed.year);
    case Part::Year:
      if (!store(take_number(text, 2, 2), parsed.year)) return false;
      parsed.year += parsed.year >= 69 ? 1900 : 2000;
      return true;
    case Part::UpperNoon:
    case Part::LowerNoon:
      parsed.noon_given = text.size() >= 2 && (text[1] | 0x20) == 'm';
      parsed.afternoon = parsed.noon_given && (text[0] | 0x20) == 'p';
      if (parsed.noon_given) text.remove_prefix(2);
      return parsed.noon_given;
    case Part::Fraction:
    case Part::FractionTrimmed:
      if (part.text != "_") return take_fraction(text, parsed) || part.part == Part::FractionTrimmed;
      if (!text.starts_with('_')) return false;
      text.remove_prefix(1);
      return true;
    default:
      return take_zone(text, parsed, part.part);
  }
}

bool in_range(const ParsedTime& parsed) {
  const std::chrono::year_month_day last{std::chrono::year(parsed.year) /
                                         std::chrono::month(static_cast<unsigned>(parsed.month)) / std::chrono::last};
  const bool date = parsed.month >= 1 && parsed.month <= 12 && parsed.day >= 1;
  return date && parsed.hour < 24 && parsed.minute < 60 && parsed.second < 60 &&
         (parsed.day <= static_cast<int>(static_cast<unsigned>(last.day())) || parsed.month == 1);
}

GoValue make_time(const ParsedTime& parsed) {
  const std::chrono::sys_days start =
      std::chrono::year(parsed.year) / std::chrono::month(static_cast<unsigned>(parsed.month)) / std::chrono::day(1);
  const auto in_day = std::chrono::hours(parsed.hour) + std::chrono::minutes(parsed.minute) +
                      std::chrono::seconds(parsed.second - parsed.offset) + std::chrono::nanoseconds(parsed.nanosecond);
  return GoValue::time(GoTime(start) + std::chrono::days(parsed.day - 1) + in_day, parsed.offset, parsed.zone);
}

}  // namespace

CivilTime civil_time(const GoValue& time) {
  const auto local = time.as_time() + std::chrono::seconds(time.zone_offset());
  const auto day = std::chrono::floor<std::chrono::days>(local);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::duration_cast<std::chrono::nanoseconds>(local - day));
  const std::chrono::sys_days year_start = date.year() / std::chrono::January / std::chrono::day(1);
  return {static_cast<int>(date.year()),
          static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()),
          static_cast<int>(clock.hours().count()),
          static_cast<int>(clock.minutes().count()),
          static_cast<int>(clock.seconds().count()),
          static_cast<int>(clock.subseconds().count()),
          std::chrono::weekday(day).c_encoding(),
          static_cast<int>((day - year_start).count()) + 1};
}

std::string format_go_time(const GoValue& time, std::string_view layout) {
  const CivilTime civil = civil_time(time);
  std::string out;
  while (!layout.empty()) {
    const std::optional<PartText> part = part_at(layout);
    if (!part) {
      out += layout[0];
      layout.remove_prefix(1);
      continue;
    }
    append_part(out, *part, civil, time);
    layout.remove_prefix(part->text.size());
  }
  return out;
}

Result<GoValue> parse_go_time(std::string_view layout, std::string_view text) {
  const std::string whole_layout(layout);
  const std::string whole_text(text);
  ParsedTime parsed;
  while (!layout.empty()) {
    const std::optional<PartText> part = part_at(layout);
    const std::string_view element = part ? part->text : layout.substr(0, 1);
    const std::string_view before = text;
    bool taken = false;
    if (part) {
      taken = take_part(text, parsed, *part);
      const bool seconds = part->part == Part::ZeroSecond || part->part == Part::Second;
      // A fraction may follow the seconds although the layout has none.
      if (taken && seconds && fraction_length(layout.substr(element.size())) == 0) take_fraction(text, parsed);
    } else if (text.starts_with(element)) {
      text.remove_prefix(1);
      taken = true;
    }
    if (!taken) {
      return bad_request("parsing time " + go_quote(whole_text) + " as " + go_quote(whole_layout) + ": cannot parse " +
                         go_quote(before) + " as " + go_quote(part ? element : layout));
    }
    layout.remove_prefix(element.size());
  }
  if (!text.empty()) {
    return bad_request("parsing time " + go_quote(whole_text) + ": extra text: " + go_quote(text));
  }
  if (parsed.noon_given && parsed.hour <= 12) parsed.hour = parsed.hour % 12 + (parsed.afternoon ? 12 : 0);
  if (!in_range(parsed)) return bad_request("parsing time " + go_quote(whole_text) + ": day out of range");
  return make_time(parsed);
}

std::string go_time_text(const GoValue& time) {
  return format_go_time(time, "2006-01-02 15:04:05.999999999 -0700 MST");
}

Duration go_time_difference(GoTime later, GoTime earlier) {
  const GoTime::duration difference = later - earlier;
  if (difference > Duration::max()) return Duration::max();
  return difference < Duration::min() ? Duration::min() : Duration(static_cast<std::int64_t>(difference.count()));
}

Duration round_go_duration(Duration duration, Duration unit) {
  if (unit <= Duration::zero()) return duration;
  const __int128 whole = duration.count() / unit.count();
  const __int128 rest = duration.count() % unit.count();
  const __int128 away = rest * 2 >= unit.count() ? 1 : rest * 2 <= -unit.count() ? -1 : 0;
  return go_time_difference(GoTime(GoTime::duration((whole + away) * unit.count())), GoTime());
}

GoValue add_date(const GoValue& time, std::int64_t years, std::int64_t months, std::int64_t days) {
  // More than the calendar has is the end of the calendar.
  constexpr std::int64_t kMostYears = 2 * static_cast<int>(std::chrono::year::max());
  const auto bounded = [](std::int64_t count, std::int64_t in_year) {
    return std::clamp(count, -kMostYears * in_year, kMostYears * in_year);
  };
  const CivilTime civil = civil_time(time);
  const std::int64_t month_index = static_cast<std::int64_t>(civil.month) - 1 + bounded(months, 12);
  const std::int64_t year_shift = month_index >= 0 ? month_index / 12 : -((11 - month_index) / 12);
  const std::int64_t year = civil.year + bounded(years, 1) + year_shift;
  ParsedTime parsed;
  parsed.year = static_cast<int>(std::clamp<std::int64_t>(year, static_cast<int>(std::chrono::year::min()),
                                                          static_cast<int>(std::chrono::year::max())));
  parsed.month = static_cast<int>(month_index - year_shift * 12 + 1);
  parsed.day = static_cast<int>(civil.day + bounded(days, 366));
  parsed.hour = civil.hour;
  parsed.minute = civil.minute;
  parsed.second = civil.second;
  parsed.nanosecond = civil.nanosecond;
  parsed.offset = time.zone_offset();
  parsed.zone = time.zone_name();
  return make_time(parsed);
}

}  // namespace coracle::charts
