#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/http/message.h"

// The server's side of WebSocket (RFC 6455), without extensions.
namespace coracle::http::websocket {

// Whether the client asks to switch to WebSocket; not whether it asks well.
bool is_requested(const Request& request);
// The subprotocols that the client offers, in its order.
std::vector<std::string_view> offered_protocols(const Request& request);
// The answer to a request that asks for it: 101, to which the caller adds what follows the switch, or 400 for a
// handshake that cannot be answered. `protocol` is one of those offered, or empty.
Response accept(const Request& request, std::string_view protocol);

enum class Opcode : std::uint8_t { Continuation = 0, Text = 1, Binary = 2, Close = 8, Ping = 9, Pong = 10 };

// Why a connection ends (section 7.4.1); a client may give others.
enum class CloseCode : std::uint16_t { Normal = 1000, ProtocolError = 1002, NotText = 1007, TooLarge = 1009 };

// What stands before the payload of an unfragmented frame of the server's.
std::string frame_header(Opcode opcode, std::size_t payload_bytes);
// A frame that ends the connection.
std::string close_frame(CloseCode code);

// Reads what a client sends: puts frames together to messages and refuses what breaks the protocol.
class MessageReader {
 public:
  enum class Got : std::uint8_t { Nothing, Message, Ping, Pong, Close, Failed };

  // A longer message fails, and is not kept until it is complete.
  explicit MessageReader(std::size_t max_message_bytes) : max_message_bytes_(max_message_bytes) {}

  // Takes bytes off `data`, up to the end of a message or a control frame. Nothing: all was taken and more is needed.
  // What comes after Close or Failed has no meaning and must not be read.
  Got read(std::string_view& data);
  // What the last message or control frame said, for whoever cares. Of Close: a code in two bytes and a reason, or
  // nothing.
  std::string take_payload() { return std::exchange(target(), {}); }
  // Of Failed: what to close the connection with.
  CloseCode failure() const { return failure_; }

 private:
  static constexpr std::size_t kShortHeaderBytes = 2;
  static constexpr std::size_t kMaskBytes = 4;
  static constexpr std::size_t kMaxHeaderBytes = kShortHeaderBytes + 8 + kMaskBytes;

  bool control() const { return (static_cast<unsigned>(opcode_) & 8U) != 0; }
  std::string& target() { return control() ? control_ : message_; }
  // Each false when the frame is refused.
  bool fail(CloseCode code);
  bool read_start();
  bool read_length();
  bool check_close();
  void take_bytes(std::string_view& data);
  Got finish_frame();

  const std::size_t max_message_bytes_;
  std::array<unsigned char, kMaxHeaderBytes> header_{};
  std::size_t header_bytes_ = 0;
  std::size_t header_wanted_ = kShortHeaderBytes;
  std::uint64_t payload_left_ = 0;
  std::size_t mask_at_ = 0;
  bool final_ = false;
  Opcode opcode_ = Opcode::Continuation;  // of the frame
  Opcode message_kind_ = Opcode::Text;    // of the message whose fragments come
  bool in_message_ = false;               // its last fragment has not come
  std::string message_;
  std::string control_;
  CloseCode failure_ = CloseCode::ProtocolError;
};

// A source as a WebSocket connection: each of its pieces goes out as a message, text or binary; where it ends, the
// connection is closed with Normal. Answers pings and closes; messages of the client are read and ignored.
std::unique_ptr<DuplexSource> make_message_stream(std::unique_ptr<BodySource> messages, Opcode kind);

}  // namespace coracle::http::websocket
