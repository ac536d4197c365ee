#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/http/websocket.h"

// WebSocket frames as a client makes them, by hand.
namespace coracle::http::testing {

inline constexpr unsigned kFinal = 0x80;

// `first` is the first byte: opcode, and the final and reserved bits.
inline std::string client_frame(unsigned first, std::string_view payload) {
  constexpr std::array<unsigned char, 4> kMask = {0xa5, 0x01, 0xff, 0x3c};
  // The server's header differs in the bit that says that a mask follows.
  std::string frame = websocket::frame_header(websocket::Opcode::Text, payload.size());
  frame[0] = static_cast<char>(first);
  frame[1] = static_cast<char>(static_cast<unsigned char>(frame[1]) | 0x80U);
  frame.append(kMask.begin(), kMask.end());
  for (std::size_t i = 0; i < payload.size(); ++i) {
    frame += static_cast<char>(static_cast<unsigned char>(payload[i]) ^ kMask[i % kMask.size()]);
  }
  return frame;
}

inline std::string client_frame(websocket::Opcode opcode, std::string_view payload) {
  return client_frame(kFinal | static_cast<unsigned>(opcode), payload);
}

// A frame of the server's.
inline std::string server_frame(websocket::Opcode opcode, std::string_view payload) {
  return websocket::frame_header(opcode, payload.size()) + std::string(payload);
}

inline constexpr std::string_view kWebSocketRequest =
    "GET /watch HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

}  // namespace coracle::http::testing
