#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// HTTP/2 frames by hand (RFC 9113), for clients that misbehave.
namespace coracle::http::testing {

inline constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum FrameType : std::uint8_t {
  kData = 0,
  kHeaders = 1,
  kReset = 3,
  kSettings = 4,
  kPing = 6,
  kGoaway = 7,
  kWindow = 8,
  kContinuation = 9
};
inline constexpr std::uint8_t kEndStream = 1;
inline constexpr std::uint8_t kAck = 1;
inline constexpr std::uint8_t kEndHeaders = 4;

inline std::string number(std::uint32_t value, int size) {
  std::string out;
  for (int shift = (size - 1) * 8; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
  return out;
}

inline std::string frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::string_view payload) {
  return number(static_cast<std::uint32_t>(payload.size()), 3) + static_cast<char>(type) + static_cast<char>(flags) +
         number(stream, 4) + std::string(payload);
}

// A literal field without indexing and without Huffman coding; both texts shorter than 127 bytes.
inline std::string field(std::string_view name, std::string_view value) {
  std::string out(1, '\0');
  out += static_cast<char>(name.size());
  out += name;
  out += static_cast<char>(value.size());
  return out += value;
}

// Pseudo fields of "GET https://x/", from HPACK's static table.
inline std::string get_fields() {
  return "\x82\x87\x84" + field(":authority", "x");
}
inline std::string post_fields() {
  return "\x83\x87\x84" + field(":authority", "x");
}

inline std::string get_frame(std::uint32_t stream) {
  return frame(kHeaders, kEndHeaders | kEndStream, stream, get_fields());
}

inline std::string opening() {
  return std::string(kHttp2Preface) + frame(kSettings, 0, 0, "");
}

struct Frame {
  std::uint8_t type = 0;
  std::uint8_t flags = 0;
  std::uint32_t stream = 0;
  std::string payload;
};

}  // namespace coracle::http::testing
