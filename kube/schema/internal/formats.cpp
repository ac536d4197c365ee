#include "kube/schema/internal/formats.h"

#include <algorithm>
#include <array>
#include <memory>
#include <unordered_map>

#include "base/clock.h"
#include "base/ip.h"
#include "base/text.h"
#include "base/tls/crypto.h"
#include "kube/schema/internal/pattern.h"

namespace coracle::kube::internal {
namespace {

bool is_ipv4(std::string_view text) {
  return ip_family(text) == "IPv4";
}
bool is_ipv6(std::string_view text) {
  return ip_family(text) == "IPv6";
}

// "2006-01-02"
bool is_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  return parse_time(std::string(text) + "T00:00:00Z").ok();
}

bool is_date_time(std::string_view text) {
  return parse_time(text).ok();
}

// Go's durations, and a number with the long names of units ("2 days").
bool is_duration(std::string_view text) {
  if (parse_duration(text).ok()) return true;
  static const auto kLong = Pattern::compile(
      "^\\s*[0-9]+(\\.[0-9]+)?\\s*(ns|us|ms|s|m|h|d|w|(nano|micro|milli)(second)?s?|nanos?|micros?|millis?|"
      "seconds?|minutes?|min|hours?|hr|days?|weeks?|wk)\\s*$");
  return kLong.ok() && (*kLong)->matches(text);
}

bool is_uri(std::string_view text) {
  if (text.empty() || text.front() == '#') return false;
  if (text.front() == '/') return true;
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7F; });
}

bool is_email(std::string_view text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos || at == 0 || at + 1 == text.size()) return false;
  return text.find_first_of(" \t\r\n") == std::string_view::npos;
}

// Labels of letters, digits and inner dashes between dots (RFC 1123), at most 63 and together 255 long. Letters beyond
// ASCII are accepted, as in names before they are encoded.
bool is_hostname(std::string_view text) {
  constexpr std::size_t kMaximumHostname = 255;
  constexpr std::size_t kMaximumLabel = 63;
  if (text.empty() || text.size() > kMaximumHostname) return false;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find('.', begin), text.size());
    const std::string_view label = text.substr(begin, end - begin);
    if (label.empty() || label.size() > kMaximumLabel || label.front() == '-' || label.back() == '-') return false;
    for (const char c : label) {
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
      if (!letter && !is_digit(c) && c != '-') return false;
    }
    begin = end + 1;
  }
  return true;
}

bool is_base64(std::string_view text) {
  return crypto::base64_decode(text).ok();
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

// Sixteen digits or so whose weighted sum ends in zero.
bool is_credit_card(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (is_digit(c)) digits += c;
  }
  if (digits.size() < 13 || digits.size() > 16) return false;
  int sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    int digit = digits[digits.size() - 1 - i] - '0';
    if (i % 2 == 1) digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
    sum += digit;
  }
  return sum % 10 == 0;
}

bool is_short_name(std::string_view text) {
  static const auto kName = Pattern::compile("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$");
  return text.size() <= 63 && kName.ok() && (*kName)->matches(text);
}

bool is_long_name(std::string_view text) {
  static const auto kName = Pattern::compile("^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$");
  return text.size() <= 253 && kName.ok() && (*kName)->matches(text);
}

struct FormatRow {
  std::string_view name;
  bool (*matches)(std::string_view);
  std::string_view pattern;  // where no code is needed
};

constexpr std::array kFormats = {
    FormatRow{"bsonobjectid", nullptr, "^[0-9a-fA-F]{24}$"},
    FormatRow{"byte", is_base64, ""},
    FormatRow{"cidr", is_cidr, ""},
    FormatRow{"creditcard", is_credit_card, ""},
    FormatRow{"date", is_date, ""},
    FormatRow{"datetime", is_date_time, ""},
    FormatRow{"duration", is_duration, ""},
    FormatRow{"email", is_email, ""},
    FormatRow{"hexcolor", nullptr, "^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$"},
    FormatRow{"hostname", is_hostname, ""},
    FormatRow{"ipv4", is_ipv4, ""},
    FormatRow{"ipv6", is_ipv6, ""},
    FormatRow{"isbn", is_isbn, ""},
    FormatRow{"isbn10", is_isbn10, ""},
    FormatRow{"isbn13", is_isbn13, ""},
    FormatRow{"k8slongname", is_long_name, ""},
    FormatRow{"k8sshortname", is_short_name, ""},
    FormatRow{"mac", nullptr,
              "^([0-9a-fA-F]{2}([:-])[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){4}([:-][0-9a-fA-F]{2}){0,14}|"
              "[0-9a-fA-F]{4}(\\.[0-9a-fA-F]{4}){2}(\\.[0-9a-fA-F]{4})?)$"},
    FormatRow{"password", is_anything, ""},
    FormatRow{
        "rgbcolor", nullptr,
        "^rgb\\(\\s*(0|[1-9]\\d?|1\\d\\d?|2[0-4]\\d|25[0-5])\\s*,\\s*(0|[1-9]\\d?|1\\d\\d?|2[0-4]\\d|25[0-5])\\s*,"
        "\\s*(0|[1-9]\\d?|1\\d\\d?|2[0-4]\\d|25[0-5])\\s*\\)$"},
    FormatRow{"ssn", nullptr, "^\\d{3}[- ]?\\d{2}[- ]?\\d{4}$"},
    FormatRow{"uri", is_uri, ""},
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
      auto compiled = Pattern::compile(one.pattern);
      if (compiled.ok()) patterns[one.name] = std::move(compiled).value();
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
