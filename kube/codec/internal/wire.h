#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

// Protobuf's wire format: tags, varints, length-delimited pieces.
namespace coracle::kube::internal {

enum class WireType : std::uint8_t { Varint = 0, Fixed64 = 1, Bytes = 2, StartGroup = 3, EndGroup = 4, Fixed32 = 5 };

// Takes pieces off the front of a message. Every step is false when the message ends too early or contradicts itself.
class WireReader {
 public:
  explicit WireReader(std::string_view message) : rest_(message) {}

  bool at_end() const { return rest_.empty(); }

  bool read_varint(std::uint64_t& out) {
    out = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) return false;
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      out |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
      if ((byte & 0x80U) == 0) return true;
    }
    return false;
  }

  bool read_tag(std::uint32_t& number, WireType& type) {
    std::uint64_t tag = 0;
    if (!read_varint(tag) || (tag >> 3U) == 0 || (tag >> 3U) > kMaxNumber || (tag & 7U) > 5) return false;
    number = static_cast<std::uint32_t>(tag >> 3U);
    type = static_cast<WireType>(tag & 7U);
    return true;
  }

  bool read_bytes(std::string_view& out) {
    std::uint64_t length = 0;
    if (!read_varint(length) || length > rest_.size()) return false;
    out = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return true;
  }

  bool read_fixed64(std::uint64_t& out) { return read_little_endian(8, out); }

  // Skips a value whose tag has been read. Groups are not in use and not accepted.
  bool skip(WireType type) {
    std::uint64_t number = 0;
    std::string_view bytes;
    switch (type) {
      case WireType::Varint:
        return read_varint(number);
      case WireType::Fixed64:
        return read_little_endian(8, number);
      case WireType::Bytes:
        return read_bytes(bytes);
      case WireType::Fixed32:
        return read_little_endian(4, number);
      default:
        return false;
    }
  }

 private:
  static constexpr std::uint64_t kMaxNumber = (1U << 29U) - 1;

  bool read_little_endian(std::size_t size, std::uint64_t& out) {
    if (rest_.size() < size) return false;
    out = 0;
    for (std::size_t i = size; i > 0; --i) out = out << 8U | static_cast<unsigned char>(rest_[i - 1]);
    rest_.remove_prefix(size);
    return true;
  }

  std::string_view rest_;
};

// Writes a message from its end to its beginning, so that the length of an inner message is known when it is due.
class BackwardWriter {
 public:
  std::size_t size() const { return buffer_.size() - begin_; }

  void prepend(std::string_view bytes) {
    if (bytes.empty()) return;
    make_room(bytes.size());
    begin_ -= bytes.size();
    std::memcpy(buffer_.data() + begin_, bytes.data(), bytes.size());
  }

  void prepend_varint(std::uint64_t value) {
    char bytes[10];
    std::size_t length = 0;
    do {
      bytes[length++] = static_cast<char>((value & 0x7FU) | (value > 0x7F ? 0x80U : 0U));
      value >>= 7U;
    } while (value != 0);
    prepend({bytes, length});
  }

  void prepend_tag(std::uint32_t number, WireType type) {
    prepend_varint(static_cast<std::uint64_t>(number) << 3U | static_cast<std::uint64_t>(type));
  }

  void prepend_fixed64(std::uint64_t value) {
    char bytes[8];
    for (char& byte : bytes) {
      byte = static_cast<char>(value & 0xFFU);
      value >>= 8U;
    }
    prepend({bytes, sizeof(bytes)});
  }

  // Tag and length in front of everything that was written since size() was `before`.
  void close(std::uint32_t number, std::size_t before) {
    prepend_varint(size() - before);
    prepend_tag(number, WireType::Bytes);
  }

  void prepend_bytes_field(std::uint32_t number, std::string_view bytes) {
    prepend(bytes);
    prepend_varint(bytes.size());
    prepend_tag(number, WireType::Bytes);
  }

  void prepend_varint_field(std::uint32_t number, std::uint64_t value) {
    prepend_varint(value);
    prepend_tag(number, WireType::Varint);
  }

  std::string take() && { return buffer_.substr(begin_); }

 private:
  static constexpr std::size_t kFirstRoom = 512;

  void make_room(std::size_t wanted) {
    if (wanted <= begin_) return;
    const std::size_t used = size();
    std::string larger(std::max(kFirstRoom, 2 * (used + wanted)), '\0');
    std::memcpy(larger.data() + larger.size() - used, buffer_.data() + begin_, used);
    begin_ = larger.size() - used;
    buffer_ = std::move(larger);
  }

  std::string buffer_;
  std::size_t begin_ = 0;
};

}  // namespace coracle::kube::internal
