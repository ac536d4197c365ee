#include <atomic>
#include <catch2/catch.hpp>

#include "base/http/testing/support.h"
#include "base/sync.h"

namespace coracle::http {
namespace {

using testing::CountingSource;
using testing::RawConnection;
using testing::TestServer;

Response echo(const Context&, const Request& request) {
  Response response =
      Response::text(200, request.method + " " + request.path + "?" + request.query + "\n" + request.body);
  response.headers.add("X-Version", std::to_string(request.version_major));
  if (!request.peer.certificates_pem.empty()) {
    response.headers.add("X-Client",
                         tls::inspect_certificate(request.peer.certificates_pem.front())->subject.common_name);
  }
  response.headers.add("X-Loopback", request.peer.loopback ? "yes" : "no");
  response.headers.add("X-Header", std::string(request.headers.get("x-header")));
  return response;
}

TEST_CASE("client and server speak HTTP/2 over TLS with certificates of both") {
  TestServer server(echo);
  ClientOptions options = server.client_options();
  options.certificate_pem = server.certificates().client_chain;
  options.key_pem = server.certificates().client_key;
  const auto client = make_client(options);
  Request request = testing::make_request("POST", std::string(200000, 'b'));
  request.headers.add("X-Header", "value");
  for (int i = 0; i < 3; ++i) {
    const Response response = client->send(server.context(), server.url("/a%2Fb?c=d&e"), request).value();
    CHECK(response.status == 200);
    CHECK(response.headers.get("x-version") == "2");
    CHECK(response.headers.get("x-client") == "admin");
    CHECK(response.headers.get("x-loopback") == "yes");
    CHECK(response.headers.get("x-header") == "value");
    CHECK(response.headers.has("date"));
    CHECK(response.body_text() == "POST /a%2Fb?c=d&e\n" + request.body);
  }
}

TEST_CASE("plain HTTP/1.1 keeps its connection for pipelined requests") {
  TestServer server(echo, false);
  RawConnection raw(server.port());
  REQUIRE(
      raw.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nPOST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
               "POST /3 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ndef\r\n0\r\nT: t\r\n\r\n"
               "HEAD /4 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  const std::string all = raw.receive_all();
  CHECK(all.find("GET /1?\n") != std::string::npos);
  CHECK(all.find("POST /2?\nabc") != std::string::npos);
  CHECK(all.find("POST /3?\ndef") != std::string::npos);
  CHECK(all.find("HEAD /4") == std::string::npos);
  CHECK(all.rfind("Connection: close\r\n\r\n") == all.size() - 21);
}

TEST_CASE("a body that comes over time is streamed in both versions") {
  const bool tls = GENERATE(true, false);
  static constexpr std::size_t kPieces = 5000;
  TestServer server(
      [](const Context&, const Request&) {
        Response response;
        response.source = std::make_unique<CountingSource>(std::string(1000, 'x'), kPieces);
        return response;
      },
      tls);
  const auto client = server.client();
  const auto answer = client->open(server.context(), server.url("/"), testing::make_request("GET")).value();
  CHECK(answer->status() == 200);
  std::size_t size = 0;
  for (std::string_view piece; !(piece = answer->read(server.context()).value()).empty();) size += piece.size();
  CHECK(size == kPieces * 1000);
}

}  // namespace
}  // namespace coracle::http
