#include <atomic>
#include <catch2/catch.hpp>

#include "base/http/testing/support.h"
#include "base/sync.h"

namespace coracle::http {
namespace {

using testing::RawConnection;
using testing::TestServer;

constexpr std::size_t kHeaderLimit = 4096;
constexpr std::size_t kBodyLimit = 10000;

void small_limits(ServerOptions& options) {
  options.max_header_bytes = kHeaderLimit;
  options.max_body_bytes = kBodyLimit;
}

std::string status_line(const std::string& answer) {
  return answer.substr(0, answer.find("\r\n"));
}

struct BadRequest {
  std::string text;
  int status;
};

std::vector<BadRequest> bad_requests() {
  const std::string smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
  return {
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled,
       400},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + smuggled,
       400},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 38\r\n\r\n" + smuggled, 400},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0, 0\r\n\r\n" + smuggled, 400},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nabcde" + smuggled, 400},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n" + smuggled, 400},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x5\r\n\r\nabcde" + smuggled, 400},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n" + smuggled, 501},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + smuggled, 501},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + smuggled, 501},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + smuggled, 501},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + smuggled, 400},
      {"POST / HTTP/1.1\r\nHost: x\r\nX: a\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, 400},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + smuggled, 400},
      {"POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, 400},
      {"GET / HTTP/1.1\r\nHost: x\r\nX: a" + std::string(1, '\0') + "b\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: x\r\nX: a\x01"
       "b\r\n\r\n",
       400},
      {"GET / HTTP/1.1\r\nHost: x\r\nX Y: z\r\n\r\n", 400},
      {"GET relative HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"CONNECT host:1 HTTP/1.1\r\nHost: x\r\n\r\n", 501},
      {"FROB / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505},
      {"GET / HTTP/1.9\r\nHost: x\r\n\r\n", 505},
      {"\x16\x03\x01\x02\x00\x01", 400},
      {"GET / HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\n\r\n", 417},
      {"GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(kHeaderLimit, 'x') + "\r\n\r\n", 431},
      {"GET /" + std::string(200000, 'x') + " HTTP/1.1\r\nHost: x\r\n\r\n", 431},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10001\r\n\r\n" + std::string(10001, 'x'), 413},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2711\r\n" + std::string(10001, 'x'), 413},
  };
}

TEST_CASE("requests that two readers could read differently are refused and end the connection") {
  std::atomic<int> handled{0};
  TestServer server([&](const Context&, const Request&) { return ++handled, Response::text(200, "handled"); }, false,
                    small_limits);
  for (const BadRequest& bad : bad_requests()) {
    INFO(bad.text.substr(0, 120));
    RawConnection raw(server.port());
    raw.send(bad.text);
    const std::string answer = raw.receive_all();
    CHECK(status_line(answer).substr(0, 12) == "HTTP/1.1 " + std::to_string(bad.status));
    CHECK(answer.find("Connection: close\r\n") != std::string::npos);
    CHECK(answer.find("X-Refused: yes\r\n") != std::string::npos);
    CHECK(answer.find("\nHTTP/1.1 ") == std::string::npos);
    raw.finish_sending();
  }
  CHECK(handled == 0);
}

TEST_CASE("refused requests are refused byte by byte too") {
  TestServer server([](const Context&, const Request&) { return Response::text(200, "handled"); }, false, small_limits);
  for (const BadRequest& bad : bad_requests()) {
    if (bad.text.size() > 200) continue;
    INFO(bad.text);
    RawConnection raw(server.port());
    for (const char c : bad.text) {
      if (!raw.send({&c, 1})) break;
    }
    CHECK(status_line(raw.receive_all()).substr(0, 12) == "HTTP/1.1 " + std::to_string(bad.status));
  }
}

TEST_CASE("a request may come byte by byte, with a target in absolute form") {
  TestServer server(
      [](const Context&, const Request& request) {
        return Response::text(
            200, request.path + "|" + request.query + "|" + std::string(request.headers.get("x")) + "|" + request.body);
      },
      false);
  RawConnection raw(server.port());
  for (const char c :
       std::string("\r\nPOST http://host/a/b?c=d?e HTTP/1.1\r\nHost: x\r\nX:   value  \r\nContent-Length: 2\r\n"
                   "Connection: close\r\n\r\nhi")) {
    REQUIRE(raw.send({&c, 1}));
  }
  const std::string answer = raw.receive_all();
  CHECK(status_line(answer) == "HTTP/1.1 200 OK");
  CHECK(answer.find("/a/b|c=d?e|value|hi") != std::string::npos);
}

TEST_CASE("a request that does not arrive in time is answered 408, silence is closed") {
  TestServer server([](const Context&, const Request&) { return Response::text(200, "ok"); }, false,
                    [](ServerOptions& options) {
                      options.header_timeout = std::chrono::milliseconds(100);
                      options.idle_timeout = std::chrono::milliseconds(200);
                    });
  RawConnection head(server.port());
  head.send("GET / HTTP/1.1\r\nHost:");
  CHECK(status_line(head.receive_all()) == "HTTP/1.1 408 Request Timeout");
  RawConnection body(server.port());
  body.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  CHECK(status_line(body.receive_all()) == "HTTP/1.1 408 Request Timeout");
  RawConnection silent(server.port());
  CHECK(silent.receive_all().empty());
  RawConnection idle(server.port());
  idle.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string answer = idle.receive_all();
  CHECK(status_line(answer) == "HTTP/1.1 200 OK");
  CHECK(answer.find("408") == std::string::npos);
}

TEST_CASE("a client that asks first is told to continue or spared the body") {
  TestServer server([](const Context&, const Request& request) { return Response::text(200, request.body); }, false,
                    small_limits);
  RawConnection good(server.port());
  good.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n");
  CHECK(good.receive_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  good.send("body");
  CHECK(good.receive_all().find("\r\n\r\nbody") != std::string::npos);
  RawConnection large(server.port());
  large.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\nExpect: 100-continue\r\n\r\n");
  CHECK(status_line(large.receive_all()) == "HTTP/1.1 413 Payload Too Large");
}

TEST_CASE("HTTP/1.0 gets answers that it can read") {
  TestServer server(
      [](const Context&, const Request& request) {
        if (request.path == "/") return Response::text(200, "ok");
        Response response;
        response.source = std::make_unique<testing::CountingSource>("piece", 3);
        return response;
      },
      false);
  RawConnection plain(server.port());
  plain.send("GET / HTTP/1.0\r\n\r\n");
  CHECK(plain.receive_all().find("Connection: close") != std::string::npos);
  RawConnection source(server.port());
  source.send("GET /source HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const std::string answer = source.receive_all();
  CHECK(answer.find("\r\n\r\npiecepiecepiece") != std::string::npos);
  CHECK(answer.find("chunked") == std::string::npos);
}

TEST_CASE("statuses without body have none, and fields cannot smuggle lines") {
  TestServer server(
      [](const Context&, const Request& request) {
        Response response = Response::text(std::stoi(request.path.substr(1)), "body");
        response.headers.add("X-Bad", "a\r\nInjected: yes");
        response.headers.add("Content-Length", "999");
        return response;
      },
      false);
  RawConnection raw(server.port());
  raw.send(
      "GET /204 HTTP/1.1\r\nHost: x\r\n\r\nGET /304 HTTP/1.1\r\nHost: x\r\n\r\n"
      "HEAD /200 HTTP/1.1\r\nHost: x\r\n\r\nGET /200 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string all = raw.receive_all();
  CHECK(all.find("body") == all.size() - 4);
  CHECK(all.find("Injected") == std::string::npos);
  CHECK(all.find("999") == std::string::npos);
  CHECK(all.find("204 No Content") != std::string::npos);
  CHECK(all.find("304 Not Modified") != std::string::npos);
}

TEST_CASE("a handler that throws answers 500 and the server lives on") {
  TestServer server(
      [](const Context&, const Request& request) -> Response {
        if (request.path == "/bad") throw std::runtime_error("secret detail");
        return Response::text(200, "ok");
      },
      false);
  RawConnection raw(server.port());
  raw.send("GET /bad HTTP/1.1\r\nHost: x\r\n\r\nGET /good HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string all = raw.receive_all();
  CHECK(status_line(all) == "HTTP/1.1 500 Internal Server Error");
  CHECK(all.find("secret") == std::string::npos);
  CHECK(all.find("200 OK") != std::string::npos);
}

TEST_CASE("a client that leaves ends the handler's context") {
  Event* left = nullptr;
  Event* entered = nullptr;
  TestServer server(
      [&](const Context& context, const Request&) {
        entered->set();
        if (!context.sleep(std::chrono::seconds(60)).ok()) left->set();
        return Response::text(200, "late");
      },
      false);
  Event left_event(server.executor());
  Event entered_event(server.executor());
  left = &left_event;
  entered = &entered_event;
  {
    RawConnection raw(server.port());
    raw.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    REQUIRE(entered_event.wait(server.context()).ok());
  }
  CHECK(left_event.wait(server.context()).ok());
  server.stop();
}

TEST_CASE("connections beyond the limit are closed, the others served") {
  TestServer server([](const Context&, const Request&) { return Response::text(200, "ok"); }, false,
                    [](ServerOptions& options) { options.max_connections = 2; });
  RawConnection first(server.port());
  RawConnection second(server.port());
  for (RawConnection* raw : {&first, &second}) {
    raw->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(raw->receive_until("ok").find("200 OK") != std::string::npos);
  }
  RawConnection third(server.port());
  third.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(third.receive_all().empty());
  first.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(first.receive_until("ok").find("200 OK") != std::string::npos);
}

}  // namespace
}  // namespace coracle::http
