#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace coracle::kube::apiserver {

inline constexpr unsigned char kDerInteger = 0x02;
inline constexpr unsigned char kDerBitString = 0x03;
inline constexpr unsigned char kDerObjectId = 0x06;
inline constexpr unsigned char kDerSequence = 0x30;
inline constexpr unsigned char kDerSet = 0x31;

struct DerElement {
  unsigned char tag = 0;
  std::string_view content;
};

// Takes one element of DER with a definite length off the front; nothing when there is no whole one.
inline std::optional<DerElement> take_der_element(std::string_view& bytes) {
  if (bytes.size() < 2) return std::nullopt;
  std::size_t length = static_cast<unsigned char>(bytes[1]);
  std::size_t header = 2;
  if (length >= 0x80) {
    std::size_t count = length & 0x7F;
    if (count == 0 || count > 4 || bytes.size() < 2 + count) return std::nullopt;
    length = 0;
    for (std::size_t i = 0; i < count; ++i) length = length << 8 | static_cast<unsigned char>(bytes[2 + i]);
    header += count;
  }
  if (bytes.size() - header < length) return std::nullopt;
  DerElement element{static_cast<unsigned char>(bytes[0]), bytes.substr(header, length)};
  bytes.remove_prefix(header + length);
  return element;
}

// The content of the next element if it has the tag.
inline std::optional<std::string_view> take_der(std::string_view& bytes, unsigned char tag) {
  std::optional<DerElement> element = take_der_element(bytes);
  if (!element || element->tag != tag) return std::nullopt;
  return element->content;
}

}  // namespace coracle::kube::apiserver
