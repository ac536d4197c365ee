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
// Without blanks, tabs and line ends at both ends.
std::string_view trim(std::string_view text);
// ASCII letters in lower case; other bytes stay.
std::string to_lower(std::string_view text);

// The whole text as a decimal number of that type; nullopt for anything else: blanks, a plus sign,
// trailing bytes, a value that does not fit.
template <std::integral Integer = std::int64_t>
std::optional<Integer> parse_int(std::string_view text) {
  Integer number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace coracle
