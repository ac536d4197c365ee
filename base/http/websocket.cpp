#include "base/http/websocket.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/http/internal/websocket_wire.h"
#include "base/text.h"
#include "base/tls/crypto.h"

namespace coracle::http::websocket {
namespace {

// Proves that the answer is to a WebSocket handshake and to this one (section 1.3).
constexpr std::string_view kHandshakeGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::string_view kVersion = "13";

// As many bytes of the number as `bytes`, most significant first.
void append_number(std::string& out, std::uint64_t number, unsigned bytes) {
  while (bytes-- > 0) out += static_cast<char>(number >> (bytes * 8) & 0xffU);
}

Response refuse(std::string_view why) {
  return Response::text(400, std::string(why) + "\n");
}

}  // namespace

bool is_requested(const Request& request) {
  // HTTP/2 has no such switch.
  if (request.version_major != 1 || request.method != "GET") return false;
  if (to_lower(request.headers.get("Upgrade")) != "websocket") return false;
  const std::vector<std::string_view> lines = request.headers.all("Connection");
  return std::any_of(lines.begin(), lines.end(), [](std::string_view line) {
    const std::vector<std::string_view> options = split(line, ',');
    return std::any_of(options.begin(), options.end(),
                       [](std::string_view option) { return to_lower(trim(option)) == "upgrade"; });
  });
}

std::vector<std::string_view> offered_protocols(const Request& request) {
  std::vector<std::string_view> offered;
  for (const std::string_view line : request.headers.all("Sec-WebSocket-Protocol")) {
    for (const std::string_view entry : split(line, ',')) {
      if (const std::string_view protocol = trim(entry); !protocol.empty()) offered.push_back(protocol);
    }
  }
  return offered;
}

Response accept(const Request& request, std::string_view protocol) {
  if (request.headers.get("Sec-WebSocket-Version") != kVersion) {
    Response refused = refuse("missing or unknown Sec-WebSocket-Version: version 13 is spoken here");
    refused.headers.set("Sec-WebSocket-Version", std::string(kVersion));
    return refused;
  }
  const std::string_view key = request.headers.get("Sec-WebSocket-Key");
  if (key.empty()) return refuse("missing Sec-WebSocket-Key");
  Response response;
  response.status = 101;
  response.headers.set("Upgrade", "websocket");
  response.headers.set("Connection", "Upgrade");
  response.headers.set("Sec-WebSocket-Accept",
                       base64_encode(crypto::sha1(std::string(key) + std::string(kHandshakeGuid))));
  if (!protocol.empty()) response.headers.set("Sec-WebSocket-Protocol", std::string(protocol));
  return response;
}

std::string frame_header(Opcode opcode, std::size_t payload_bytes) {
  std::string header;
  append_number(header, internal::kFinalBit | static_cast<unsigned>(opcode), 1);
  if (payload_bytes <= internal::kMaxShortLength) {
    append_number(header, payload_bytes, 1);
  } else if (payload_bytes <= internal::kMaxTwoByteLength) {
    append_number(header, internal::kTwoByteLength, 1);
    append_number(header, payload_bytes, 2);
  } else {
    append_number(header, internal::kEightByteLength, 1);
    append_number(header, payload_bytes, 8);
  }
  return header;
}

std::string close_frame(CloseCode code) {
  std::string frame = frame_header(Opcode::Close, 2);
  append_number(frame, static_cast<std::uint64_t>(code), 2);
  return frame;
}

}  // namespace coracle::http::websocket
