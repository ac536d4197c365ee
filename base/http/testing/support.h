#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/executor.h"
#include "base/http/client.h"
#include "base/http/server.h"
#include "base/tls/internal/openssl.h"
#include "base/tls/tls.h"

namespace coracle::http::testing {

// An authority with a server's and a client's certificate, valid around `now`.
struct TestCertificates {
  explicit TestCertificates(WallTime now, const std::string& server_name = "test-server");
  std::string authority;
  std::string server_chain;
  std::string server_key;
  std::string client_chain;
  std::string client_key;
};

Request make_request(std::string method = "GET", std::string body = "");

// A handler that answers 200.
Response answer_ok(const Context& context, const Request& request);

// A handler made of a function; requests below /quick/ are quick.
class FunctionHandler : public Handler {
 public:
  using Function = std::function<Response(const Context&, const Request&)>;
  explicit FunctionHandler(Function function) : function_(std::move(function)) {}
  bool is_quick(const Request& request) const override { return request.path.starts_with("/quick/"); }
  Response handle(const Context& context, const Request& request) override { return function_(context, request); }
  Response refusal(int status, std::string_view why) const override {
    Response response = Handler::refusal(status, why);
    response.headers.set("X-Refused", "yes");
    return response;
  }

 private:
  Function function_;
};

// A server on loopback with its executor and whatever a client needs to reach it.
class TestServer {
 public:
  explicit TestServer(FunctionHandler::Function function, bool tls = true,
                      const std::function<void(ServerOptions&)>& adjust = nullptr,
                      std::shared_ptr<LogSink> log = null_log_sink());
  ~TestServer() { stop(); }

  Context context() const { return Context(*executor_).with_timeout(std::chrono::seconds(30)); }
  std::string url(const std::string& path) const;
  std::uint16_t port() const { return server_->port(); }
  Server& server() { return *server_; }
  void stop() { server_.reset(); }
  ClientOptions client_options() const;
  std::unique_ptr<Client> client() const { return make_client(client_options()); }
  Executor& executor() const { return *executor_; }
  const TestCertificates& certificates() const { return certificates_; }
  tls::ServerCredentials& credentials() const { return *credentials_; }

 private:
  const std::unique_ptr<Executor> executor_;
  const TestCertificates certificates_;
  FunctionHandler handler_;
  std::shared_ptr<tls::ServerCredentials> credentials_;
  bool tls_ = false;
  std::unique_ptr<Server> server_;
};

// A plain socket to a port of loopback; for what no proper client would send.
class RawConnection {
 public:
  explicit RawConnection(std::uint16_t port);
  ~RawConnection();
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  bool send(std::string_view data);
  void finish_sending();
  // What arrives until the other end closes, or until `text` has arrived.
  std::string receive_until(std::string_view text);
  std::string receive_all() { return receive_until({}); }
  int descriptor() const { return socket_; }

 private:
  int socket_ = -1;
};

// TLS over a raw connection, with a protocol offered by ALPN; for HTTP/2 frames made by hand.
class RawTlsConnection {
 public:
  RawTlsConnection(std::uint16_t port, std::string_view protocol);

  bool send(std::string_view data);
  // What the next record holds; empty at the end.
  std::string receive();
  // The SHA-256 of the certificate that the server showed.
  std::string server_certificate() const;

 private:
  RawConnection raw_;
  std::unique_ptr<SSL_CTX, tls::internal::Deleter<SSL_CTX_free>> context_;
  tls::internal::SslPtr ssl_;
};

// A body source that gives a fixed number of pieces, and then ends or stays pending.
class CountingSource : public BodySource {
 public:
  CountingSource(std::string piece, std::size_t count, bool end = true)
      : piece_(bytes(std::move(piece))), left_(count), end_(end) {}
  State pull(std::vector<Bytes>& out, std::size_t limit) override;
  void on_ready(std::function<void()>) override {}

 private:
  const Bytes piece_;
  std::size_t left_;
  const bool end_;
};

}  // namespace coracle::http::testing
