#pragma once

#include <functional>
#include <memory>

#include "base/http/message.h"
#include "base/result.h"

namespace coracle::kube {

// How a client reaches an API server. In process it is the server's own handler chain, called on
// the caller's thread under the context's identity; over the network it is HTTPS; faults, recording
// and replay wrap another transport. Paths are absolute ("/api/v1/pods?limit=500" split in path and
// query). Thread-safe.
class Transport {
 public:
  virtual ~Transport() = default;
  // Any HTTP status is a success here; an error means that no answer came.
  // A watch's answer carries Response::source.
  virtual Result<http::Response> send(const Context& context, const http::Request& request) = 0;
};

// Calls a handler directly. `handler` must outlive the transport.
std::unique_ptr<Transport> make_handler_transport(http::Handler& handler);

}  // namespace coracle::kube
