#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/executor.h"
#include "base/http/message.h"
#include "base/log.h"
#include "base/tls/tls.h"

namespace coracle::http {

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;                       // 0: the system chooses
  std::shared_ptr<tls::ServerCredentials> tls;  // null: plain text (tests and sockets only)
  unsigned io_threads = 0;                      // 0: one for every two cores
  std::size_t max_header_bytes = 64 * 1024;
  std::size_t max_body_bytes = 3 * 1024 * 1024;
  std::size_t max_connections = 10000;
  unsigned max_streams_per_connection = 1000;  // HTTP/2
  Duration header_timeout = std::chrono::seconds(30);
  Duration idle_timeout = std::chrono::seconds(180);
};

// HTTP/1.1 (keep-alive, chunked, upgrades) and HTTP/2 (by ALPN) over TLS on epoll threads; quick handlers
// run there, the others on the executor's Worker lane. Destruction stops accepting, lets running handlers finish and
// closes what is left.
class Server {
 public:
  virtual ~Server() = default;
  virtual std::uint16_t port() const = 0;
  // Stops accepting and ends idle connections; running requests may finish until the context ends.
  virtual void drain(const Context& context) = 0;
};

// Unavailable when the address cannot be bound. `handler` must outlive the server.
Result<std::unique_ptr<Server>> serve(Executor& executor, Handler& handler, ServerOptions options, Logger log);

}  // namespace coracle::http
