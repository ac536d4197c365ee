#include "base/utf8.h"

namespace coracle {
namespace {

constexpr char32_t kLast = 0x10FFFF;

bool is_surrogate(char32_t rune) {
  return rune >= 0xD800 && rune < 0xE000;
}

}  // namespace

Rune decode_rune(std::string_view text) {
  constexpr Rune kInvalid;
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return {first, 1};
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
  if (length == 0 || first > 0xF4 || text.size() < length) return kInvalid;
  char32_t value = first & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0U) != 0x80U) return kInvalid;
    value = (value << 6U) | (byte & 0x3FU);
  }
  const bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
  if (overlong || value > kLast || is_surrogate(value)) return kInvalid;
  return {value, length};
}

void append_rune(std::string& out, char32_t rune) {
  if (rune > kLast || is_surrogate(rune)) rune = U'\uFFFD';
  const auto continuation = [&out, rune](unsigned shift) {
    out += static_cast<char>(0x80U | ((rune >> shift) & 0x3FU));
  };
  if (rune < 0x80) {
    out += static_cast<char>(rune);
    return;
  }
  if (rune < 0x800) {
    out += static_cast<char>(0xC0U | (rune >> 6U));
  } else if (rune < 0x10000) {
    out += static_cast<char>(0xE0U | (rune >> 12U));
    continuation(6);
  } else {
    out += static_cast<char>(0xF0U | (rune >> 18U));
    continuation(12);
    continuation(6);
  }
  continuation(0);
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const Rune rune = decode_rune(text);
    if (!rune.valid()) return false;
    text.remove_prefix(rune.length);
  }
  return true;
}

std::size_t count_runes(std::string_view text) {
  std::size_t count = 0;
  for (; !text.empty(); ++count) text.remove_prefix(decode_rune(text).length);
  return count;
}

std::string replace_invalid_utf8(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Rune rune = decode_rune(text);
    append_rune(out, rune.value);
    text.remove_prefix(rune.length);
  }
  return out;
}

std::string_view truncate_utf8(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  // A character is four bytes at most: what begins three bytes before the cut may go beyond it.
  for (std::size_t start = limit; start > 0 && start + 3 > limit;) {
    --start;
    if (const Rune rune = decode_rune(text.substr(start)); start + rune.length > limit) return text.substr(0, start);
  }
  return text.substr(0, limit);
}

}  // namespace coracle
