#include "base/http/websocket.h"

#include <catch2/catch.hpp>

#include "base/http/testing/websocket_frames.h"
#include "base/random.h"

// The handshake and the reading of frames, without a connection.
namespace coracle::http::websocket {
namespace {

using testing::client_frame;
using testing::kFinal;
using Got = MessageReader::Got;

constexpr std::size_t kLimit = 70'000;

Request asking(const std::string& connection = "Upgrade", const std::string& upgrade = "websocket") {
  Request request;
  request.method = "GET";
  request.headers = {{"Connection", connection},
                     {"Upgrade", upgrade},
                     {"Sec-WebSocket-Version", "13"},
                     {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}};
  return request;
}

// All that a reader makes of the bytes, given in pieces of a size.
std::vector<std::string> read_all(std::string_view data, std::size_t piece) {
  MessageReader reader(kLimit);
  std::vector<std::string> events;
  while (!data.empty()) {
    std::string_view part = data.substr(0, piece);
    data.remove_prefix(part.size());
    while (!part.empty()) {
      switch (reader.read(part)) {
        case Got::Nothing:
          CHECK(part.empty());
          break;
        case Got::Message:
          events.push_back("message " + reader.take_payload());
          CHECK(events.back().size() <= kLimit + 8);
          break;
        case Got::Ping:
          events.push_back("ping " + reader.take_payload());
          break;
        case Got::Pong:
          events.push_back("pong " + reader.take_payload());
          break;
        case Got::Close:
          events.push_back("close " + reader.take_payload());
          return events;
        case Got::Failed:
          events.push_back("failed " + std::to_string(static_cast<int>(reader.failure())));
          return events;
      }
    }
  }
  return events;
}

TEST_CASE("WebSocket is asked for by two fields of an HTTP/1.1 GET") {
  CHECK(is_requested(asking()));
  CHECK(is_requested(asking("Upgrade, Upgrade")));
  CHECK(is_requested(asking("keep-alive,  upgrade", "WebSocket")));
  CHECK_FALSE(is_requested(asking("keep-alive")));
  CHECK_FALSE(is_requested(asking("no-upgrade")));
  CHECK_FALSE(is_requested(asking("Upgrade", "SPDY/3.1")));
  CHECK_FALSE(is_requested(Request()));
  Request request = asking("close");
  request.headers.add("Connection", "upgrade");
  CHECK(is_requested(request));
  request.method = "POST";
  CHECK_FALSE(is_requested(request));
  request = asking();
  request.version_major = 2;
  CHECK_FALSE(is_requested(request));
}

TEST_CASE("a handshake is answered as RFC 6455 shows it") {
  const Response response = accept(asking(), "");
  CHECK(response.status == 101);
  CHECK(response.headers.get("Sec-WebSocket-Accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  CHECK(response.headers.get("Upgrade") == "websocket");
  CHECK(response.headers.get("Connection") == "Upgrade");
  CHECK_FALSE(response.headers.has("Sec-WebSocket-Protocol"));
  CHECK(accept(asking(), "chat").headers.get("Sec-WebSocket-Protocol") == "chat");
}

TEST_CASE("a handshake without key or in another version is refused") {
  Request request = asking();
  request.headers.remove("Sec-WebSocket-Key");
  CHECK(accept(request, "").status == 400);
  request = asking();
  request.headers.set("Sec-WebSocket-Version", "8");
  CHECK(accept(request, "").status == 400);
  CHECK(accept(request, "").headers.get("Sec-WebSocket-Version") == "13");
  request.headers.remove("Sec-WebSocket-Version");
  CHECK(accept(request, "").status == 400);
}

TEST_CASE("subprotocols are offered in one list or several") {
  Request request = asking();
  CHECK(offered_protocols(request).empty());
  request.headers.add("Sec-WebSocket-Protocol", "a, b ,");
  request.headers.add("Sec-WebSocket-Protocol", "c");
  CHECK(offered_protocols(request) == std::vector<std::string_view>{"a", "b", "c"});
}

TEST_CASE("frames of the server have the shortest length") {
  CHECK(frame_header(Opcode::Text, 0) == std::string("\x81\x00", 2));
  CHECK(frame_header(Opcode::Binary, 125) == "\x82\x7d");
  CHECK(frame_header(Opcode::Text, 126) == std::string("\x81\x7e\x00\x7e", 4));
  CHECK(frame_header(Opcode::Text, 65535) == "\x81\x7e\xff\xff");
  CHECK(frame_header(Opcode::Text, 65536) == std::string("\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10));
  CHECK(close_frame(CloseCode::ProtocolError) == "\x88\x02\x03\xea");
}

TEST_CASE("messages are read whole, in fragments and in pieces") {
  const std::string large(kLimit, 'l');
  const std::string data = client_frame(Opcode::Text, "Hello") + client_frame(Opcode::Binary, "\xff") +
                           client_frame(Opcode::Ping, "") + client_frame(0x01, "\xe2\x82") +
                           client_frame(Opcode::Ping, "between") + client_frame(0x00, "") +
                           client_frame(Opcode::Continuation, "\xac") + client_frame(Opcode::Pong, "p") +
                           client_frame(Opcode::Text, std::string(126, 's')) + client_frame(Opcode::Text, large) +
                           client_frame(Opcode::Text, "") +
                           client_frame(Opcode::Close,
                                        "\x03\xe8"
                                        "bye");
  const std::vector<std::string> expected = {"message Hello",
                                             "message \xff",
                                             "ping ",
                                             "ping between",
                                             "message \u20ac",
                                             "pong p",
                                             "message " + std::string(126, 's'),
                                             "message " + large,
                                             "message ",
                                             "close \x03\xe8"
                                             "bye"};
  for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{4096}, data.size()}) {
    CHECK(read_all(data, piece) == expected);
  }
}

TEST_CASE("the example of a masked frame in RFC 6455 is read") {
  CHECK(read_all("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 3) == std::vector<std::string>{"message Hello"});
}

TEST_CASE("a close frame may be empty or carry any code that may be sent") {
  CHECK(read_all(client_frame(Opcode::Close, ""), 99) == std::vector<std::string>{"close "});
  for (const unsigned code : {1000U, 1001U, 1003U, 1007U, 1011U, 1014U, 3000U, 4999U}) {
    const std::string text = {static_cast<char>(code >> 8U), static_cast<char>(code & 0xffU)};
    CHECK(read_all(client_frame(Opcode::Close, text), 99) == std::vector<std::string>{"close " + text});
  }
}

TEST_CASE("bad frames fail with the code that says why, however they come") {
  const auto long_header = [](unsigned first, std::uint64_t length, unsigned bytes) {
    std::string text = {static_cast<char>(first), static_cast<char>(bytes == 2 ? 0xfe : 0xff)};
    while (bytes-- > 0) text += static_cast<char>(length >> (bytes * 8) & 0xffU);
    return text + "mask";
  };
  struct Bad {
    std::string data;
    int code;
  };
  const std::vector<Bad> table = {
      {std::string("\x81\x05Hello"), 1002},       // not masked
      {std::string("\x81\x00", 2), 1002},         // the same without payload
      {client_frame(kFinal | 0x41U, "x"), 1002},  // reserved bits
      {client_frame(kFinal | 0x21U, "x"), 1002},
      {client_frame(kFinal | 0x11U, "x"), 1002},
      {client_frame(kFinal | 0x03U, "x"), 1002},  // unknown opcodes
      {client_frame(kFinal | 0x0bU, ""), 1002},
      {client_frame(kFinal | 0x0fU, "x"), 1002},
      {client_frame(0x09, "x"), 1002},  // a ping in fragments
      {client_frame(0x08, ""), 1002},
      {client_frame(Opcode::Ping, std::string(126, 'x')), 1002},  // a long ping
      {client_frame(Opcode::Close, std::string("\x03\xe8") + std::string(124, 'x')), 1002},
      {client_frame(Opcode::Continuation, "x"), 1002},  // the end of nothing
      {client_frame(0x00, "x"), 1002},
      {client_frame(0x01, "x") + client_frame(Opcode::Text, "y"), 1002},  // a message within another
      {client_frame(0x02, "x") + client_frame(0x01, "y"), 1002},
      {long_header(0x81, 125, 2), 1002},  // lengths in a form too long
      {long_header(0x82, 0, 2), 1002},
      {long_header(0x81, 65535, 8), 1002},
      {long_header(0x81, 1ULL << 63U, 8), 1002},                        // and too large for the form
      {client_frame(Opcode::Close, "x"), 1002},                         // half a code
      {client_frame(Opcode::Close, std::string("\x00\x00", 2)), 1002},  // codes that are never sent
      {client_frame(Opcode::Close, "\x03\xe7"), 1002},                  // 999
      {client_frame(Opcode::Close, "\x03\xec"), 1002},                  // 1004
      {client_frame(Opcode::Close, "\x03\xed"), 1002},                  // 1005
      {client_frame(Opcode::Close, "\x03\xee"), 1002},                  // 1006
      {client_frame(Opcode::Close, "\x03\xf7"), 1002},                  // 1015
      {client_frame(Opcode::Close, "\x0b\xb7"), 1002},                  // 2999
      {client_frame(Opcode::Close, "\x13\x88"), 1002},                  // 5000
      {client_frame(Opcode::Close, "\x03\xe8\xff"), 1007},              // texts that are none
      {client_frame(Opcode::Text, "\xc0\x80"), 1007},
      {client_frame(Opcode::Text, "\xe2\x82"), 1007},
      {client_frame(0x01, "\xe2\x82") + client_frame(Opcode::Continuation, "x"), 1007},
      {long_header(0x81, kLimit + 1, 8), 1009},  // before any of it has come
      {long_header(0x82, (1ULL << 63U) - 1, 8), 1009},
      {client_frame(0x02, std::string(kLimit, 'x')) + client_frame(Opcode::Continuation, "y"), 1009},
      {client_frame(0x02, "x") + long_header(0x80, kLimit, 8), 1009},
  };
  for (const Bad& bad : table) {
    INFO(bad.code << " at " << &bad - table.data());
    for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, bad.data.size()}) {
      CHECK(read_all(bad.data, piece) == std::vector<std::string>{"failed " + std::to_string(bad.code)});
    }
  }
}

// Frames with random damage, and noise.
std::string damaged_frames(Random& random) {
  std::string data;
  for (std::uint64_t i = 0, count = 1 + random.below(6); i < count; ++i) {
    const auto first = static_cast<unsigned>(random.below(4) == 0 ? random.below(256) : kFinal | random.below(11));
    const std::size_t size = random.below(20) == 0 ? random.below(kLimit + 10) : random.below(130);
    data += client_frame(first, std::string(size, static_cast<char>('a' + random.below(26))));
  }
  for (std::uint64_t i = 0, count = random.below(4); i < count && !data.empty(); ++i) {
    const std::size_t at = random.below(data.size());
    switch (random.below(3)) {
      case 0:
        data[at] = static_cast<char>(random.next());
        break;
      case 1:
        data.erase(at, random.below(20));
        break;
      default:
        data.insert(at, data.substr(random.below(data.size()), random.below(50)));
    }
  }
  return data;
}

TEST_CASE("random and damaged frames are read the same however they are cut") {
  const std::uint64_t seed = system_random()->next();
  const auto random = seeded_random(seed);
  INFO("seed " << seed);
  for (int i = 0; i < 3000; ++i) {
    const std::string data = damaged_frames(*random);
    const std::vector<std::string> whole = read_all(data, data.size());
    const std::size_t piece = 1 + random->below(200);
    if (read_all(data, piece) != whole) FAIL("differs in pieces of " << piece);
  }
}

}  // namespace
}  // namespace coracle::http::websocket
