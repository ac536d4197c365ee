#include "base/yaml/internal/scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "base/text.h"

namespace coracle::yaml::internal {
namespace {

struct Word {
  std::string_view text;
  ScalarTag tag;
  double number;
};

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

constexpr std::array kWords = {
    Word{"", ScalarTag::Null, 0},
    Word{"~", ScalarTag::Null, 0},
    Word{"null", ScalarTag::Null, 0},
    Word{"Null", ScalarTag::Null, 0},
    Word{"NULL", ScalarTag::Null, 0},
    Word{"y", ScalarTag::Bool, 1},
    Word{"Y", ScalarTag::Bool, 1},
    Word{"yes", ScalarTag::Bool, 1},
    Word{"Yes", ScalarTag::Bool, 1},
    Word{"YES", ScalarTag::Bool, 1},
    Word{"on", ScalarTag::Bool, 1},
    Word{"On", ScalarTag::Bool, 1},
    Word{"ON", ScalarTag::Bool, 1},
    Word{"true", ScalarTag::Bool, 1},
    Word{"True", ScalarTag::Bool, 1},
    Word{"TRUE", ScalarTag::Bool, 1},
    Word{"n", ScalarTag::Bool, 0},
    Word{"N", ScalarTag::Bool, 0},
    Word{"no", ScalarTag::Bool, 0},
    Word{"No", ScalarTag::Bool, 0},
    Word{"NO", ScalarTag::Bool, 0},
    Word{"off", ScalarTag::Bool, 0},
    Word{"Off", ScalarTag::Bool, 0},
    Word{"OFF", ScalarTag::Bool, 0},
    Word{"false", ScalarTag::Bool, 0},
    Word{"False", ScalarTag::Bool, 0},
    Word{"FALSE", ScalarTag::Bool, 0},
    Word{".nan", ScalarTag::Float, kNotANumber},
    Word{".NaN", ScalarTag::Float, kNotANumber},
    Word{".NAN", ScalarTag::Float, kNotANumber},
    Word{".inf", ScalarTag::Float, kInfinity},
    Word{".Inf", ScalarTag::Float, kInfinity},
    Word{".INF", ScalarTag::Float, kInfinity},
    Word{"+.inf", ScalarTag::Float, kInfinity},
    Word{"+.Inf", ScalarTag::Float, kInfinity},
    Word{"+.INF", ScalarTag::Float, kInfinity},
    Word{"-.inf", ScalarTag::Float, -kInfinity},
    Word{"-.Inf", ScalarTag::Float, -kInfinity},
    Word{"-.INF", ScalarTag::Float, -kInfinity},
    Word{"<<", ScalarTag::Merge, 0},
};
constexpr std::size_t kLongestWord = 5;

std::size_t skip_digits(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
bool is_float_text(std::string_view text) {
  std::size_t at = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  std::size_t digits_end = skip_digits(text, at);
  const bool whole = digits_end > at;
  at = digits_end;
  if (at < text.size() && text[at] == '.') {
    digits_end = skip_digits(text, at + 1);
    if (!whole && digits_end == at + 1) return false;
    at = digits_end;
  } else if (!whole) {
    return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    digits_end = skip_digits(text, at);
    if (digits_end == at) return false;
    at = digits_end;
  }
  return at == text.size();
}

std::optional<double> parse_float(std::string_view text) {
  if (!is_float_text(text)) return std::nullopt;
  if (text[0] == '+') text.remove_prefix(1);
  double number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::result_out_of_range) {
    // Too large is no number for Go, too small is zero.
    const std::size_t exponent = text.find_first_of("eE");
    const bool tiny = exponent != std::string_view::npos && text.find('-', exponent) != std::string_view::npos;
    if (!tiny) return std::nullopt;
    return text[0] == '-' ? -0.0 : 0.0;
  }
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Base 2, 8 and 16 by prefix, 8 by a leading zero, else 10. `text` has no underscores.
std::optional<Scalar> parse_integer(std::string_view text) {
  const bool negative = text[0] == '-';
  const bool has_sign = negative || text[0] == '+';
  if (has_sign) text.remove_prefix(1);
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    switch (text[1]) {
      case 'x':
      case 'X':
        base = 16;
        break;
      case 'b':
      case 'B':
        base = 2;
        break;
      case 'o':
      case 'O':
        base = 8;
        break;
      default:
        break;
    }
    text.remove_prefix(base == 10 ? 1 : 2);
    if (base == 10) base = 8;
  }
  if (text.empty() || text[0] == '-' || text[0] == '+') return std::nullopt;
  std::uint64_t magnitude = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), magnitude, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  constexpr std::uint64_t kMaximum = std::numeric_limits<std::int64_t>::max();
  if (negative) {
    if (magnitude > kMaximum + 1) return std::nullopt;
    return Scalar{ScalarTag::Int, static_cast<std::int64_t>(0 - magnitude), 0, 0};
  }
  if (magnitude <= kMaximum) return Scalar{ScalarTag::Int, static_cast<std::int64_t>(magnitude), 0, 0};
  if (has_sign) return std::nullopt;
  return Scalar{ScalarTag::Unsigned, 0, magnitude, 0};
}

std::optional<int> take_number(std::string_view& text, std::size_t least, std::size_t most) {
  std::size_t count = 0;
  int value = 0;
  while (count < most && count < text.size() && is_digit(text[count])) {
    value = value * 10 + (text[count++] - '0');
  }
  if (count < least) return std::nullopt;
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text[0]) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

int days_in_month(int year, int month) {
  constexpr std::array kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[static_cast<std::size_t>(month - 1)];
}

bool is_zone(std::string_view text) {
  if (text == "Z") return true;
  if (!take(text, "+-")) return false;
  const auto hours = take_number(text, 2, 2);
  if (!hours || !take(text, ":")) return false;
  const auto minutes = take_number(text, 2, 2);
  return minutes && text.empty() && *hours <= 24 && *minutes < 60;
}

// The date forms of YAML 1.1 that go-yaml takes for times: a day, or a day and a time of day with a
// zone after 'T' or 't' and without one after a blank.
bool is_timestamp(std::string_view text) {
  const auto year = take_number(text, 4, 4);
  if (!year || !take(text, "-")) return false;
  const auto month = take_number(text, 1, 2);
  if (!month || *month < 1 || *month > 12 || !take(text, "-")) return false;
  const auto day = take_number(text, 1, 2);
  if (!day || *day < 1 || *day > days_in_month(*year, *month)) return false;
  if (text.empty()) return true;
  const bool with_zone = text[0] == 'T' || text[0] == 't';
  if (!take(text, "Tt ")) return false;
  const auto hour = take_number(text, 1, 2);
  if (!hour || *hour > 23 || !take(text, ":")) return false;
  const auto minute = take_number(text, 1, 2);
  if (!minute || *minute > 59 || !take(text, ":")) return false;
  const auto second = take_number(text, 1, 2);
  if (!second || *second > 59) return false;
  if (text.size() > 1 && (text[0] == '.' || text[0] == ',') && is_digit(text[1])) {
    text.remove_prefix(skip_digits(text, 1));
  }
  return with_zone ? is_zone(text) : text.empty();
}

// After a leading point an underscore counts only between digits; elsewhere it is dropped wherever it stands.
bool underscores_fit(std::string_view text) {
  if (text[0] != '.') return true;
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (text[at] == '_' && !(is_digit(text[at - 1]) && at + 1 < text.size() && is_digit(text[at + 1]))) return false;
  }
  return true;
}

Scalar resolve_number(std::string_view text) {
  if (is_timestamp(text)) return {ScalarTag::Timestamp, 0, 0, 0};
  if (!underscores_fit(text)) return {};
  std::string plain(text);
  plain.erase(std::remove(plain.begin(), plain.end(), '_'), plain.end());
  if (plain.empty()) return {};
  if (auto integer = parse_integer(plain)) return *integer;
  if (auto number = parse_float(plain)) return {ScalarTag::Float, 0, 0, *number};
  return {};
}

// Decimal digits and the place of the point, from the shortest scientific text.
std::string layout_g(std::string_view scientific) {
  const std::size_t e = scientific.find('e');
  const int exponent = [&] {
    int value = 0;
    std::string_view digits = scientific.substr(e + 1);
    if (digits[0] == '+') digits.remove_prefix(1);
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
  }();
  std::string mantissa(scientific.substr(0, e));
  constexpr int kShortestPrecision = 6;
  if (exponent < -4 || exponent >= kShortestPrecision) return std::string(scientific);
  std::string sign;
  if (mantissa[0] == '-') {
    sign = "-";
    mantissa.erase(0, 1);
  }
  mantissa.erase(std::remove(mantissa.begin(), mantissa.end(), '.'), mantissa.end());
  if (exponent < 0) return sign + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + mantissa;
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (mantissa.size() <= whole) return sign + mantissa + std::string(whole - mantissa.size(), '0');
  return sign + mantissa.substr(0, whole) + "." + mantissa.substr(whole);
}

}  // namespace

Scalar resolve_plain(std::string_view text) {
  if (text.size() <= kLongestWord) {
    for (const Word& word : kWords) {
      if (word.text == text)
        return {word.tag, word.tag == ScalarTag::Bool ? static_cast<int>(word.number) : 0, 0,
                word.tag == ScalarTag::Float ? word.number : 0};
    }
  }
  if (text.empty()) return {};
  const char first = text[0];
  if (first == '+' || first == '-' || first == '.' || is_digit(first)) return resolve_number(text);
  return {};
}

bool looks_sexagesimal(std::string_view text) {
  std::size_t at = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  if (at >= text.size() || !is_digit(text[at])) return false;
  while (at < text.size() && (is_digit(text[at]) || text[at] == '_')) ++at;
  std::size_t groups = 0;
  while (at + 1 < text.size() && text[at] == ':' && is_digit(text[at + 1])) {
    at += text[at + 1] <= '5' && at + 2 < text.size() && is_digit(text[at + 2]) ? 3 : 2;
    ++groups;
  }
  if (groups == 0) return false;
  if (at < text.size() && text[at] == '.') {
    ++at;
    while (at < text.size() && (is_digit(text[at]) || text[at] == '_')) ++at;
  }
  return at == text.size();
}

std::string format_g(double number, int bits) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "+Inf" : "-Inf";
  if (number == 0) return std::signbit(number) ? "-0" : "0";
  constexpr std::size_t kLongest = 40;
  std::array<char, kLongest> buffer;
  auto result =
      bits == 32 ? std::to_chars(buffer.data(), buffer.data() + buffer.size(), static_cast<float>(number),
                                 std::chars_format::scientific)
                 : std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::scientific);
  return layout_g({buffer.data(), static_cast<std::size_t>(result.ptr - buffer.data())});
}

std::string_view tag_name(ScalarTag tag) {
  switch (tag) {
    case ScalarTag::Null:
      return "!!null";
    case ScalarTag::Bool:
      return "!!bool";
    case ScalarTag::Int:
    case ScalarTag::Unsigned:
      return "!!int";
    case ScalarTag::Float:
      return "!!float";
    case ScalarTag::Merge:
      return "!!merge";
    case ScalarTag::Timestamp:
      return "!!timestamp";
    case ScalarTag::String:
      break;
  }
  return "!!str";
}

}  // namespace coracle::yaml::internal
