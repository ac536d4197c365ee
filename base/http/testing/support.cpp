#include "base/http/testing/support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <csignal>

namespace coracle::http::testing {
namespace {

constexpr time_t kReceiveSeconds = 20;

}  // namespace

TestCertificates::TestCertificates(WallTime now, const std::string& server_name) {
  const std::string authority_key = tls::make_ec_key().value();
  tls::CertificateRequest request;
  request.subject = {"test-ca", {}};
  request.not_before = now - std::chrono::hours(1);
  request.not_after = now + std::chrono::hours(1);
  authority = tls::make_authority(request, authority_key).value();
  request.subject = {server_name, {}};
  request.usage = tls::Usage::Server;
  request.ip_addresses = {"127.0.0.1"};
  server_key = tls::make_ec_key().value();
  server_chain = tls::issue_certificate(request, server_key, authority, authority_key).value();
  request.subject = {"admin", {"system:masters"}};
  request.usage = tls::Usage::Client;
  request.ip_addresses = {};
  client_key = tls::make_ec_key().value();
  client_chain = tls::issue_certificate(request, client_key, authority, authority_key).value();
}

Request make_request(std::string method, std::string body) {
  Request request;
  request.method = std::move(method);
  request.body = std::move(body);
  return request;
}

Response answer_ok(const Context&, const Request&) {
  return Response::text(200, "ok");
}

TestServer::TestServer(FunctionHandler::Function function, bool tls, const std::function<void(ServerOptions&)>& adjust,
                       std::shared_ptr<LogSink> log)
    : executor_(make_thread_executor()),
      certificates_(executor_->clock().wall()),
      handler_(std::move(function)),
      tls_(tls) {
  ServerOptions options;
  if (tls) {
    credentials_ = tls::make_server_credentials(certificates_.server_chain, certificates_.server_key, true).value();
    options.tls = credentials_;
  }
  if (adjust) adjust(options);
  server_ = serve(*executor_, handler_, options, Logger(std::move(log), "http")).value();
}

std::string TestServer::url(const std::string& path) const {
  return std::string(tls_ ? "https" : "http") + "://127.0.0.1:" + std::to_string(server_->port()) + path;
}

ClientOptions TestServer::client_options() const {
  ClientOptions options;
  if (tls_) options.ca_pem = certificates_.authority;
  return options;
}

RawConnection::RawConnection(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const timeval limit{kReceiveSeconds, 0};
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
}

RawConnection::~RawConnection() {
  ::close(socket_);
}

bool RawConnection::send(std::string_view data) {
  while (!data.empty()) {
    const ssize_t done = ::send(socket_, data.data(), data.size(), MSG_NOSIGNAL);
    if (done <= 0) return false;
    data.remove_prefix(static_cast<std::size_t>(done));
  }
  return true;
}

void RawConnection::finish_sending() {
  shutdown(socket_, SHUT_WR);
}

std::string RawConnection::receive_until(std::string_view text) {
  std::string all;
  std::array<char, 16384> piece;
  while (text.empty() || all.find(text) == std::string::npos) {
    const ssize_t got = recv(socket_, piece.data(), piece.size(), 0);
    if (got <= 0) break;
    all.append(piece.data(), static_cast<std::size_t>(got));
  }
  return all;
}

RawTlsConnection::RawTlsConnection(std::uint16_t port, std::string_view protocol)
    : raw_(port), context_(SSL_CTX_new(TLS_client_method())), ssl_(SSL_new(context_.get())) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL's own socket writes raise it
  const std::string offer = std::string(1, static_cast<char>(protocol.size())) + std::string(protocol);
  SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(offer.data()),
                      static_cast<unsigned>(offer.size()));
  SSL_set_fd(ssl_.get(), raw_.descriptor());
  REQUIRE(SSL_connect(ssl_.get()) == 1);
}

bool RawTlsConnection::send(std::string_view data) {
  ERR_clear_error();
  return SSL_write(ssl_.get(), data.data(), static_cast<int>(data.size())) == static_cast<int>(data.size());
}

std::string RawTlsConnection::receive() {
  ERR_clear_error();
  std::array<char, 16384> piece;
  const int got = SSL_read(ssl_.get(), piece.data(), static_cast<int>(piece.size()));
  return got > 0 ? std::string(piece.data(), static_cast<std::size_t>(got)) : std::string();
}

std::string RawTlsConnection::server_certificate() const {
  return tls::inspect_certificate(tls::internal::certificate_pem(SSL_get0_peer_certificate(ssl_.get())))->sha256;
}

BodySource::State CountingSource::pull(std::vector<Bytes>& out, std::size_t limit) {
  for (std::size_t given = 0; left_ > 0 && given < limit; given += piece_->size(), --left_) out.push_back(piece_);
  if (left_ > 0) return State::More;
  return end_ ? State::End : State::Pending;
}

}  // namespace coracle::http::testing
