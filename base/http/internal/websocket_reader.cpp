#include <algorithm>

#include "base/http/internal/websocket_wire.h"
#include "base/http/websocket.h"
#include "base/utf8.h"

namespace coracle::http::websocket {
namespace {

bool known(unsigned opcode) {
  return opcode <= 2 || (opcode >= 8 && opcode <= 10);
}

// Codes that may stand in a close frame: of the protocol, registered since, of libraries, of applications.
bool sendable(unsigned code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

}  // namespace

bool MessageReader::fail(CloseCode code) {
  failure_ = code;
  return false;
}

MessageReader::Got MessageReader::read(std::string_view& data) {
  while (!data.empty()) {
    if (header_bytes_ < header_wanted_) {
      header_[header_bytes_++] = static_cast<unsigned char>(data.front());
      data.remove_prefix(1);
      if (header_bytes_ == kShortHeaderBytes && !read_start()) return Got::Failed;
      if (header_bytes_ < header_wanted_) continue;
      if (!read_length()) return Got::Failed;
    }
    take_bytes(data);
    if (payload_left_ > 0) return Got::Nothing;
    const Got got = finish_frame();
    if (got != Got::Nothing) return got;
  }
  return Got::Nothing;
}

bool MessageReader::read_start() {
  const unsigned first = header_[0];
  const unsigned second = header_[1];
  const unsigned length = second & ~internal::kMaskedBit;
  final_ = (first & internal::kFinalBit) != 0;
  opcode_ = static_cast<Opcode>(first & internal::kOpcodeBits);
  // No extension was agreed on that would give the bits a meaning; and a client masks all that it sends.
  const bool plain = (first & internal::kReservedBits) == 0 && known(first & internal::kOpcodeBits) &&
                     (second & internal::kMaskedBit) != 0;
  if (!plain) return fail(CloseCode::ProtocolError);
  if (control()) {
    if (!final_ || length > internal::kMaxShortLength) return fail(CloseCode::ProtocolError);
    control_.clear();
  } else {
    // A message begins after the end of the one before it.
    if (in_message_ != (opcode_ == Opcode::Continuation)) return fail(CloseCode::ProtocolError);
    if (!in_message_) {
      message_kind_ = opcode_;
      message_.clear();
    }
    in_message_ = !final_;
  }
  const std::size_t more = length < internal::kTwoByteLength ? 0 : (length == internal::kTwoByteLength ? 2 : 8);
  header_wanted_ = kShortHeaderBytes + more + kMaskBytes;
  return true;
}

bool MessageReader::read_length() {
  payload_left_ = header_[1] & ~internal::kMaskedBit;
  const std::size_t mask_begin = header_wanted_ - kMaskBytes;
  if (mask_begin > kShortHeaderBytes) {
    payload_left_ = 0;
    for (std::size_t at = kShortHeaderBytes; at < mask_begin; ++at) payload_left_ = payload_left_ << 8U | header_[at];
    // The shortest form is the only one, and the largest number has its first bit clear.
    const std::uint64_t least =
        mask_begin == kShortHeaderBytes + 2 ? internal::kTwoByteLength : internal::kMaxTwoByteLength + 1;
    if (payload_left_ < least || payload_left_ >> 63U != 0) return fail(CloseCode::ProtocolError);
  }
  mask_at_ = 0;
  if (!control() && payload_left_ > max_message_bytes_ - message_.size()) return fail(CloseCode::TooLarge);
  return true;
}

void MessageReader::take_bytes(std::string_view& data) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(payload_left_, data.size()));
  const unsigned char* mask = header_.data() + header_wanted_ - kMaskBytes;
  std::string& text = target();
  for (const char masked : data.substr(0, size)) {
    text += static_cast<char>(static_cast<unsigned char>(masked) ^ mask[mask_at_++ % kMaskBytes]);
  }
  payload_left_ -= size;
  data.remove_prefix(size);
}

MessageReader::Got MessageReader::finish_frame() {
  header_bytes_ = 0;
  header_wanted_ = kShortHeaderBytes;
  switch (opcode_) {
    case Opcode::Ping:
      return Got::Ping;
    case Opcode::Pong:
      return Got::Pong;
    case Opcode::Close:
      return check_close() ? Got::Close : Got::Failed;
    default:
      break;
  }
  if (!final_) return Got::Nothing;
  if (message_kind_ != Opcode::Text || is_utf8(message_)) return Got::Message;
  fail(CloseCode::NotText);
  return Got::Failed;
}

bool MessageReader::check_close() {
  if (control_.empty()) return true;
  if (control_.size() == 1) return fail(CloseCode::ProtocolError);
  const unsigned code = static_cast<unsigned char>(control_[0]) << 8U | static_cast<unsigned char>(control_[1]);
  if (!sendable(code)) return fail(CloseCode::ProtocolError);
  return is_utf8(std::string_view(control_).substr(2)) || fail(CloseCode::NotText);
}

}  // namespace coracle::http::websocket
