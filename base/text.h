#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coracle {

// The pieces between separators, empty ones too: "a,,b" has three, "" has one.
std::vector<std::string_view> split(std::string_view text, char separator);
// The parts with the separator between each two; empty parts count. Anything that a std::string_view is made from.
template <class Parts>
std::string join(const Parts& parts, std::string_view separator) {
  std::string text;
  bool first = true;
  for (const std::string_view part : parts) {
    if (!first) text += separator;
    first = false;
    text += part;
  }
  return text;
}
// Without blanks, tabs and line ends at both ends.
std::string_view trim(std::string_view text);
// ASCII letters in lower case; other bytes stay.
std::string to_lower(std::string_view text);
// Where `what` first stands at or after `from`, or npos: linear in the worst case too, unlike std::string_view::find.
std::size_t find_text(std::string_view text, std::string_view what, std::size_t from = 0);
// Every `what`, which is not empty, becomes `with`.
std::string replace_all(std::string_view text, std::string_view what, std::string_view with);
// The value of a hexadecimal digit, or -1.
constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// Whether the texts differ in the case of ASCII letters at most.
bool equal_ignoring_case(std::string_view a, std::string_view b);

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
// ASCII letters and digits.
constexpr bool is_alphanumeric(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// ASCII control characters.
constexpr bool is_control(char c) {
  return static_cast<unsigned char>(c) < ' ' || c == 0x7f;
}

// The whole text as a decimal number of that type; nullopt for anything else: blanks, a plus sign,
// trailing bytes, a value that does not fit.
template <std::integral Integer = std::int64_t>
std::optional<Integer> parse_int(std::string_view text) {
  Integer number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// The same with an optional plus sign, as Go's strconv reads numbers: "+5".
template <std::integral Integer = std::int64_t>
std::optional<Integer> parse_signed_int(std::string_view text) {
  if (!text.starts_with('+')) return parse_int<Integer>(text);
  return text.starts_with("+-") ? std::nullopt : parse_int<Integer>(text.substr(1));
}

}  // namespace coracle
