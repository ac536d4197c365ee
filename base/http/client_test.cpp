#include "base/http/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <mutex>
#include <set>
#include <thread>

#include "base/http/testing/support.h"
#include "base/sync.h"

namespace coracle::http {
namespace {

using testing::CountingSource;
using testing::TestServer;

Response addressed(const Context&, const Request& request) {
  return Response::text(200, request.peer.address);
}

// Answers everything with the same bytes, as no proper server does.
class SayingServer {
 public:
  explicit SayingServer(std::string answer) : answer_(std::move(answer)), socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    REQUIRE(bind(socket_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(listen(socket_, 4) == 0);
    REQUIRE(getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~SayingServer() {
    shutdown(socket_, SHUT_RDWR);
    thread_.join();
    close(socket_);
  }
  std::string url(const std::string& user = "") const {
    return "http://" + user + "127.0.0.1:" + std::to_string(port_) + "/a";
  }

 private:
  void serve() {
    for (int peer = accept(socket_, nullptr, nullptr); peer >= 0; peer = accept(socket_, nullptr, nullptr)) {
      std::array<char, 4096> request{};
      if (recv(peer, request.data(), request.size(), 0) > 0) {
        send(peer, answer_.data(), answer_.size(), MSG_NOSIGNAL);
      }
      close(peer);
    }
  }

  const std::string answer_;
  const int socket_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

TEST_CASE("the client keeps its connection") {
  const bool tls = GENERATE(true, false);
  TestServer server(addressed, tls);
  const auto client = server.client();
  const std::string first = client->send(server.context(), server.url("/"), testing::make_request())->body_text();
  CHECK(client->send(server.context(), server.url("/other"), testing::make_request())->body_text() == first);
}

TEST_CASE("every method arrives with its body") {
  const bool tls = GENERATE(true, false);
  TestServer server(
      [](const Context&, const Request& request) {
        return Response::text(200, request.method + ":" + request.body + ":" +
                                       std::string(request.headers.get("content-type")) + ":" +
                                       std::string(request.headers.get("accept")) + ":" +
                                       (request.headers.has("x-empty") ? "empty" : ""));
      },
      tls);
  const auto client = server.client();
  Request request;
  for (const std::string method : {"GET", "POST", "PUT", "PATCH", "DELETE"}) {
    for (const std::string body : {"", "data"}) {
      request = Request();
      request.method = method;
      request.body = body;
      request.headers.set("X-Empty", "");
      CHECK(client->send(server.context(), server.url("/"), request)->body_text() == method + ":" + body + ":::empty");
    }
  }
  request.headers.set("Content-Type", "application/json");
  request.headers.set("Accept", "*/*");
  CHECK(client->send(server.context(), server.url("/"), request)->body_text() ==
        "DELETE:data:application/json:*/*:empty");
  request.headers.set("X-Bad", "a\r\nb");
  CHECK_FALSE(client->send(server.context(), server.url("/"), request).ok());
  request = Request();
  request.method = "HEAD";
  const Response head = client->send(server.context(), server.url("/"), request).value();
  CHECK(head.status == 200);
  CHECK(head.body_text().empty());
}

TEST_CASE("any status is a success, a redirect too") {
  TestServer server([](const Context&, const Request&) {
    Response response = Response::text(302, "moved");
    response.headers.add("Location", "/target");
    return response;
  });
  const Response moved = server.client()->send(server.context(), server.url("/"), testing::make_request()).value();
  CHECK(moved.status == 302);
  CHECK(moved.body_text() == "moved");
  CHECK(moved.headers.get("Location") == "/target");
}

TEST_CASE("waiting for an answer ends with the context") {
  TestServer server([](const Context& context, const Request&) {
    context.sleep(std::chrono::seconds(60)).ignore("the test is about the client");
    return Response::text(200, "late");
  });
  const auto client = server.client();
  const auto late = client->send(server.context().with_timeout(std::chrono::milliseconds(50)), server.url("/"),
                                 testing::make_request());
  REQUIRE_FALSE(late.ok());
  CHECK(late.error().reason() == Reason::Timeout);

  std::stop_source stop;
  const auto timer = server.executor().call_after(std::chrono::milliseconds(50), [&] { stop.request_stop(); });
  const auto canceled =
      client->send(server.context().with_stop(stop.get_token()), server.url("/"), testing::make_request());
  REQUIRE_FALSE(canceled.ok());
  CHECK(canceled.error().reason() == Reason::Canceled);
  server.stop();
}

TEST_CASE("a body is read as it comes, and its reader may leave at any time") {
  TestServer server([](const Context&, const Request&) {
    Response response;
    response.headers.add("X-Kind", "watch");
    response.source = std::make_unique<CountingSource>("event\n", 1, false);
    return response;
  });
  const auto client = server.client();
  {
    const auto answer = client->open(server.context(), server.url("/"), testing::make_request()).value();
    CHECK(answer->status() == 200);
    CHECK(answer->headers().get("x-kind") == "watch");
    CHECK(answer->read(server.context()).value() == "event\n");
  }
  CHECK(client->open(server.context(), server.url("/"), testing::make_request()).ok());
  const auto answer = client->open(server.context(), server.url("/"), testing::make_request()).value();
  CHECK(answer->read(server.context()).value() == "event\n");
  const auto late = answer->read(server.context().with_timeout(std::chrono::milliseconds(50)));
  REQUIRE_FALSE(late.ok());
  CHECK(late.error().reason() == Reason::Timeout);
  std::stop_source stop;
  const auto timer = server.executor().call_after(std::chrono::milliseconds(50), [&] { stop.request_stop(); });
  const auto ended = answer->read(server.context().with_stop(stop.get_token()));
  REQUIRE_FALSE(ended.ok());
  CHECK(ended.error().reason() == Reason::Canceled);
}

TEST_CASE("no more of a body is kept than a reader takes at once") {
  const bool tls = GENERATE(true, false);
  constexpr std::size_t kPieces = 500;
  const std::string piece(64 * 1024, 'x');
  TestServer server(
      [&](const Context&, const Request&) {
        Response response;
        response.source = std::make_unique<CountingSource>(piece, kPieces);
        return response;
      },
      tls);
  const auto client = server.client();
  const auto answer = client->open(server.context(), server.url("/"), testing::make_request()).value();
  std::size_t read = 0;
  std::size_t largest = 0;
  for (std::string_view next; !(next = answer->read(server.context()).value()).empty(); read += next.size()) {
    largest = std::max(largest, next.size());
  }
  CHECK(read == kPieces * piece.size());
  CHECK(largest <= 320 * 1024);
}

TEST_CASE("a body that breaks off is Unavailable after what has come of it") {
  const SayingServer server("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
  auto executor = make_thread_executor();
  const Context context = Context(*executor).with_timeout(std::chrono::seconds(30));
  const auto client = make_client();
  const auto answer = client->open(context, server.url(), testing::make_request()).value();
  CHECK(answer->read(context).value() == "half");
  const auto rest = answer->read(context);
  REQUIRE_FALSE(rest.ok());
  CHECK(rest.error().reason() == Reason::Unavailable);
}

TEST_CASE("answers larger than the limit are refused") {
  TestServer server([](const Context&, const Request&) { return Response::text(200, std::string(2000, 'x')); });
  ClientOptions options = server.client_options();
  options.max_body_bytes = 2000;
  CHECK(make_client(options)->send(server.context(), server.url("/"), testing::make_request()).ok());
  options.max_body_bytes = 1999;
  const auto large = make_client(options)->send(server.context(), server.url("/"), testing::make_request());
  REQUIRE_FALSE(large.ok());
  CHECK(large.error().reason() == Reason::RequestEntityTooLarge);
}

TEST_CASE("servers that cannot be reached or trusted are Unavailable, and secrets stay out of the message") {
  TestServer server(addressed);
  const std::string port = std::to_string(server.port());
  const auto untrusted =
      make_client()->send(server.context(), "https://user:secret@127.0.0.1:" + port + "/", testing::make_request());
  REQUIRE_FALSE(untrusted.ok());
  CHECK(untrusted.error().reason() == Reason::Unavailable);
  CHECK(untrusted.error().message().find("secret") == std::string::npos);
  CHECK(untrusted.error().message().find("127.0.0.1:" + port) != std::string::npos);

  ClientOptions trusting;
  trusting.insecure_skip_verify = true;
  CHECK(make_client(trusting)->send(server.context(), server.url("/"), testing::make_request()).ok());
  const std::string url = server.url("/");
  server.stop();
  const Context context = server.context();
  const auto refused = make_client(trusting)->send(context, url, testing::make_request());
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().reason() == Reason::Unavailable);
  for (const std::string bad : {"", "127.0.0.1", "ftp://127.0.0.1/", "https://"}) {
    INFO(bad);
    const auto result = make_client(trusting)->send(context, bad, testing::make_request());
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().reason() == Reason::BadRequest);
  }
}

TEST_CASE("a server that answers no HTTP is Unavailable and not a bad request") {
  const std::unique_ptr<Executor> executor = make_thread_executor();
  const Context context = Context(*executor).with_timeout(std::chrono::seconds(30));
  for (const std::string answer : {"garbage\n", ""}) {
    INFO(answer);
    const SayingServer server(answer);
    const auto result = make_client()->send(context, server.url("user:secret@"), testing::make_request());
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().reason() == Reason::Unavailable);
    CHECK(result.error().message().find("secret") == std::string::npos);
  }
}

TEST_CASE("passwords stay out of messages, wherever in a URL they stand") {
  const std::unique_ptr<Executor> executor = make_thread_executor();
  const Context context = Context(*executor).with_timeout(std::chrono::seconds(30));
  const auto message = [&](ClientOptions options, const std::string& url) {
    const auto result = make_client(std::move(options))->send(context, url, testing::make_request());
    return result.ok() ? std::string("answered") : result.error().message();
  };
  for (const std::string url : {"http://user:secret@127.0.0.1:1/", "http://user:secret/x@127.0.0.1:1/",
                                "http://127.0.0.1:1/?token=secret", "ftp://user:secret@127.0.0.1:1/"}) {
    INFO(url);
    CHECK(message({}, url).find("secret") == std::string::npos);
  }
  for (const std::string proxy :
       {"http://user:secret@127.0.0.1:1", "http://user:secret@127.0.0.1:port", "gopher://user:secret@127.0.0.1:1"}) {
    ClientOptions options;
    options.proxy = proxy;
    INFO(proxy);
    CHECK(message(options, "http://198.51.100.1/").find("secret") == std::string::npos);
  }
}

TEST_CASE("one client serves many threads") {
  TestServer server(addressed);
  const auto client = server.client();
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 50; ++k) {
        if (client->send(server.context(), server.url("/"), testing::make_request()).ok()) ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(good == 400);
}

}  // namespace
}  // namespace coracle::http
