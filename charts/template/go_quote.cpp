#include "charts/template/go_quote.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "base/text.h"
#include "base/utf8.h"

namespace coracle::charts {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// What unicode.IsPrint refuses outside ASCII: spaces, format characters, surrogates, private use.
constexpr std::array<Range, 15> kNotPrintable = {{{0x80, 0xA0},
                                                  {0xAD, 0xAD},
                                                  {0x600, 0x605},
                                                  {0x61C, 0x61C},
                                                  {0x70F, 0x70F},
                                                  {0x1680, 0x1680},
                                                  {0x180E, 0x180E},
                                                  {0x2000, 0x200F},
                                                  {0x2028, 0x202F},
                                                  {0x205F, 0x206F},
                                                  {0x3000, 0x3000},
                                                  {0xD800, 0xF8FF},
                                                  {0xFEFF, 0xFEFF},
                                                  {0xFFF9, 0xFFFB},
                                                  {0xE0000, 0x10FFFF}}};

void escape_rune(std::string& out, char32_t rune) {
  char code[16];
  if (rune < 0x80) {
    std::snprintf(code, sizeof code, "\\x%02x", static_cast<unsigned>(rune));
  } else if (rune < 0x10000) {
    std::snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned>(rune));
  } else {
    std::snprintf(code, sizeof code, "\\U%08x", static_cast<unsigned>(rune));
  }
  out += code;
}

// The escape after a backslash at text[0]; answers how much it used, 0 when it is malformed.
std::size_t unquote_escape(std::string_view text, char quote, std::string& out) {
  if (text.empty()) return 0;
  constexpr std::string_view kNames = "abfnrtv\\";
  constexpr std::string_view kValues = "\a\b\f\n\r\t\v\\";
  const char c = text[0];
  if (const std::size_t at = kNames.find(c); at != std::string_view::npos) {
    out += kValues[at];
    return 1;
  }
  if (c == quote) {
    out += c;
    return 1;
  }
  if (c >= '0' && c <= '7') {
    if (text.size() < 3) return 0;
    int value = 0;
    for (int i = 0; i < 3; ++i) {
      if (text[static_cast<std::size_t>(i)] < '0' || text[static_cast<std::size_t>(i)] > '7') return 0;
      value = value * 8 + text[static_cast<std::size_t>(i)] - '0';
    }
    if (value > 255) return 0;
    out += static_cast<char>(value);
    return 3;
  }
  const std::size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
  if (digits == 0 || text.size() < digits + 1) return 0;
  char32_t value = 0;
  for (std::size_t i = 1; i <= digits; ++i) {
    const int digit = hex_value(text[i]);
    if (digit < 0) return 0;
    value = value * 16 + static_cast<char32_t>(digit);
  }
  if (c == 'x') {
    out += static_cast<char>(value);
  } else {
    if (value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) return 0;
    append_rune(out, value);
  }
  return digits + 1;
}

// "d.ddd" digits and the exponent of the shortest form.
struct Decimal {
  std::string digits;
  int exponent;  // of the first digit
};

Decimal shortest(double magnitude) {
  std::array<char, 32> buffer;
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), magnitude, std::chars_format::scientific).ptr;
  const std::string_view text(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
  const std::size_t e = text.find('e');
  Decimal decimal;
  for (const char c : text.substr(0, e)) {
    if (c != '.') decimal.digits += c;
  }
  const char* from = text.data() + e + 1;
  if (*from == '+') ++from;
  std::from_chars(from, end, decimal.exponent);
  while (decimal.digits.size() > 1 && decimal.digits.back() == '0') decimal.digits.pop_back();
  return decimal;
}

Decimal rounded(double magnitude, int digits) {
  std::string buffer(static_cast<std::size_t>(digits) + 16, '\0');
  const int length = std::snprintf(buffer.data(), buffer.size(), "%.*e", std::max(digits - 1, 0), magnitude);
  buffer.resize(static_cast<std::size_t>(length));
  const std::size_t e = buffer.find('e');
  Decimal decimal;
  for (const char c : buffer.substr(0, e)) {
    if (c != '.') decimal.digits += c;
  }
  decimal.exponent = std::atoi(buffer.c_str() + e + 1);
  return decimal;
}

std::string exponent_text(int exponent, char letter) {
  std::string out(1, letter);
  out += exponent < 0 ? '-' : '+';
  const int magnitude = std::abs(exponent);
  if (magnitude < 10) out += '0';
  return out + std::to_string(magnitude);
}

std::string scientific(const Decimal& decimal, char letter) {
  std::string out(1, decimal.digits[0]);
  if (decimal.digits.size() > 1) out += "." + decimal.digits.substr(1);
  return out + exponent_text(decimal.exponent, letter);
}

std::string positional(const Decimal& decimal) {
  const int point = decimal.exponent + 1;
  const int count = static_cast<int>(decimal.digits.size());
  if (point <= 0) return "0." + std::string(static_cast<std::size_t>(-point), '0') + decimal.digits;
  if (point >= count) return decimal.digits + std::string(static_cast<std::size_t>(point - count), '0');
  return decimal.digits.substr(0, static_cast<std::size_t>(point)) + "." +
         decimal.digits.substr(static_cast<std::size_t>(point));
}

std::string general(double magnitude, int precision, char letter) {
  const bool is_shortest = precision < 0;
  if (precision == 0) precision = 1;
  Decimal decimal = is_shortest ? shortest(magnitude) : rounded(magnitude, precision);
  while (decimal.digits.size() > 1 && decimal.digits.back() == '0') decimal.digits.pop_back();
  const int count = static_cast<int>(decimal.digits.size());
  int limit = is_shortest ? 6 : precision;
  if (!is_shortest && limit > count && count >= decimal.exponent + 1) limit = count;
  if (decimal.exponent < -4 || decimal.exponent >= limit) return scientific(decimal, letter == 'G' ? 'E' : 'e');
  return positional(decimal);
}

}  // namespace

bool is_printable(char32_t rune) {
  if (rune < 0x80) return rune >= ' ' && rune < 0x7f;
  return std::none_of(kNotPrintable.begin(), kNotPrintable.end(),
                      [rune](const Range& range) { return rune >= range.first && rune <= range.last; });
}

std::string go_quote(std::string_view text) {
  std::string out = "\"";
  out.reserve(text.size() + 2);
  while (!text.empty()) {
    const Rune rune = decode_rune(text);
    constexpr std::u32string_view kValues = U"\a\b\f\n\r\t\v\\\"";
    constexpr std::string_view kNames = "abfnrtv\\\"";
    if (const std::size_t at = kValues.find(rune.value); at != std::u32string_view::npos) {
      out += '\\';
      out += kNames[at];
    } else if (!rune.valid()) {
      char code[8];
      std::snprintf(code, sizeof code, "\\x%02x", static_cast<unsigned char>(text[0]));
      out += code;
    } else if (is_printable(rune.value)) {
      out.append(text.substr(0, rune.length));
    } else {
      escape_rune(out, rune.value);
    }
    text.remove_prefix(rune.length);
  }
  out += '"';
  return out;
}

std::string go_backquote(std::string_view text) {
  const bool allowed =
      std::none_of(text.begin(), text.end(), [](char c) { return c == '`' || (is_control(c) && c != '\t'); });
  return allowed ? "`" + std::string(text) + "`" : go_quote(text);
}

Result<std::string> go_unquote(std::string_view literal) {
  const Error invalid = bad_request("invalid syntax");
  if (literal.size() < 2 || literal.front() != literal.back()) return invalid;
  const char quote = literal.front();
  const std::string_view body = literal.substr(1, literal.size() - 2);
  std::string out;
  if (quote == '`') {
    std::copy_if(body.begin(), body.end(), std::back_inserter(out), [](char c) { return c != '\r'; });
    return out;
  }
  std::size_t count = 0;
  for (std::size_t i = 0; i < body.size(); ++count) {
    if (body[i] != '\\') {
      const std::size_t length = decode_rune(body.substr(i)).length;
      out.append(body.substr(i, length));
      i += length;
      continue;
    }
    const std::size_t used = unquote_escape(body.substr(i + 1), quote, out);
    if (used == 0) return invalid;
    i += used + 1;
  }
  if (quote == '\'' && count != 1) return bad_request("malformed character constant: " + std::string(literal));
  return out;
}

std::string go_format_float(double number, char format, int precision) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "+Inf" : "-Inf";
  const std::string sign = std::signbit(number) ? "-" : "";
  const double magnitude = std::fabs(number);
  switch (format) {
    case 'e':
    case 'E':
      return sign + scientific(precision < 0 ? shortest(magnitude) : rounded(magnitude, precision + 1), format);
    case 'f': {
      if (precision < 0) return sign + positional(shortest(magnitude));
      const int length = std::snprintf(nullptr, 0, "%.*f", precision, magnitude);
      std::string text(static_cast<std::size_t>(length) + 1, '\0');
      std::snprintf(text.data(), text.size(), "%.*f", precision, magnitude);
      text.pop_back();
      return sign + text;
    }
    default:
      return sign + general(magnitude, precision, format);
  }
}

}  // namespace coracle::charts
