#include "kube/apiserver/internal/strategies/workloads/cron_schedule.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "base/json/json.h"
#include "base/text.h"
#include "kube/apiserver/internal/strategies/field_check.h"

namespace coracle::kube::apiserver {

namespace {

struct CronField {
  std::int64_t minimum;
  std::int64_t maximum;
  std::string_view names;  // of the numbers from the minimum on, comma-separated
};

constexpr CronField kCronFields[] = {
    {0, 59, ""},
    {0, 23, ""},
    {1, 31, ""},
    {1, 12, "jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec"},
    {0, 6, "sun,mon,tue,wed,thu,fri,sat"},
};
constexpr std::string_view kDescriptors[] = {"@yearly", "@annually", "@monthly", "@weekly",
                                             "@daily",  "@midnight", "@hourly"};

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  std::size_t at = 0;
  while ((at = text.find_first_not_of(" \t\r\n", at)) != std::string_view::npos) {
    const std::size_t end = std::min(text.find_first_of(" \t\r\n", at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

std::optional<std::int64_t> cron_number(std::string_view text, const CronField& field) {
  if (!field.names.empty()) {
    const std::vector<std::string_view> names = split(field.names, ',');
    const auto found = std::find(names.begin(), names.end(), to_lower(text));
    if (found != names.end()) return field.minimum + (found - names.begin());
  }
  return parse_int(text);
}

std::string no_number(std::string_view text) {
  return "failed to parse int from " + std::string(text) + ": strconv.Atoi: parsing \"" + std::string(text) +
         "\": invalid syntax";
}

// One piece of a field: "*", "a", "a-b", each with an optional "/step".
std::string cron_range_fault(std::string_view text, const CronField& field) {
  const std::vector<std::string_view> parts = split(text, '/');
  const std::vector<std::string_view> ends = split(parts[0], '-');
  const std::string whole(text);
  if (parts.size() > 2) return "too many slashes: " + whole;
  std::int64_t begin = field.minimum, end = field.maximum;
  if (ends[0] != "*" && ends[0] != "?") {
    if (ends.size() > 2) return "too many hyphens: " + whole;
    const auto first = cron_number(ends[0], field);
    if (!first) return no_number(ends[0]);
    begin = *first;
    if (ends.size() == 2) {
      const auto last = cron_number(ends[1], field);
      if (!last) return no_number(ends[1]);
      end = *last;
    } else if (parts.size() == 1) {
      end = begin;
    }
  }
  if (parts.size() == 2) {
    const auto step = parse_int(parts[1]);
    if (!step) return no_number(parts[1]);
    if (*step <= 0) return "step of range should be a positive number: " + whole;
  }
  if (begin < field.minimum) {
    return "beginning of range (" + std::to_string(begin) + ") below minimum (" + std::to_string(field.minimum) +
           "): " + whole;
  }
  if (end > field.maximum) {
    return "end of range (" + std::to_string(end) + ") above maximum (" + std::to_string(field.maximum) + "): " + whole;
  }
  if (begin > end) {
    return "beginning of range (" + std::to_string(begin) + ") beyond end of range (" + std::to_string(end) +
           "): " + whole;
  }
  return {};
}

// What Go says about a text that is no duration.
std::string duration_fault(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789.";
  constexpr std::string_view kUnits[] = {"ns", "us", "µs", "μs", "ms", "s", "m", "h"};
  if (parse_duration(text).ok()) return {};
  const std::string shown = "duration " + json::write_raw(Value(text));
  std::string_view rest = text;
  if (rest.starts_with('-') || rest.starts_with('+')) rest.remove_prefix(1);
  while (!rest.empty()) {
    const std::size_t number = std::min(rest.find_first_not_of(kDigits), rest.size());
    if (number == 0) break;
    const std::size_t end = std::min(rest.find_first_of(kDigits, number), rest.size());
    const std::string_view unit = rest.substr(number, end - number);
    if (unit.empty()) return "time: missing unit in " + shown;
    if (!is_listed(unit, kUnits)) {
      return "time: unknown unit " + json::write_raw(Value(unit)) + " in " + shown;
    }
    rest.remove_prefix(end);
  }
  return "time: invalid " + shown;
}

std::string descriptor_fault(std::string_view text) {
  constexpr std::string_view kEvery = "@every ";
  if (is_listed(text, kDescriptors)) return {};
  if (!text.starts_with(kEvery)) return "unrecognized descriptor: " + std::string(text);
  const std::string fault = duration_fault(text.substr(kEvery.size()));
  return fault.empty() ? fault : "failed to parse duration " + std::string(text) + ": " + fault;
}

constexpr std::size_t kMaxZoneFile = 1U << 20U;
constexpr std::size_t kMaxZonePart = 14;
// Where systems keep their compiled time zones.
constexpr std::string_view kZoneFolders[] = {"/usr/share/zoneinfo/", "/usr/share/lib/zoneinfo/", "/usr/lib/locale/TZ/",
                                             "/etc/zoneinfo/"};

bool is_zone_part(std::string_view part) {
  constexpr std::string_view kMarks = ".-_+";
  if (part.empty() || part.size() > kMaxZonePart || part == "." || part == ".." || part.front() == '-') return false;
  return std::all_of(part.begin(), part.end(),
                     [&](char c) { return is_alphanumeric(c) || kMarks.find(c) != kMarks.npos; });
}

bool knows_zone(const std::string& zone) {
  if (zone == "UTC" || zone == "Local") return true;
  bool any_folder = false;
  for (const std::string_view folder : kZoneFolders) {
    const auto file = read_file(std::string(folder) + zone, kMaxZoneFile);
    if (file.ok() && file->starts_with("TZif")) return true;
    any_folder = any_folder || file_exists(std::string(folder));
  }
  return !any_folder;
}

}  // namespace

std::vector<std::string> time_zone_faults(std::string_view zone) {
  if (zone.empty()) return {"timeZone must be nil or non-empty string"};
  const std::string unknown = "unknown time zone " + std::string(zone);
  const std::vector<std::string_view> parts = split(zone, '/');
  if (!std::all_of(parts.begin(), parts.end(), is_zone_part)) return {unknown};
  std::vector<std::string> faults;
  if (to_lower(zone) == "local") {
    faults.emplace_back("timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones");
  }
  if (!knows_zone(std::string(zone))) faults.push_back(unknown);
  return faults;
}

std::string cron_schedule_fault(std::string_view schedule) {
  if (schedule.empty()) return "empty spec string";
  if (schedule.starts_with("TZ=") || schedule.starts_with("CRON_TZ=")) {
    const std::size_t begin = schedule.find('=') + 1, end = std::min(schedule.find(' '), schedule.size());
    const std::string zone(schedule.substr(begin, end - begin));
    if (!zone.empty() && !knows_zone(zone)) return "provided bad location " + zone + ": unknown time zone " + zone;
    schedule = trim(schedule.substr(end));
  }
  if (schedule.starts_with('@')) return descriptor_fault(schedule);
  const std::vector<std::string_view> words = words_of(schedule);
  if (words.size() != std::size(kCronFields)) {
    std::string shown;
    for (const std::string_view word : words) shown += (shown.empty() ? "" : " ") + std::string(word);
    return "expected exactly 5 fields, found " + std::to_string(words.size()) + ": [" + shown + "]";
  }
  for (std::size_t i = 0; i < words.size(); ++i) {
    for (const std::string_view piece : split(words[i], ',')) {
      std::string fault = cron_range_fault(piece, kCronFields[i]);
      if (!fault.empty()) return fault;
    }
  }
  return {};
}

}  // namespace coracle::kube::apiserver
