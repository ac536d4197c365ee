#include "kube/schema/internal/formats.h"

#include <algorithm>
#include <array>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/text.h"
#include "kube/schema/internal/address_formats.h"
#include "kube/schema/internal/pattern.h"

namespace coracle::kube::internal {
namespace {

// "2006-01-02"
bool is_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  return parse_time(std::string(text) + "T00:00:00Z").ok();
}

// A date, "t", and a time of day with its offset from UTC. Nothing looks at what follows another "t", nor at the
// offset's size.
bool is_date_time(std::string_view text) {
  static const auto kTime = Pattern::known("^([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(.[0-9]+)?(z|[+-][0-9]{2}:[0-9]{2})$");
  const std::string lower = to_lower(text);
  const std::vector<std::string_view> parts = split(lower, 't');
  return parts.size() >= 2 && is_date(parts[0]) && kTime->matches(parts[1]);
}

struct LongUnit {
  std::string_view unit;
  bool is_prefix;  // "day" also stands for "days" and whatever else begins so
};
constexpr std::array kLongUnits = {
    LongUnit{"ns", false},   LongUnit{"nano", true}, LongUnit{"us", false},   LongUnit{"\u00b5s", false},
    LongUnit{"micro", true}, LongUnit{"ms", false},  LongUnit{"milli", true}, LongUnit{"s", false},
    LongUnit{"sec", true},   LongUnit{"m", false},   LongUnit{"min", true},   LongUnit{"h", false},
    LongUnit{"hr", false},   LongUnit{"hour", true}, LongUnit{"d", false},    LongUnit{"day", true},
    LongUnit{"w", false},    LongUnit{"wk", false},  LongUnit{"week", true}};

bool is_long_unit(const std::string& unit) {
  return std::any_of(kLongUnits.begin(), kLongUnits.end(), [&](const LongUnit& one) {
    return one.is_prefix ? unit.starts_with(one.unit) : unit == one.unit;
  });
}

// Numbers with names of units wherever they stand in the text ("2 days and 1 hour"): one of them must be known.
bool has_long_duration(std::string_view text) {
  bool known = false;
  for (std::size_t i = 0; i < text.size();) {
    if (!is_digit(text[i])) {
      ++i;
      continue;
    }
    const std::size_t digits_end = std::min(text.find_first_not_of("0123456789", i), text.size());
    const std::size_t unit_begin = std::min(text.find_first_not_of(" \t\n\f\r", digits_end), text.size());
    std::size_t unit_end = unit_begin;
    for (bool more = true; more;) {
      const bool micro = text.substr(unit_end, 2) == "\u00b5";
      const char c = unit_end < text.size() ? text[unit_end] : '0';
      more = micro || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      if (more) unit_end += micro ? 2 : 1;
    }
    if (unit_end > unit_begin) {
      if (!parse_int(text.substr(i, digits_end - i))) return false;
      known = known || is_long_unit(to_lower(text.substr(unit_begin, unit_end - unit_begin)));
    }
    i = unit_end;
  }
  return known;
}

bool is_duration(std::string_view text) {
  return parse_duration(text).ok() || has_long_duration(text);
}

bool is_anything(std::string_view) {
  return true;
}

// Digits of a book number, X counting ten at the end of the short form.
bool is_isbn10(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c != '-' && c != ' ') digits += c;
  }
  if (digits.size() != 10) return false;
  int sum = 0;
  for (std::size_t i = 0; i < 10; ++i) {
    const bool ten = i == 9 && digits[i] == 'X';
    if (!ten && !is_digit(digits[i])) return false;
    sum += static_cast<int>(i + 1) * (ten ? 10 : digits[i] - '0');
  }
  return sum % 11 == 0;
}

bool is_isbn13(std::string_view text) {
  int sum = 0;
  std::size_t count = 0;
  for (const char c : text) {
    if (c == '-' || c == ' ') continue;
    if (!is_digit(c)) return false;
    sum += (count++ % 2 == 0 ? 1 : 3) * (c - '0');
  }
  return count == 13 && sum % 10 == 0;
}

bool is_isbn(std::string_view text) {
  return is_isbn10(text) || is_isbn13(text);
}

// A number of one of the large issuers whose weighted sum ends in zero; what is no digit does not count.
bool is_credit_card(std::string_view text) {
  static const auto kIssuers = Pattern::known(
      "^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|"
      "3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\\d{3})\\d{11})$");
  std::string digits;
  for (const char c : text) {
    if (is_digit(c)) digits += c;
  }
  if (!kIssuers->matches(digits)) return false;
  int sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    int digit = digits[digits.size() - 1 - i] - '0';
    if (i % 2 == 1) digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
    sum += digit;
  }
  return sum % 10 == 0;
}

bool is_short_name(std::string_view text) {
  static const auto kName = Pattern::known("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$");
  return text.size() <= 63 && kName->matches(text);
}

bool is_long_name(std::string_view text) {
  static const auto kName = Pattern::known("^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$");
  return text.size() <= 253 && kName->matches(text);
}

struct FormatRow {
  std::string_view name;
  bool (*matches)(std::string_view);
  std::string_view pattern;  // where no code is needed
};

constexpr std::array kFormats = {
    FormatRow{"bsonobjectid", nullptr, "^[0-9a-fA-F]{24}$"},
    FormatRow{"byte", nullptr, "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$"},
    FormatRow{"cidr", is_cidr_text, ""},
    FormatRow{"creditcard", is_credit_card, ""},
    FormatRow{"date", is_date, ""},
    FormatRow{"datetime", is_date_time, ""},
    FormatRow{"duration", is_duration, ""},
    FormatRow{"email", is_email_address, ""},
    FormatRow{"hexcolor", nullptr, "^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$"},
    FormatRow{"hostname", is_hostname, ""},
    FormatRow{"ipv4", is_ipv4_text, ""},
    FormatRow{"ipv6", is_ipv6_text, ""},
    FormatRow{"isbn", is_isbn, ""},
    FormatRow{"isbn10", is_isbn10, ""},
    FormatRow{"isbn13", is_isbn13, ""},
    FormatRow{"k8slongname", is_long_name, ""},
    FormatRow{"k8sshortname", is_short_name, ""},
    FormatRow{"mac", is_mac, ""},
    FormatRow{"password", is_anything, ""},
    FormatRow{
        "rgbcolor", nullptr,
        "^rgb\\(\\s*(0|[1-9]\\d?|1\\d\\d?|2[0-4]\\d|25[0-5])\\s*,\\s*(0|[1-9]\\d?|1\\d\\d?|2[0-4]\\d|25[0-5])\\s*,"
        "\\s*(0|[1-9]\\d?|1\\d\\d?|2[0-4]\\d|25[0-5])\\s*\\)$"},
    FormatRow{"ssn", nullptr, "^\\d{3}[- ]\\d{2}[- ]\\d{4}$"},
    FormatRow{"uri", is_request_uri, ""},
    FormatRow{"uuid", nullptr, "(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$"},
    FormatRow{"uuid3", nullptr, "(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$"},
    FormatRow{"uuid4", nullptr, "(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$"},
    FormatRow{"uuid5", nullptr, "(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$"},
};

const FormatRow* find_format(std::string_view name) {
  const auto found =
      std::find_if(kFormats.begin(), kFormats.end(), [&](const FormatRow& row) { return row.name == name; });
  return found == kFormats.end() ? nullptr : &*found;
}

const Pattern* format_pattern(const FormatRow& row) {
  static const auto kPatterns = [] {
    std::unordered_map<std::string_view, std::unique_ptr<const Pattern>> patterns;
    for (const FormatRow& one : kFormats) {
      if (one.pattern.empty()) continue;
      patterns[one.name] = Pattern::known(one.pattern);
    }
    return patterns;
  }();
  const auto found = kPatterns.find(row.name);
  return found == kPatterns.end() ? nullptr : found->second.get();
}

}  // namespace

std::string known_format(std::string_view format) {
  std::string name(format);
  name.erase(std::remove(name.begin(), name.end(), '-'), name.end());
  return find_format(name) == nullptr ? std::string() : name;
}

bool matches_format(std::string_view format, std::string_view text) {
  std::string name(format);
  name.erase(std::remove(name.begin(), name.end(), '-'), name.end());
  const FormatRow* row = find_format(name);
  if (row == nullptr) return true;
  if (row->matches != nullptr) return row->matches(text);
  const Pattern* pattern = format_pattern(*row);
  return pattern == nullptr || pattern->matches(text);
}

}  // namespace coracle::kube::internal
