#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace coracle {

// One code point and how many bytes stand for it.
struct Rune {
  char32_t value = U'\uFFFD';
  std::size_t length = 1;
  // A U+FFFD that is really there takes three bytes.
  bool valid() const { return value != U'\uFFFD' || length > 1; }
};

// The first code point of a text that is not empty. Bytes that are no UTF-8 (overlong forms, surrogates and what lies
// beyond U+10FFFF included) are U+FFFD, one byte at a time, as Go has it.
Rune decode_rune(std::string_view text);
// Surrogates and what lies beyond U+10FFFF become U+FFFD.
void append_rune(std::string& out, char32_t rune);
// Whether nothing in it is invalid.
bool is_utf8(std::string_view text);
// How many code points there are, as decode_rune counts them.
std::size_t count_runes(std::string_view text);
// Each byte that is no part of a valid character becomes U+FFFD.
std::string replace_invalid_utf8(std::string_view text);

// As much of the text as `limit` bytes hold, without a part of a character at its end.
std::string_view truncate_utf8(std::string_view text, std::size_t limit);

}  // namespace coracle
