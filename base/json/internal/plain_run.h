#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace coracle::json::internal {

// The high bit of each byte of `word` that is zero; bits above the lowest one that is set may be wrong.
constexpr std::uint64_t zero_bytes(std::uint64_t word) {
  return (word - 0x0101010101010101U) & ~word & 0x8080808080808080U;
}

constexpr std::uint64_t bytes_like(std::uint64_t word, char byte) {
  return zero_bytes(word ^ (0x0101010101010101U * static_cast<unsigned char>(byte)));
}

// With `html`, '<', '>' and '&' are not plain either, as in what Go prints.
constexpr bool is_plain(char c, bool html) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= ' ' && byte < 0x80 && c != '"' && c != '\\' && !(html && (c == '<' || c == '>' || c == '&'));
}

// How many ASCII characters at the beginning of a text stand for themselves in a JSON string. Most of all bytes that
// are read and written pass through here: eight at a time.
inline std::size_t plain_run(std::string_view text, bool html) {
  std::size_t at = 0;
  if constexpr (std::endian::native == std::endian::little) {
    while (at < text.size()) {
      std::uint64_t word = 0x6161616161616161U;  // what the text does not fill is plain
      const std::size_t left = text.size() - at;
      std::memcpy(&word, text.data() + at, left < sizeof(word) ? left : sizeof(word));
      std::uint64_t found = (word | (word - 0x2020202020202020U)) & 0x8080808080808080U;  // not ASCII, or below ' '
      found |= bytes_like(word, '"') | bytes_like(word, '\\');
      // '<' and '>' differ in one bit.
      if (html) found |= bytes_like(word | 0x0202020202020202U, '>') | bytes_like(word, '&');
      if (found != 0) return at + static_cast<std::size_t>(std::countr_zero(found)) / 8;
      at += sizeof(word);
    }
    return text.size();
  } else {
    while (at < text.size() && is_plain(text[at], html)) ++at;
    return at;
  }
}

}  // namespace coracle::json::internal
