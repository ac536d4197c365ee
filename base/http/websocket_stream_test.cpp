#include <sys/socket.h>

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdint>

#include "base/http/testing/support.h"
#include "base/http/testing/websocket_frames.h"
#include "base/http/websocket.h"
#include "base/sync.h"

// Sources of messages behind a real server.
namespace coracle::http {
namespace {

using testing::client_frame;
using testing::CountingSource;
using testing::kWebSocketRequest;
using testing::RawConnection;
using testing::RawTlsConnection;
using testing::server_frame;
using testing::TestServer;
using websocket::close_frame;
using websocket::CloseCode;
using websocket::Opcode;

// Counts what was pulled, and says when it is gone.
class WatchedSource : public CountingSource {
 public:
  WatchedSource(std::string piece, std::size_t count, std::atomic<std::size_t>& pulled, Event& gone)
      : CountingSource(std::move(piece), count, false), pulled_(pulled), gone_(gone) {}
  ~WatchedSource() override { gone_.set(); }
  State pull(std::vector<Bytes>& out, std::size_t limit) override {
    const std::size_t before = out.size();
    const State state = CountingSource::pull(out, limit);
    for (std::size_t i = before; i < out.size(); ++i) pulled_ += out[i]->size();
    return state;
  }

 private:
  std::atomic<std::size_t>& pulled_;
  Event& gone_;
};

Response over_websocket(const Request& request, std::unique_ptr<BodySource> source, Opcode kind = Opcode::Text) {
  Response response = websocket::accept(request, "");
  if (response.status == 101) response.duplex = websocket::make_message_stream(std::move(source), kind);
  return response;
}

// What is left after the answer's head.
std::string frames_of(const std::string& answer) {
  REQUIRE(answer.find("HTTP/1.1 101 Switching Protocols\r\n") == 0);
  return answer.substr(answer.find("\r\n\r\n") + 4);
}

std::string pulled_text(DuplexSource& source, BodySource::State expected) {
  std::vector<Bytes> out;
  CHECK(source.pull(out, 1000) == expected);
  std::string text;
  for (const Bytes& piece : out) text += *piece;
  return text;
}

TEST_CASE("each piece of a source is a message, and its end closes the connection") {
  const Opcode kind = GENERATE(Opcode::Text, Opcode::Binary);
  TestServer server(
      [kind](const Context&, const Request& request) {
        return over_websocket(request, std::make_unique<CountingSource>(std::string(200, 'e'), 3), kind);
      },
      false);
  RawConnection raw(server.port());
  raw.send(kWebSocketRequest);
  const std::string frame = server_frame(kind, std::string(200, 'e'));
  const std::string frames = frames_of(raw.receive_until(close_frame(CloseCode::Normal)));
  CHECK(frames == frame + frame + frame + close_frame(CloseCode::Normal));
  raw.send(client_frame(Opcode::Close, "\x03\xe8"));
  raw.finish_sending();
  CHECK(raw.receive_all().empty());
}

TEST_CASE("a connection of WebSocket lives beside its silent source until the client closes") {
  std::atomic<std::size_t> pulled{0};
  Event* gone = nullptr;
  const auto answer = [&](const Context&, const Request& request) {
    return over_websocket(request, std::make_unique<WatchedSource>("event", 1, pulled, *gone));
  };
  SECTION("in clear text, with frames sent ahead of the answer") {
    TestServer server(answer, false);
    Event event(server.executor());
    gone = &event;
    RawConnection raw(server.port());
    raw.send(std::string(kWebSocketRequest) + client_frame(Opcode::Ping, "early"));
    const std::string pong = server_frame(Opcode::Pong, "early");
    CHECK(frames_of(raw.receive_until(pong)).find(pong) != std::string::npos);
    raw.send(client_frame(Opcode::Text, "ignored") + client_frame(Opcode::Pong, "ignored") +
             client_frame(Opcode::Ping, "late"));
    raw.receive_until(server_frame(Opcode::Pong, "late"));
    raw.send(client_frame(Opcode::Close, "\x0b\xb8reason"));
    // The last that a client sends may be the last that it can.
    raw.finish_sending();
    CHECK(raw.receive_all() == server_frame(Opcode::Close, "\x0b\xb8"));
    CHECK(event.wait(server.context()).ok());
  }
  SECTION("over TLS") {
    TestServer server(answer);
    Event event(server.executor());
    gone = &event;
    RawTlsConnection raw(server.port(), "http/1.1");
    raw.send(kWebSocketRequest);
    std::string got;
    while (got.find(server_frame(Opcode::Text, "event")) == std::string::npos) got += raw.receive();
    raw.send(client_frame(Opcode::Ping, "x"));
    CHECK(raw.receive() == server_frame(Opcode::Pong, "x"));
    raw.send(client_frame(Opcode::Close, ""));
    CHECK(raw.receive() == server_frame(Opcode::Close, ""));
    CHECK(raw.receive().empty());
    CHECK(event.wait(server.context()).ok());
  }
  SECTION("or goes without a word") {
    TestServer server(answer, false);
    Event event(server.executor());
    gone = &event;
    {
      RawConnection raw(server.port());
      raw.send(kWebSocketRequest);
      raw.receive_until(server_frame(Opcode::Text, "event"));
    }
    CHECK(event.wait(server.context()).ok());
  }
  SECTION("or the server stops") {
    TestServer server(answer, false);
    Event event(server.executor());
    gone = &event;
    RawConnection raw(server.port());
    raw.send(kWebSocketRequest);
    raw.receive_until(server_frame(Opcode::Text, "event"));
    server.stop();
    CHECK(raw.receive_all().empty());
    CHECK(event.wait(server.context()).ok());
  }
}

TEST_CASE("bad frames end the connection with the code that says why") {
  std::atomic<std::size_t> pulled{0};
  Event* gone = nullptr;
  TestServer server(
      [&](const Context&, const Request& request) {
        return over_websocket(request, std::make_unique<WatchedSource>("event", 1, pulled, *gone));
      },
      false);
  const std::vector<std::pair<std::string, CloseCode>> table = {
      {server_frame(Opcode::Text, "not masked"), CloseCode::ProtocolError},
      {client_frame(Opcode::Text, "\xff"), CloseCode::NotText},
      {client_frame(Opcode::Text, std::string(64 * 1024 + 1, 'x')), CloseCode::TooLarge},
  };
  for (const auto& [frame, code] : table) {
    Event event(server.executor());
    gone = &event;
    RawConnection raw(server.port());
    raw.send(kWebSocketRequest);
    raw.receive_until(server_frame(Opcode::Text, "event"));
    raw.send(frame + client_frame(Opcode::Ping, "nobody reads this"));
    CHECK(raw.receive_all() == close_frame(code));
    CHECK(event.wait(server.context()).ok());
  }
}

TEST_CASE("a slow reader of messages stops their source, and may still close") {
  constexpr std::size_t kRead = 1024 * 1024;
  constexpr std::size_t kWhatTheKernelMayHold = 64 * 1024 * 1024;
  std::atomic<std::size_t> pulled{0};
  Event* gone = nullptr;
  TestServer server(
      [&](const Context&, const Request& request) {
        return over_websocket(request,
                              std::make_unique<WatchedSource>(std::string(1000, 'x'), SIZE_MAX, pulled, *gone));
      },
      false);
  Event event(server.executor());
  gone = &event;
  RawConnection raw(server.port());
  raw.send(kWebSocketRequest);
  std::array<char, 4096> buffer;
  for (std::size_t got = 0; got < kRead;) {
    const ssize_t size = recv(raw.descriptor(), buffer.data(), buffer.size(), 0);
    REQUIRE(size > 0);
    got += static_cast<std::size_t>(size);
  }
  raw.send(client_frame(Opcode::Close, ""));
  CHECK(event.wait(server.context()).ok());
  CHECK(pulled < kWhatTheKernelMayHold);
}

TEST_CASE("a client that only pings is answered once for each pull") {
  const auto stream = websocket::make_message_stream(std::make_unique<CountingSource>("m", 1, false), Opcode::Text);
  stream->on_ready([] {});
  for (int i = 0; i < 1000; ++i) stream->receive(client_frame(Opcode::Ping, std::to_string(i)));
  CHECK(pulled_text(*stream, BodySource::State::Pending) ==
        server_frame(Opcode::Pong, "999") + server_frame(Opcode::Text, "m"));
  CHECK(pulled_text(*stream, BodySource::State::Pending).empty());
  // What follows a close has no meaning.
  stream->receive(client_frame(Opcode::Close, "") + client_frame(Opcode::Ping, "after"));
  stream->receive(client_frame(Opcode::Ping, "after"));
  CHECK(pulled_text(*stream, BodySource::State::End) == server_frame(Opcode::Close, ""));
}

TEST_CASE("a handshake that cannot be answered leaves the connection as it was") {
  TestServer server(
      [](const Context&, const Request& request) {
        return over_websocket(request, std::make_unique<CountingSource>("m", 1));
      },
      false);
  RawConnection raw(server.port());
  raw.send(
      "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
      "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string all = raw.receive_all();
  CHECK(all.find("HTTP/1.1 400 Bad Request\r\n") == 0);
  CHECK(all.rfind("HTTP/1.1 400 Bad Request\r\n") > 0);
}

}  // namespace
}  // namespace coracle::http
