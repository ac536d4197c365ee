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

// How many ASCII characters at the beginning of a text stand for themselves in a JSON string. With `html`, '<', '>' and
// '&' do not, as in what Go prints. Most of all bytes that are read and written pass through here: eight at a time.
inline std::size_t plain_run(std::string_view text, bool html) {
  for (std::size_t at = 0; at < text.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0x6161616161616161U;  // what the text does not fill is plain
    const std::size_t left = text.size() - at;
    std::memcpy(&word, text.data() + at, left < sizeof(word) ? left : sizeof(word));
    // The first byte is the lowest.
    if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
    std::uint64_t found = (word | (word - 0x2020202020202020U)) & 0x8080808080808080U;  // not ASCII, or below ' '
    found |= bytes_like(word, '"') | bytes_like(word, '\\');
    // '<' and '>' differ in one bit.
    if (html) found |= bytes_like(word | 0x0202020202020202U, '>') | bytes_like(word, '&');
    if (found != 0) return at + static_cast<std::size_t>(std::countr_zero(found)) / 8;
  }
  return text.size();
}

}  // namespace coracle::json::internal
