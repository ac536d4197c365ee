#include "base/http/server.h"

#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "base/http/internal/recurring_warning.h"
#include "base/http/testing/http2_frames.h"
#include "base/http/testing/support.h"
#include "base/http/testing/websocket_frames.h"
#include "base/http/websocket.h"
#include "base/sync.h"

namespace coracle::http {
namespace {

using testing::RawConnection;
using testing::RawTlsConnection;
using testing::TestServer;

TEST_CASE("an address that is taken or none at all is Unavailable") {
  TestServer server(testing::answer_ok, false);
  testing::FunctionHandler handler(testing::answer_ok);
  ServerOptions options;
  options.port = server.port();
  for (const std::string address : {"127.0.0.1", "not an address"}) {
    options.address = address;
    const auto second = serve(server.executor(), handler, options, Logger(null_log_sink(), "http"));
    REQUIRE_FALSE(second.ok());
    CHECK(second.error().reason() == Reason::Unavailable);
    CHECK(second.error().message().find(address) != std::string::npos);
  }
}

TEST_CASE("new connections use replaced credentials, old ones go on") {
  TestServer server(testing::answer_ok);
  RawTlsConnection old(server.port(), "http/1.1");
  const testing::TestCertificates fresh(server.executor().clock().wall(), "renewed");
  REQUIRE(server.credentials().replace(fresh.server_chain, fresh.server_key).ok());
  RawTlsConnection renewed(server.port(), "http/1.1");
  CHECK(renewed.server_certificate() == tls::inspect_certificate(fresh.server_chain)->sha256);
  CHECK(old.server_certificate() == tls::inspect_certificate(server.certificates().server_chain)->sha256);
  for (RawTlsConnection* connection : {&old, &renewed}) {
    connection->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(connection->receive().find("200 OK") != std::string::npos);
  }
}

TEST_CASE("a quick request runs on the I/O thread, and one that waits holds nothing up") {
  std::unique_ptr<Event> released;
  std::mutex mutex;
  std::map<std::string, std::thread::id> threads;
  const auto handler = [&](const Context& context, const Request& request) {
    const std::thread::id before = std::this_thread::get_id();
    if (request.path == "/quick/wait" && !released->wait(context).ok()) return Response::text(500, "not released");
    if (request.path == "/quick/release") released->set();
    const std::lock_guard lock(mutex);
    threads[request.path] = before == std::this_thread::get_id() ? before : std::thread::id();
    return Response::text(200, "done");
  };
  TestServer server(handler, true, [](ServerOptions& options) { options.io_threads = 1; });
  released = std::make_unique<Event>(server.executor());
  RawTlsConnection waiting(server.port(), "http/1.1");
  RawTlsConnection other(server.port(), "http/1.1");
  waiting.send("GET /quick/wait HTTP/1.1\r\nHost: x\r\n\r\n");
  for (const std::string path : {"/slow", "/quick/release"}) {
    other.send("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(other.receive().find("200 OK") != std::string::npos);
  }
  CHECK(waiting.receive().find("200 OK") != std::string::npos);
  CHECK(threads["/quick/wait"] != std::thread::id());
  CHECK(threads["/quick/wait"] == threads["/quick/release"]);
  CHECK(threads["/quick/wait"] != threads["/slow"]);
}

TEST_CASE("a server that stops asks quick handlers to give up and waits for them") {
  std::unique_ptr<Event> begun;
  std::atomic<bool> ended = false;
  TestServer server([&](const Context& context, const Request&) {
    begun->set();
    context.sleep(std::chrono::hours(1)).ignore("ends with the server");
    ended = true;
    return Response::text(200, "done");
  });
  begun = std::make_unique<Event>(server.executor());
  RawTlsConnection connection(server.port(), "http/1.1");
  connection.send("GET /quick/ HTTP/1.1\r\nHost: x\r\n\r\n");
  REQUIRE(begun->wait(server.context()).ok());
  server.stop();
  CHECK(ended);
}

TEST_CASE("several I/O threads serve many connections") {
  TestServer server([](const Context&, const Request& request) { return Response::text(200, request.body); }, true,
                    [](ServerOptions& options) { options.io_threads = 2; });
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) {
        // A client of its own for each, so that each connects.
        const auto client = server.client();
        Request request = testing::make_request();
        request.method = "POST";
        request.body = std::string(static_cast<std::size_t>(t * 10000 + i), 'x');
        const auto response = client->send(server.context(), server.url("/"), request);
        if (response.ok() && response->body_text() == request.body) ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(good == 40);
  std::vector<std::unique_ptr<RawConnection>> crowd;
  for (int i = 0; i < 200; ++i) crowd.push_back(std::make_unique<RawConnection>(server.port()));
  CHECK(server.client()->send(server.context(), server.url("/"), testing::make_request()).ok());
}

TEST_CASE("a state that lasts is warned of once, and again when it has been away for a minute") {
  internal::RecurringWarning warning;
  MonotonicTime now{};
  CHECK(warning.met(now));
  for (int i = 0; i < 10; ++i) CHECK_FALSE(warning.met(now += std::chrono::seconds(59)));
  CHECK(warning.met(now += std::chrono::seconds(60)));
  CHECK_FALSE(warning.met(now));
}

// Keeps the lines, as "message key=value ...".
class KeptLog : public LogSink {
 public:
  bool enabled(LogLevel level) const override { return level >= LogLevel::Warning; }
  void write(const LogRecord& record) override {
    std::string line(record.message);
    for (const LogField& field : record.fields) line += " " + std::string(field.key) + "=" + field.value;
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
    written_.notify_all();
  }
  void wait_for_a_line() {
    std::unique_lock lock(mutex_);
    written_.wait_for(lock, std::chrono::seconds(20), [&] { return !lines_.empty(); });
  }
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable written_;
  std::vector<std::string> lines_;
};

TEST_CASE("one line tells of connections that are closed because there are too many") {
  const auto log = std::make_shared<KeptLog>();
  TestServer server(
      testing::answer_ok, false, [](ServerOptions& options) { options.max_connections = 2; }, log);
  RawConnection first(server.port());
  RawConnection second(server.port());
  for (RawConnection* connection : {&first, &second}) {
    connection->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(connection->receive_until("ok").find("200 OK") != std::string::npos);
  }
  for (int i = 0; i < 5; ++i) CHECK(RawConnection(server.port()).receive_all().empty());
  const std::vector<std::string> lines = log->lines();
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].find("too many connections") != std::string::npos);
  CHECK(lines[0].find(" limit=2 connections=2") != std::string::npos);
}

TEST_CASE("connections that find no free file wait, and a line tells why") {
  const auto log = std::make_shared<KeptLog>();
  TestServer server(testing::answer_ok, false, nullptr, log);
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  const int lowest = dup(STDIN_FILENO);
  REQUIRE(lowest >= 0);
  close(lowest);
  // The client's end takes the last file that is allowed.
  rlimit few = before;
  few.rlim_cur = static_cast<rlim_t>(lowest) + 1;
  REQUIRE(setrlimit(RLIMIT_NOFILE, &few) == 0);
  RawConnection connection(server.port());
  log->wait_for_a_line();
  REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
  connection.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(connection.receive_until("ok").find("200 OK") != std::string::npos);
  const std::vector<std::string> lines = log->lines();
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].find("cannot accept connections") != std::string::npos);
  CHECK(lines[0].find(" limit=" + std::to_string(few.rlim_cur) + " connections=0") != std::string::npos);
}

TEST_CASE("bodies count as uploads until their requests are answered") {
  const bool http2 = GENERATE(true, false);
  Event* entered = nullptr;
  Event* released = nullptr;
  TestServer server(
      [&](const Context& context, const Request& request) {
        if (request.path == "/first") {
          entered->set();
          released->wait(context).ignore("the answer is checked");
        }
        return Response::text(200, "ok");
      },
      http2, [](ServerOptions& options) { options.max_body_bytes = std::size_t{80} << 20U; });
  Event entered_event(server.executor());
  Event released_event(server.executor());
  entered = &entered_event;
  released = &released_event;
  Request large = testing::make_request();
  large.method = "POST";
  large.body.assign(70 * 1024 * 1024, 'x');
  int first = 0;
  std::thread sender([&] {
    const auto answer = server.client()->send(server.context(), server.url("/first"), large);
    first = answer.ok() ? answer->status : -1;
  });
  CHECK(entered_event.wait(server.context()).ok());
  const auto refused = server.client()->send(server.context(), server.url("/"), large);
  released_event.set();
  sender.join();
  CHECK(first == 200);
  CHECK((!refused.ok() || refused->status == 503));
  const auto later = server.client()->send(server.context(), server.url("/"), large);
  CHECK((later.ok() && later->status == 200));
}

// A source that another thread feeds.
class FedSource : public BodySource {
 public:
  struct Feed {
    std::mutex mutex;
    std::vector<Bytes> waiting;
    std::function<void()> wake;
    std::size_t pulls = 0;
    bool ended = false;

    void push(const std::string& text, bool end) {
      std::function<void()> call;
      {
        const std::lock_guard lock(mutex);
        waiting.push_back(bytes(text));
        ended = end;
        call = wake;
      }
      if (call) call();
    }
  };
  explicit FedSource(std::shared_ptr<Feed> feed) : feed_(std::move(feed)) {}
  State pull(std::vector<Bytes>& out, std::size_t) override {
    const std::lock_guard lock(feed_->mutex);
    out.insert(out.end(), feed_->waiting.begin(), feed_->waiting.end());
    feed_->waiting.clear();
    ++feed_->pulls;
    return feed_->ended ? State::End : State::Pending;
  }
  void on_ready(std::function<void()> wake) override {
    const std::lock_guard lock(feed_->mutex);
    feed_->wake = std::move(wake);
  }

 private:
  std::shared_ptr<Feed> feed_;
};

auto fed_by(const std::shared_ptr<FedSource::Feed>& feed) {
  return [feed](const Context&, const Request&) {
    Response response;
    response.source = std::make_unique<FedSource>(feed);
    return response;
  };
}

TEST_CASE("what a source learns on other threads reaches the client in order") {
  const bool tls = GENERATE(true, false);
  const auto feed = std::make_shared<FedSource::Feed>();
  TestServer server(fed_by(feed), tls);
  constexpr int kEvents = 2000;
  std::string expected;
  for (int i = 0; i < kEvents; ++i) expected += "event " + std::to_string(i) + "\n";
  std::thread feeder([&] {
    for (int i = 0; i < kEvents; ++i) feed->push("event " + std::to_string(i) + "\n", i + 1 == kEvents);
  });
  const auto got = server.client()->send(server.context(), server.url("/"), testing::make_request());
  feeder.join();
  REQUIRE(got.ok());
  CHECK(got->body_text() == expected);
  server.stop();
  // A wake that comes after everything is gone does nothing.
  feed->wake();
}

TEST_CASE("a source that waits is not asked again before it wakes") {
  const bool tls = GENERATE(true, false);
  const auto feed = std::make_shared<FedSource::Feed>();
  feed->push("first", false);
  TestServer server(fed_by(feed), tls);
  const auto client = server.client();
  const auto answer = client->open(server.context(), server.url("/"), testing::make_request()).value();
  CHECK(answer->read(server.context()).value() == "first");
  feed->push("second", true);
  CHECK(answer->read(server.context()).value() == "second");
  CHECK(answer->read(server.context()).value().empty());
  CHECK(feed->pulls == 2);
}

TEST_CASE("destruction ends streams, asks handlers to stop and waits for them") {
  Event* entered = nullptr;
  std::atomic<bool> returned{false};
  TestServer server([&](const Context& context, const Request& request) {
    if (request.path == "/stream") {
      Response response;
      response.source = std::make_unique<testing::CountingSource>("piece", 1, false);
      return response;
    }
    entered->set();
    context.sleep(std::chrono::seconds(60)).ignore("ends early");
    returned = true;
    return Response::text(200, "late");
  });
  Event entered_event(server.executor());
  entered = &entered_event;
  RawTlsConnection stream(server.port(), "http/1.1");
  stream.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(stream.receive().find("200 OK") != std::string::npos);
  RawTlsConnection waiting(server.port(), "http/1.1");
  waiting.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  REQUIRE(entered_event.wait(server.context()).ok());
  server.stop();
  CHECK(returned);
  CHECK(waiting.receive().find("200 OK") != std::string::npos);
  while (!stream.receive().empty()) {
  }
}

// Valid traffic with random damage, and plain noise.
std::string fuzz_input(Random& random) {
  static const std::vector<std::string> kSeeds = {
      "GET /api/v1/pods?watch=1 HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\n\r\n",
      "POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nT: v\r\n\r\n",
      "PUT /y HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
      "GET /up HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nabc",
      std::string(testing::kWebSocketRequest) + testing::client_frame(websocket::Opcode::Ping, "hello") +
          testing::client_frame(websocket::Opcode::Text, "hello") + testing::client_frame(websocket::Opcode::Close, ""),
      testing::opening() + testing::get_frame(1) + testing::frame(testing::kPing, 0, 0, "12345678"),
      testing::opening() + testing::frame(testing::kHeaders, testing::kEndHeaders, 1, testing::post_fields()) +
          testing::frame(testing::kData, testing::kEndStream, 1, "hello") +
          testing::frame(testing::kWindow, 0, 0, "\0\0\1\0"),
      "",
  };
  std::string text;
  for (std::uint64_t i = 0, count = 1 + random.below(3); i < count; ++i) text += kSeeds[random.below(kSeeds.size())];
  if (text.empty()) text.resize(random.below(2000));
  for (std::uint64_t i = 0, count = random.below(8); i < count && !text.empty(); ++i) {
    const std::size_t at = random.below(text.size());
    switch (random.below(4)) {
      case 0:
        text[at] = static_cast<char>(random.next());
        break;
      case 1:
        text.erase(at, random.below(20));
        break;
      case 2:
        text.insert(at, text.substr(random.below(text.size()), random.below(50)));
        break;
      default:
        text.insert(at, 1, "\r\n\0: ,;"[random.below(7)]);
    }
  }
  return text;
}

Response fuzzed(const Context&, const Request& request) {
  Response response = Response::text(200, request.method + request.path + request.query + request.body);
  if (websocket::is_requested(request) && !request.headers.get("sec-websocket-key").empty()) {
    response = websocket::accept(request, "");
    if (response.status != 101) return response;
    response.duplex = websocket::make_message_stream(
        std::make_unique<testing::CountingSource>("x", 10, request.path.size() % 2 == 0), websocket::Opcode::Text);
  } else if (request.headers.has("upgrade")) {
    response = Response();
    response.status = 101;
    response.upgraded = [](const Context& context, std::unique_ptr<UpgradedStream> stream) {
      stream->write(context, "hello").ignore("the client may be gone");
    };
  } else if (!request.query.empty()) {
    response.body.clear();
    response.source = std::make_unique<testing::CountingSource>("x", 10);
  }
  return response;
}

TEST_CASE("random and damaged bytes leave the server alive") {
  const std::uint64_t seed = system_random()->next();
  const auto random = seeded_random(seed);
  INFO("seed " << seed);
  TestServer plain(fuzzed, false, [](ServerOptions& options) { options.header_timeout = std::chrono::seconds(2); });
  TestServer secure(fuzzed);
  for (int i = 0; i < 300; ++i) {
    const std::string input = fuzz_input(*random);
    RawConnection raw(plain.port());
    raw.send(input.substr(0, input.size() / 2));
    raw.send(input.substr(input.size() / 2));
    raw.finish_sending();
    raw.receive_all();
  }
  for (int i = 0; i < 60; ++i) {
    RawTlsConnection raw(secure.port(), random->below(2) == 0 ? "h2" : "http/1.1");
    raw.send(fuzz_input(*random));
    if (random->below(2) == 0) {
      RawConnection noise(secure.port());
      noise.send(fuzz_input(*random));
    }
  }
  for (const TestServer* server : {&plain, &secure}) {
    const auto response = server->client()->send(server->context(), server->url("/"), testing::make_request());
    REQUIRE(response.ok());
    CHECK(response->status == 200);
  }
}

}  // namespace
}  // namespace coracle::http
