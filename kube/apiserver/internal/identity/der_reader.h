#pragma once

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
std::optional<DerElement> take_der_element(std::string_view& bytes);
// The content of the next element if it has the tag.
std::optional<std::string_view> take_der(std::string_view& bytes, unsigned char tag);

}  // namespace coracle::kube::apiserver
