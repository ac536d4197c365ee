#pragma once

#include <functional>
#include <memory>

#include "base/http/message.h"
#include "base/log.h"
#include "kube/apiserver/internal/authentication.h"
#include "kube/apiserver/internal/authorization.h"
#include "kube/apiserver/internal/request_scope.h"

namespace coracle::kube::apiserver {

// Who the request acts as, when it asks to act as someone else; the asker otherwise. Forbidden or
// BadRequest refuse the request.
using Impersonation = std::function<Result<std::shared_ptr<const Identity>>(
    const RequestScope& scope, const std::shared_ptr<const Identity>& asker)>;

// Called once per finished request: for metrics and audit. Must not wait.
struct RequestRecord {
  const RequestScope& scope;
  int status = 0;
  Duration elapsed{};
};
using RequestObserver = std::function<void(const RequestRecord&)>;

// How many requests may run at once; the rest get 429 with Retry-After (as
// --max-requests-inflight and --max-mutating-requests-inflight). Watches and system:masters do not
// count.
struct InflightLimits {
  unsigned read_only = 400;
  unsigned mutating = 200;
};

struct ChainParts {
  Executor& executor;
  Authenticator& authenticator;
  Authorizer& authorizer;
  Impersonation impersonation;  // empty: Impersonate-* headers are refused
  EndpointHandler endpoint;     // what answers when everything before has agreed
  std::vector<RequestObserver> observers;
  InflightLimits limits;
  Logger log;
};

// Request information, Audit-Id, time-out, warnings, authentication, impersonation, limits by class,
// authorization, then the endpoint; in upstream's order. Exceptions end the request with
// InternalError, never the process. Callers whose context carries an identity skip authentication.
std::unique_ptr<http::Handler> make_handler_chain(ChainParts parts);

// The authorizer's attributes of a request.
Attributes attributes_of(const RequestInfo& info);

}  // namespace coracle::kube::apiserver
