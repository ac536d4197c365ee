#include <nghttp2/nghttp2.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <functional>

#include "base/http/testing/http2_frames.h"
#include "base/http/testing/support.h"
#include "base/sync.h"

namespace coracle::http {
namespace {

using testing::field;
using testing::Frame;
using testing::frame;
using testing::get_fields;
using testing::get_frame;
using testing::kAck;
using testing::kContinuation;
using testing::kData;
using testing::kEndHeaders;
using testing::kEndStream;
using testing::kGoaway;
using testing::kHeaders;
using testing::kPing;
using testing::kReset;
using testing::kSettings;
using testing::number;
using testing::opening;
using testing::post_fields;
using testing::RawTlsConnection;
using testing::TestServer;

// Reads frames until one satisfies `wanted`; false at the end of the connection.
class FrameReader {
 public:
  explicit FrameReader(RawTlsConnection& connection) : connection_(connection) {
    REQUIRE(nghttp2_hd_inflate_new(&inflater_) == 0);
  }
  ~FrameReader() { nghttp2_hd_inflate_del(inflater_); }
  FrameReader(const FrameReader&) = delete;
  FrameReader& operator=(const FrameReader&) = delete;

  bool until(const std::function<bool(const Frame&)>& wanted) {
    while (next()) {
      if (wanted(frame)) return true;
    }
    return false;
  }
  bool until_type(std::uint8_t type, std::uint32_t stream) {
    return until([&](const Frame& f) { return f.type == type && f.stream == stream; });
  }

  Frame frame;
  std::string status;  // of the last head

 private:
  // Every head must be read, for the sake of the table that later ones refer to.
  void read_head() {
    const auto* at = reinterpret_cast<const std::uint8_t*>(frame.payload.data());
    std::size_t left = frame.payload.size();
    int flags = 0;
    while ((flags & NGHTTP2_HD_INFLATE_FINAL) == 0) {
      nghttp2_nv pair{};
      const ssize_t used = nghttp2_hd_inflate_hd2(inflater_, &pair, &flags, at, left, 1);
      REQUIRE(used >= 0);
      at += used;
      left -= static_cast<std::size_t>(used);
      const bool pseudo = (flags & NGHTTP2_HD_INFLATE_EMIT) != 0 && pair.name[0] == ':';
      if (pseudo) status.assign(reinterpret_cast<const char*>(pair.value), pair.valuelen);
    }
    nghttp2_hd_inflate_end_headers(inflater_);
  }
  bool fill(std::size_t size) {
    while (buffer_.size() < size) {
      const std::string more = connection_.receive();
      if (more.empty()) return false;
      buffer_ += more;
    }
    return true;
  }
  bool next() {
    if (!fill(9)) return false;
    const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(buffer_[i])); };
    const std::size_t size = byte(0) << 16 | byte(1) << 8 | byte(2);
    frame.type = static_cast<std::uint8_t>(byte(3));
    frame.flags = static_cast<std::uint8_t>(byte(4));
    frame.stream = byte(5) << 24 | byte(6) << 16 | byte(7) << 8 | byte(8);
    if (!fill(9 + size)) return false;
    frame.payload = buffer_.substr(9, size);
    buffer_.erase(0, 9 + size);
    if (frame.type == kHeaders) read_head();
    return true;
  }

  RawTlsConnection& connection_;
  nghttp2_hd_inflater* inflater_ = nullptr;
  std::string buffer_;
};

bool answers(TestServer& server) {
  const auto response = server.client()->send(server.context(), server.url("/alive"), testing::make_request());
  return response.ok() && response->status == 200;
}

TEST_CASE("requests on one connection are answered as they finish") {
  TestServer server([](const Context&, const Request& request) { return Response::text(200, request.body); });
  RawTlsConnection raw(server.port(), "h2");
  FrameReader reader(raw);
  raw.send(opening() + frame(kHeaders, kEndHeaders, 1, post_fields()) + frame(kData, 0, 1, "first") + get_frame(3));
  REQUIRE(reader.until_type(kHeaders, 3));
  CHECK(reader.status == "200");
  raw.send(frame(kData, kEndStream, 1, "half"));
  REQUIRE(reader.until_type(kData, 1));
  CHECK(reader.frame.payload == "firsthalf");
}

TEST_CASE("large heads and bodies are refused on their stream only") {
  std::atomic<int> handled{0};
  TestServer server([&](const Context&, const Request&) { return ++handled, Response::text(200, "ok"); }, true,
                    [](ServerOptions& options) {
                      options.max_header_bytes = 2000;
                      options.max_body_bytes = 1000;
                    });
  RawTlsConnection raw(server.port(), "h2");
  FrameReader reader(raw);
  std::string large = get_fields();
  for (int i = 0; i < 20; ++i) large += field("x-large", std::string(100, 'x'));
  raw.send(opening() + frame(kHeaders, kEndHeaders | kEndStream, 1, large));
  REQUIRE(reader.until_type(kHeaders, 1));
  CHECK(reader.status == "431");
  raw.send(frame(kHeaders, kEndHeaders, 3, post_fields()) + frame(kData, 0, 3, std::string(1001, 'x')));
  REQUIRE(reader.until_type(kHeaders, 3));
  CHECK(reader.status == "413");
  // The client is told that the rest of the body is not wanted.
  REQUIRE(reader.until_type(kReset, 3));
  CHECK(reader.frame.payload == number(0, 4));
  CHECK(handled == 0);
  raw.send(get_frame(5));
  REQUIRE(reader.until_type(kHeaders, 5));
  CHECK(reader.status == "200");
  CHECK(handled == 1);
}

TEST_CASE("streams beyond the limit are refused") {
  Event* released = nullptr;
  TestServer server(
      [&](const Context& context, const Request& request) {
        if (request.path == "/") released->wait(context).ignore("the client is gone");
        return Response::text(200, "ok");
      },
      true, [](ServerOptions& options) { options.max_streams_per_connection = 2; });
  Event event(server.executor());
  released = &event;
  {
    RawTlsConnection raw(server.port(), "h2");
    FrameReader reader(raw);
    raw.send(opening() + get_frame(1) + get_frame(3) + get_frame(5));
    REQUIRE(reader.until([](const Frame& f) { return (f.type == kReset && f.stream == 5) || f.type == kGoaway; }));
    event.set();
    if (reader.frame.type == kReset) {
      CHECK(reader.until_type(kHeaders, 1));
    }
  }
  CHECK(answers(server));
  server.stop();
}

TEST_CASE("a client that resets what it opens has no more handlers than streams") {
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  TestServer server(
      [&](const Context& context, const Request& request) {
        const int now = ++running;
        for (int before = most; before < now && !most.compare_exchange_weak(before, now);) {
        }
        if (request.path == "/") context.sleep(std::chrono::milliseconds(1)).ignore("reset");
        --running;
        return Response::text(200, "ok");
      },
      true, [](ServerOptions& options) { options.max_streams_per_connection = 8; });
  RawTlsConnection raw(server.port(), "h2");
  FrameReader reader(raw);
  raw.send(opening());
  for (std::uint32_t stream = 1; stream < 20000; stream += 2) {
    REQUIRE(raw.send(get_frame(stream) + frame(kReset, 0, stream, number(8, 4))));
  }
  // The limit of resets ends the connection.
  CHECK(reader.until([](const Frame& f) { return f.type == kGoaway; }));
  CHECK(most <= 8);
  CHECK(answers(server));
}

TEST_CASE("floods end their connection and nothing else") {
  TestServer server(testing::answer_ok);
  std::string flood;
  SECTION("pings that are never read") {
    for (int i = 0; i < 200; ++i) flood += frame(kPing, 0, 0, "12345678");
  }
  SECTION("settings") {
    for (int i = 0; i < 200; ++i) flood += frame(kSettings, 0, 0, number(3, 2) + number(100, 4));
  }
  SECTION("a head without end") {
    flood = frame(kHeaders, 0, 1, get_fields());
    for (int i = 0; i < 500; ++i) flood += frame(kContinuation, 0, 1, field("x", std::string(100, 'x')));
  }
  SECTION("empty data") {
    flood = frame(kHeaders, kEndHeaders, 1, post_fields());
    for (int i = 0; i < 5000; ++i) flood += frame(kData, 0, 1, "");
  }
  RawTlsConnection raw(server.port(), "h2");
  raw.send(opening());
  for (int i = 0; i < 20 && raw.send(flood); ++i) {
  }
  CHECK(answers(server));
}

// Heads that are far larger than their frames: the first puts a field of nearly 4 KB into the compression's table, the
// others refer to it again and again.
std::string swelling_head(std::uint32_t stream) {
  const std::string value(3900, 'a');
  // A literal to be indexed: a name of one byte, and the value's length as 127 and the rest in two groups of seven
  // bits.
  const std::string indexed = std::string("\x40\x01x\x7f") + static_cast<char>(0x80U | ((3900 - 127) & 0x7fU)) +
                              static_cast<char>((3900 - 127) >> 7U) + value;
  const std::string fields = stream == 1 ? indexed : std::string(15, '\xbe');
  return frame(kHeaders, kEndHeaders, stream, post_fields() + fields);
}

TEST_CASE("a client with too much in the heads of unfinished requests is told to calm down") {
  TestServer server(testing::answer_ok);
  RawTlsConnection raw(server.port(), "h2");
  FrameReader reader(raw);
  raw.send(opening());
  for (std::uint32_t stream = 1; stream < 400; stream += 2) REQUIRE(raw.send(swelling_head(stream)));
  raw.send(frame(kPing, 0, 0, "12345678"));
  REQUIRE(reader.until([](const Frame& f) { return f.type == kGoaway || (f.type == kPing && f.flags == kAck); }));
  REQUIRE(reader.frame.type == kGoaway);
  CHECK(reader.frame.payload.substr(4, 4) == number(NGHTTP2_ENHANCE_YOUR_CALM, 4));
  CHECK(answers(server));
}

TEST_CASE("heads of many connections count as uploads, and whole requests are served beside them") {
  TestServer server(testing::answer_ok, true, [](ServerOptions& options) { options.io_threads = 1; });
  std::vector<std::unique_ptr<RawTlsConnection>> crowd;
  std::string status;
  // Each holds nearly what one may; together they would hold 240 MB.
  for (int i = 0; i < 60 && status.empty(); ++i) {
    RawTlsConnection& raw = *crowd.emplace_back(std::make_unique<RawTlsConnection>(server.port(), "h2"));
    FrameReader reader(raw);
    raw.send(opening());
    for (std::uint32_t stream = 1; stream < 2 * 68; stream += 2) REQUIRE(raw.send(swelling_head(stream)));
    // The answer to a ping overtakes those to requests; not so the answer to the next ping.
    for (int ping = 0; ping < 2 && reader.status.empty(); ++ping) {
      raw.send(frame(kPing, 0, 0, "12345678"));
      REQUIRE(reader.until([](const Frame& f) { return f.type == kHeaders || (f.type == kPing && f.flags == kAck); }));
    }
    status = reader.status;
  }
  CHECK(status == "503");
  CHECK(answers(server));
  crowd.clear();
  RawTlsConnection later(server.port(), "h2");
  FrameReader reader(later);
  later.send(opening() + swelling_head(1) + frame(kData, kEndStream, 1, "body"));
  REQUIRE(reader.until_type(kHeaders, 1));
  CHECK(reader.status == "200");
}

TEST_CASE("a thousand ordinary requests may be unfinished at once, time after time") {
  TestServer server([](const Context&, const Request& request) { return Response::text(200, request.body); });
  RawTlsConnection raw(server.port(), "h2");
  FrameReader reader(raw);
  raw.send(opening());
  std::string fields = post_fields();
  for (int i = 0; i < 10; ++i) fields += field("x-ordinary", std::string(100, 'x'));
  std::uint32_t stream = 1;
  for (int round = 0; round < 4; ++round) {
    const std::uint32_t first = stream;
    for (int i = 0; i < 1000; ++i, stream += 2) REQUIRE(raw.send(frame(kHeaders, kEndHeaders, stream, fields)));
    for (std::uint32_t open = first; open < stream; open += 2) {
      REQUIRE(raw.send(frame(kData, kEndStream, open, "x")));
      REQUIRE(reader.until([](const Frame& f) { return f.type == kGoaway || f.type == kData; }));
      REQUIRE(reader.frame.type == kData);
      REQUIRE(reader.frame.stream == open);
    }
  }
}

TEST_CASE("what was answered is not held for a client that does not read") {
  TestServer server(testing::answer_ok);
  RawTlsConnection raw(server.port(), "h2");
  FrameReader reader(raw);
  // Streams without a window: the heads of the answers come, their bodies cannot.
  raw.send(std::string(testing::kHttp2Preface) + frame(kSettings, 0, 0, number(4, 2) + number(0, 4)));
  for (std::uint32_t stream = 1; stream < 400; stream += 2) {
    REQUIRE(raw.send(swelling_head(stream) + frame(kData, kEndStream, stream, "")));
    REQUIRE(reader.until([](const Frame& f) { return f.type == kHeaders || f.type == kGoaway; }));
    REQUIRE(reader.frame.type == kHeaders);
    REQUIRE(reader.status == "200");
  }
}

TEST_CASE("a client that breaks the rules and reads no answer is told to calm down") {
  TestServer server(testing::answer_ok);
  RawTlsConnection raw(server.port(), "h2");
  raw.send(opening());
  std::string many;
  std::uint32_t stream = 1;
  // Each asks for a reset: far more of them than the sockets' buffers take.
  for (int round = 0; round < 500; ++round, many.clear()) {
    for (int i = 0; i < 1000; ++i, stream += 2) {
      many += frame(kHeaders, kEndHeaders | kEndStream, stream, get_fields() + field("UPPER", "x"));
    }
    if (!raw.send(many)) break;
  }
  raw.send(frame(kPing, 0, 0, "12345678"));
  FrameReader reader(raw);
  REQUIRE(reader.until([](const Frame& f) { return f.type == kGoaway || (f.type == kPing && f.flags == kAck); }));
  REQUIRE(reader.frame.type == kGoaway);
  CHECK(reader.frame.payload.substr(4, 4) == number(NGHTTP2_ENHANCE_YOUR_CALM, 4));
  CHECK(answers(server));
}

TEST_CASE("HTTP/2 requests that do not arrive in time are answered") {
  TestServer server(testing::answer_ok, true,
                    [](ServerOptions& options) { options.header_timeout = std::chrono::milliseconds(100); });
  RawTlsConnection raw(server.port(), "h2");
  FrameReader reader(raw);
  raw.send(opening() + frame(kHeaders, kEndHeaders, 1, post_fields()) + frame(kData, 0, 1, "part"));
  REQUIRE(reader.until_type(kHeaders, 1));
  CHECK(reader.status == "408");
  RawTlsConnection half(server.port(), "h2");
  FrameReader half_reader(half);
  half.send(opening() + frame(kHeaders, 0, 1, get_fields()));
  CHECK(half_reader.until_type(kGoaway, 0));
}

TEST_CASE("pings do not keep a connection that nobody uses") {
  TestServer server(testing::answer_ok, true,
                    [](ServerOptions& options) { options.idle_timeout = std::chrono::milliseconds(100); });
  RawTlsConnection raw(server.port(), "h2");
  FrameReader reader(raw);
  raw.send(opening());
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  bool ended = false;
  while (!ended && std::chrono::steady_clock::now() < give_up) {
    raw.send(frame(kPing, 0, 0, "12345678"));
    // Nothing at all comes when the ping was sent after the end.
    ended = !reader.until([](const Frame& f) { return f.type == kGoaway || (f.type == kPing && f.flags == kAck); }) ||
            reader.frame.type == kGoaway;
  }
  REQUIRE(ended);
  CHECK(reader.frame.type == kGoaway);
  CHECK(reader.frame.payload.substr(4, 4) == number(NGHTTP2_NO_ERROR, 4));
}

// Counts what is pulled and tells when it dies.
class WatchedSource : public BodySource {
 public:
  WatchedSource(std::atomic<std::size_t>& pulled, Event& destroyed) : pulled_(pulled), destroyed_(destroyed) {}
  ~WatchedSource() override { destroyed_.set(); }
  State pull(std::vector<Bytes>& out, std::size_t limit) override {
    out.push_back(bytes(std::string(limit, 'x')));
    pulled_ += limit;
    return State::More;
  }
  void on_ready(std::function<void()>) override {}

 private:
  std::atomic<std::size_t>& pulled_;
  Event& destroyed_;
};

TEST_CASE("a reader that does not read is not pulled for, and its source dies with it") {
  const bool http2 = GENERATE(true, false);
  std::atomic<std::size_t> pulled{0};
  Event* destroyed = nullptr;
  TestServer server([&](const Context&, const Request& request) {
    Response response = Response::text(200, "");
    if (request.path == "/") response.source = std::make_unique<WatchedSource>(pulled, *destroyed);
    return response;
  });
  Event event(server.executor());
  destroyed = &event;
  {
    RawTlsConnection raw(server.port(), http2 ? "h2" : "http/1.1");
    raw.send(http2 ? opening() + get_frame(1) : "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    while (pulled == 0) CHECK(answers(server));
    for (int i = 0; i < 20; ++i) CHECK(answers(server));
    // What the kernel's buffers and one turn of ours hold.
    CHECK(pulled < 32 * 1024 * 1024);
    CHECK_FALSE(event.is_set());
  }
  CHECK(event.wait(server.context()).ok());
}

TEST_CASE("a protocol switch over HTTP/2 tells the client to use HTTP/1.1") {
  TestServer server([](const Context&, const Request&) {
    Response response;
    response.status = 101;
    response.upgraded = [](const Context&, std::unique_ptr<UpgradedStream>) {};
    return response;
  });
  RawTlsConnection raw(server.port(), "h2");
  FrameReader reader(raw);
  raw.send(opening() + get_frame(1));
  REQUIRE(reader.until_type(kReset, 1));
  CHECK(reader.frame.payload == number(13, 4));
}

TEST_CASE("draining says goodbye, lets requests finish and ends idle connections") {
  Event* entered = nullptr;
  Event* released = nullptr;
  std::atomic<int> handlers{0};
  TestServer server([&](const Context& context, const Request&) {
    if (++handlers == 2) entered->set();
    released->wait(context).ignore("the answer is checked");
    return Response::text(200, "finished");
  });
  Event entered_event(server.executor());
  Event released_event(server.executor());
  entered = &entered_event;
  released = &released_event;
  RawTlsConnection idle(server.port(), "h2");
  FrameReader idle_reader(idle);
  idle.send(opening());
  REQUIRE(idle_reader.until_type(kSettings, 0));
  RawTlsConnection busy(server.port(), "h2");
  FrameReader busy_reader(busy);
  busy.send(opening() + get_frame(1));
  RawTlsConnection old(server.port(), "http/1.1");
  old.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  REQUIRE(entered_event.wait(server.context()).ok());

  server.server().drain(server.context().with_timeout(std::chrono::milliseconds(1)));
  CHECK(idle_reader.until_type(kGoaway, 0));
  CHECK_FALSE(idle_reader.until_type(kData, 1));
  CHECK(busy_reader.until_type(kGoaway, 0));
  released_event.set();
  REQUIRE(busy_reader.until_type(kData, 1));
  CHECK(busy_reader.frame.payload == "finished");
  CHECK(old.receive().find("Connection: close") != std::string::npos);
  server.server().drain(server.context());
  CHECK_FALSE(answers(server));
  server.stop();
}

}  // namespace
}  // namespace coracle::http
