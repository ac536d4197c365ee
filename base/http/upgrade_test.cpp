#include <catch2/catch.hpp>
#include <thread>
#include <utility>

#include "base/http/testing/support.h"

namespace coracle::http {
namespace {

using testing::RawConnection;
using testing::RawTlsConnection;
using testing::TestServer;

constexpr std::string_view kUpgrade =
    "GET /exec HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n";

// Sends back what comes until the client ends.
Response echo_upgrade(const Context&, const Request&) {
  Response response;
  response.status = 101;
  response.headers.add("Connection", "Upgrade");
  response.headers.add("Upgrade", "SPDY/3.1");
  response.upgraded = [](const Context& context, std::unique_ptr<UpgradedStream> stream) {
    while (true) {
      const auto data = stream->read(context);
      if (!data.ok() || data->empty()) return;
      if (!stream->write(context, *data).ok()) return;
    }
  };
  return response;
}

TEST_CASE("an upgraded connection carries bytes both ways until one end closes") {
  TestServer server(echo_upgrade, false);
  RawConnection raw(server.port());
  // The client may send ahead of the answer.
  raw.send(std::string(kUpgrade) + "early");
  const std::string head = raw.receive_until("early");
  CHECK(head.find("HTTP/1.1 101 Switching Protocols\r\n") == 0);
  CHECK(head.find("Upgrade: SPDY/3.1\r\n") != std::string::npos);
  CHECK(head.find("Content-Length") == std::string::npos);

  const std::string large(3 * 1024 * 1024, 'z');
  std::thread sender([&] { raw.send(large + "END"); });
  const std::string back = raw.receive_until("END");
  sender.join();
  CHECK(back.size() == large.size() + 3);
  raw.finish_sending();
  CHECK(raw.receive_all().empty());
}

// Sends back what comes until that is "bye", without a thread.
class EchoSource : public DuplexSource {
 public:
  State pull(std::vector<Bytes>& out, std::size_t) override {
    const bool end = waiting_.ends_with("bye");
    if (!waiting_.empty()) out.push_back(bytes(std::exchange(waiting_, {})));
    return end ? State::End : State::Pending;
  }
  void on_ready(std::function<void()>) override {}
  void receive(std::string_view data) override { waiting_ += data; }

 private:
  std::string waiting_;
};

Response echo_duplex(const Context&, const Request&) {
  Response response;
  response.status = 101;
  response.headers.add("Connection", "Upgrade");
  response.headers.add("Upgrade", "SPDY/3.1");
  response.duplex = std::make_unique<EchoSource>();
  return response;
}

TEST_CASE("more connections than there are threads may be upgraded to sources") {
  TestServer server(echo_duplex, false);
  std::vector<std::unique_ptr<RawConnection>> many;
  for (int i = 0; i < 100; ++i) {
    many.push_back(std::make_unique<RawConnection>(server.port()));
    many.back()->send(std::string(kUpgrade) + "early");
  }
  for (const auto& raw : many) {
    const std::string head = raw->receive_until("early");
    CHECK(head.find("HTTP/1.1 101 Switching Protocols\r\n") == 0);
    CHECK(head.find("Transfer-Encoding") == std::string::npos);
  }
  for (const auto& raw : many) {
    raw->send("late");
    CHECK(raw->receive_until("late") == "late");
    raw->send("bye");
    CHECK(raw->receive_all() == "bye");
  }
}

TEST_CASE("a source hears a client out that sends no more, and ends with it") {
  TestServer server(echo_duplex, false);
  RawConnection raw(server.port());
  raw.send(kUpgrade);
  raw.receive_until("\r\n\r\n");
  raw.send("last");
  raw.finish_sending();
  CHECK(raw.receive_all() == "last");
}

TEST_CASE("upgrades work over TLS") {
  TestServer server(echo_upgrade);
  RawTlsConnection raw(server.port(), "http/1.1");
  raw.send(kUpgrade);
  CHECK(raw.receive().find("HTTP/1.1 101") == 0);
  raw.send("ping");
  CHECK(raw.receive() == "ping");
}

TEST_CASE("a request to upgrade may be declined, and the connection goes on") {
  TestServer server([](const Context&, const Request& request) { return Response::text(200, request.path); }, false);
  RawConnection raw(server.port());
  raw.send(std::string(kUpgrade) + "GET /next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string all = raw.receive_all();
  CHECK(all.find("/exec") != std::string::npos);
  CHECK(all.find("/next") != std::string::npos);
}

TEST_CASE("stopping the server ends upgraded connections") {
  TestServer server(echo_upgrade, false);
  RawConnection raw(server.port());
  raw.send(kUpgrade);
  raw.receive_until("\r\n\r\n");
  server.stop();
  CHECK(raw.receive_all().empty());
}

TEST_CASE("a switch that the handler did not prepare is an error") {
  TestServer server(
      [](const Context&, const Request&) {
        Response response;
        response.status = 101;
        return response;
      },
      false);
  RawConnection raw(server.port());
  raw.send(kUpgrade);
  CHECK(raw.receive_all().find("HTTP/1.1 500") == 0);
}

}  // namespace
}  // namespace coracle::http
