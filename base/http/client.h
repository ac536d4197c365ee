#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/http/message.h"
#include "base/tls/tls.h"

namespace coracle::http {

struct ClientOptions {
  std::string ca_pem;           // empty: the system's store
  std::string certificate_pem;  // client certificate and key, both or none
  std::string key_pem;
  bool insecure_skip_verify = false;
  std::string proxy;  // "http://user:password@host:port"; empty: HTTPS_PROXY and friends count
  Duration connect_timeout = std::chrono::seconds(10);
  std::size_t max_body_bytes = 64 * 1024 * 1024;  // of what send() answers
};

// An answer whose body is read as it comes in, by one task at a time: what nobody reads, the server keeps. Its end
// drops the rest. The client outlives it.
class Incoming {
 public:
  virtual ~Incoming() = default;
  virtual int status() const = 0;
  virtual const Headers& headers() const = 0;
  // The next piece of the body, good until the next call; empty at its end. Canceled and Timeout as the context says,
  // Unavailable when the body breaks off.
  virtual Result<std::string_view> read(const Context& context) = 0;
};

// Outgoing calls (libcurl). Keeps connections alive; thread-safe; calls block in the system, so make them from Blocking
// tasks.
class Client {
 public:
  virtual ~Client() = default;
  // `url` is absolute; request.path and query are ignored. Unavailable when no answer came, Canceled and Timeout as the
  // context says; any HTTP status is a success here, a redirect too: who may be followed where is for the caller to say
  // (remote.h).
  virtual Result<Response> send(const Context& context, const std::string& url, const Request& request) = 0;
  // The same once the answer's head has come.
  virtual Result<std::unique_ptr<Incoming>> open(const Context& context, const std::string& url, Request request) = 0;
};

std::unique_ptr<Client> make_client(ClientOptions options = {});

}  // namespace coracle::http
