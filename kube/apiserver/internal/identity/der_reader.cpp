#include "kube/apiserver/internal/identity/der_reader.h"

#include <cstddef>

namespace coracle::kube::apiserver {

std::optional<DerElement> take_der_element(std::string_view& bytes) {
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

std::optional<std::string_view> take_der(std::string_view& bytes, unsigned char tag) {
  std::optional<DerElement> element = take_der_element(bytes);
  if (!element || element->tag != tag) return std::nullopt;
  return element->content;
}

}  // namespace coracle::kube::apiserver
