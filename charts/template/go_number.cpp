#include "charts/template/go_number.h"

#include <charconv>
#include <limits>
#include <string>

namespace coracle::charts {
namespace {

// Underscores may stand only between digits or after a base prefix. Answers false otherwise.
bool strip_underscores(std::string_view text, std::string& out) {
  char previous = '^';
  std::size_t i = 0;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) out += text[i++];
  bool hexadecimal = false;
  if (text.size() >= i + 2 && text[i] == '0') {
    const char marker = static_cast<char>(text[i + 1] | 0x20);
    if (marker == 'x' || marker == 'o' || marker == 'b') {
      out.append(text.substr(i, 2));
      i += 2;
      previous = '0';
      hexadecimal = marker == 'x';
    }
  }
  for (; i < text.size(); ++i) {
    const char c = text[i];
    const char lower = static_cast<char>(c | 0x20);
    const bool digit = (c >= '0' && c <= '9') || (hexadecimal && lower >= 'a' && lower <= 'f');
    if (c == '_') {
      if (previous != '0') return false;
      previous = '_';
      continue;
    }
    if (!digit && previous == '_') return false;
    previous = digit ? '0' : '!';
    out += c;
  }
  return previous != '_';
}

int detect_base(std::string_view& digits) {
  if (digits.size() < 2 || digits[0] != '0') return 10;
  switch (digits[1] | 0x20) {
    case 'x':
      digits.remove_prefix(2);
      return 16;
    case 'o':
      digits.remove_prefix(2);
      return 8;
    case 'b':
      digits.remove_prefix(2);
      return 2;
    default:
      digits.remove_prefix(1);
      return 8;
  }
}

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((text[i] | 0x20) != lower[i]) return false;
  }
  return true;
}

}  // namespace

std::optional<std::uint64_t> parse_go_uint(std::string_view text, int base) {
  std::string stripped;
  std::string_view digits = text;
  if (base == 0) {
    if (text.find('_') != std::string_view::npos) {
      if (!strip_underscores(text, stripped)) return std::nullopt;
      digits = stripped;
    }
    base = detect_base(digits);
  }
  if (digits.empty()) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

std::optional<std::int64_t> parse_go_int(std::string_view text, int base) {
  const bool negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  const auto magnitude = parse_go_uint(text, base);
  if (!magnitude) return std::nullopt;
  constexpr std::uint64_t kLimit = std::uint64_t{1} << 63;
  if (*magnitude > kLimit || (*magnitude == kLimit && !negative)) return std::nullopt;
  return negative ? static_cast<std::int64_t>(0 - *magnitude) : static_cast<std::int64_t>(*magnitude);
}

std::int64_t parse_saturating_int(std::string_view text) {
  if (const auto number = parse_go_int(text, 10)) return *number;
  std::string_view digits = text;
  if (digits.starts_with('-') || digits.starts_with('+')) digits.remove_prefix(1);
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) return 0;
  using Limits = std::numeric_limits<std::int64_t>;
  return text.starts_with('-') ? Limits::min() : Limits::max();
}

std::optional<double> parse_go_float(std::string_view text) {
  std::string stripped;
  if (text.find('_') != std::string_view::npos) {
    if (!strip_underscores(text, stripped)) return std::nullopt;
    text = stripped;
  }
  const bool negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  double value = 0;
  if (equals_ignoring_case(text, "inf") || equals_ignoring_case(text, "infinity")) {
    value = std::numeric_limits<double>::infinity();
  } else if (equals_ignoring_case(text, "nan")) {
    value = std::numeric_limits<double>::quiet_NaN();
  } else {
    std::chars_format format = std::chars_format::general;
    if (text.size() > 2 && text[0] == '0' && (text[1] | 0x20) == 'x') {
      text.remove_prefix(2);
      format = std::chars_format::hex;
    }
    const bool starts_well = !text.empty() && (text[0] == '.' || (text[0] >= '0' && text[0] <= '9') ||
                                               (format == std::chars_format::hex && std::isxdigit(text[0])));
    if (!starts_well) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, format);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  }
  return negative ? -value : value;
}

}  // namespace coracle::charts
