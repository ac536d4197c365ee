#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/http/message.h"
#include "base/result.h"
#include "kube/apiserver/internal/request_info.h"

namespace coracle::kube::apiserver {

// Texts for Warning headers (RFC 7234, code 299). Whoever writes a text need not know whether it is
// there already: repeated ones are dropped when the headers are made.
class WarningList {
 public:
  void add(std::string text) { texts_.push_back(std::move(text)); }
  // Where code that knows only a vector puts its texts.
  std::vector<std::string>& sink() { return texts_; }
  const std::vector<std::string>& texts() const { return texts_; }

 private:
  std::vector<std::string> texts_;
};

// One request on its way through the handler chain. Belongs to the thread that serves it.
struct RequestScope {
  Context context;  // deadline, identity (after authentication), trace = Audit-Id
  const http::Request& request;
  RequestInfo info;
  http::Query query;
  WarningList warnings;

  const Identity& who() const { return *context.identity(); }
};

// Answers a request that is authenticated and authorized. An error becomes a Status in the
// negotiated media type.
using EndpointHandler = std::function<Result<http::Response>(RequestScope&)>;

}  // namespace coracle::kube::apiserver
