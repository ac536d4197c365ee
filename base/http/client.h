#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

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
  std::size_t max_body_bytes = 64 * 1024 * 1024;
};

// Outgoing calls (libcurl). Keeps connections alive; thread-safe; calls block, so make them from
// Worker or Blocking tasks.
class Client {
 public:
  virtual ~Client() = default;
  // `url` is absolute; request.path and query are ignored. Unavailable when no answer came, Canceled
  // and Timeout as the context says; any HTTP status is a success here,
  // a redirect too: who may be followed where is the caller's to say (url.h).
  virtual Result<Response> send(const Context& context, const std::string& url, const Request& request) = 0;
  // Calls `on_head` once, then `on_data` per piece on the calling thread until the body ends, one
  // of them answers false, or the context ends.
  virtual Result<void> stream(const Context& context, const std::string& url, const Request& request,
                              const std::function<bool(int status, const Headers&)>& on_head,
                              const std::function<bool(std::string_view)>& on_data) = 0;
};

std::unique_ptr<Client> make_client(ClientOptions options = {});

}  // namespace coracle::http
