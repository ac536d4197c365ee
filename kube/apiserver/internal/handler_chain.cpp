#include "kube/apiserver/internal/handler_chain.h"

#include <algorithm>
#include <exception>
#include <set>
#include <utility>

#include "base/executor.h"
#include "base/gzip.h"
#include "base/json/json.h"
#include "base/slots.h"
#include "kube/apiserver/internal/identity/authorization_union.h"
#include "kube/apiserver/internal/responses.h"

namespace coracle::kube::apiserver {

namespace {

constexpr Duration kRequestTimeout = std::chrono::seconds(60);
constexpr std::size_t kMaxBody = 3145728;
// Beyond it reading and writing the object takes long enough to hold up other connections.
constexpr std::size_t kMaxQuickBody = 65536;
constexpr std::size_t kGzipFrom = 131072;
constexpr std::size_t kWarningBudget = 4096;
constexpr std::size_t kShortWarning = 256;
constexpr std::size_t kMaxAuditId = 64;

bool is_long_running(const RequestInfo& info) {
  return info.verb == "watch" || info.verb == "proxy" || is_connection(info.subresource);
}

bool is_mutating(std::string_view verb) {
  return verb != "get" && verb != "list" && verb != "watch" && verb != "head";
}

// Text between quotes of a Warning header: control characters are dropped, quotes escaped.
std::string quote_warning(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == 127) continue;
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

void add_warning_headers(const std::vector<std::string>& texts, http::Headers& headers) {
  std::set<std::string> seen;
  std::size_t total = 0;
  for (const std::string& text : texts) total += text.size();
  const std::size_t each = total > kWarningBudget ? kShortWarning : kWarningBudget;
  std::size_t spent = 0;
  for (const std::string& text : texts) {
    const std::string shown = text.substr(0, each);
    if (!seen.insert(shown).second) continue;
    spent += shown.size();
    if (spent > kWarningBudget) return;
    headers.add("Warning", "299 - " + quote_warning(shown));
  }
}

std::string audit_id_of(const http::Request& request, Random& random) {
  const std::string_view given = request.headers.get("Audit-Id");
  const bool usable = !given.empty() && given.size() <= kMaxAuditId;
  return usable ? std::string(given) : random.uuid();
}

std::size_t body_size(const http::Response& response) {
  std::size_t size = 0;
  for (const http::Bytes& segment : response.body) size += segment->size();
  return size;
}

// Loopback peers and callers in the process get plain bytes: compressing costs more than it saves.
void compress_body(const http::Request& request, http::Response& response) {
  if (request.peer.address.empty() || request.peer.loopback || response.headers.has("Content-Encoding")) return;
  // A source that does not wait is there because the body is long.
  if (response.source == nullptr ? body_size(response) <= kGzipFrom : response.source->waits()) return;
  if (request.headers.get("Accept-Encoding").find("gzip") == std::string_view::npos) return;
  std::string compressed = gzip(response.body_text(), 1);
  response.source.reset();
  response.body.clear();
  response.body.push_back(http::bytes(std::move(compressed)));
  response.headers.set("Content-Encoding", "gzip");
  response.headers.add("Vary", "Accept-Encoding");
}

Error body_too_large() {
  return {Reason::RequestEntityTooLarge, "Request entity too large: limit is " + std::to_string(kMaxBody)};
}

// Upstream writes this one Status without its type.
http::Response timeout_response() {
  const Value status = Value::object({{"metadata", Value::object()},
                                      {"status", "Failure"},
                                      {"message", "Timeout: request did not complete within the allotted timeout"},
                                      {"reason", "Timeout"},
                                      {"details", Value::object()},
                                      {"code", 504}});
  return http::Response::text(504, json::write(status) + "\n", "application/json");
}

class HandlerChain : public http::Handler {
 public:
  explicit HandlerChain(ChainParts parts)
      : parts_(std::move(parts)),
        read_only_(parts_.executor, parts_.limits.read_only),
        mutating_(parts_.executor, parts_.limits.mutating) {}

  // One object read or written: the rest of the time is the store's, and that is waited for aside.
  bool is_quick(const http::Request& request) const override {
    return request.body.size() <= kMaxQuickBody && concerns_one_object(request);
  }

  http::Response refusal(int status, std::string_view why) const override {
    if (status != 413) return http::Handler::refusal(status, why);
    return error_response({}, body_too_large());
  }

  http::Response handle(const Context& context, const http::Request& request) override {
    const MonotonicTime begin = context.clock().monotonic();
    RequestScope scope{context, request, read_request_info(request), http::Query::parse(request.query), {}};
    const std::string audit_id = audit_id_of(request, context.executor().random());
    scope.context = context.with_trace(audit_id);
    http::Response response = guarded(scope);
    response.headers.set("Audit-Id", audit_id);
    if (!response.headers.has("Cache-Control")) response.headers.set("Cache-Control", "no-cache, private");
    add_warning_headers(scope.warnings.texts(), response.headers);
    compress_body(request, response);
    const RequestRecord record{scope, response.status, context.clock().monotonic() - begin};
    for (const RequestObserver& observer : parts_.observers) observer(record);
    return response;
  }

 private:
  // Whatever a handler throws ends this request and nothing else.
  http::Response guarded(RequestScope& scope) {
    try {
      auto answered = serve(scope);
      if (answered.ok()) return std::move(answered).value();
      if (answered.error().reason() == Reason::Timeout && scope.context.expired()) return timeout_response();
      return error_response(scope.request, answered.error());
    } catch (const std::exception& thrown) {
      parts_.log.error("a request handler threw", {{"path", scope.info.path}, {"what", thrown.what()}});
      return error_response(scope.request, internal_error("Internal error occurred: " + std::string(thrown.what())));
    }
  }

  Result<http::Response> serve(RequestScope& scope) {
    if (scope.request.body.size() > kMaxBody) return body_too_large();
    TRY(set_deadline(scope));
    TRY(authenticate(scope));
    TRY(impersonate(scope));
    std::optional<Slots::Slot> place;
    if (!take_place(scope, place)) return too_many();
    TRY(authorize(scope));
    return parts_.endpoint(scope);
  }

  static Result<void> set_deadline(RequestScope& scope) {
    if (is_long_running(scope.info)) return {};
    Duration timeout = kRequestTimeout;
    const std::string_view text = scope.query.get("timeout");
    if (!text.empty()) {
      auto parsed = parse_duration(text);
      if (!parsed.ok()) {
        return bad_request("invalid timeout specified in the request URL - time: invalid duration \"" +
                           std::string(text) + "\"");
      }
      if (*parsed > Duration::zero()) timeout = std::min(timeout, *parsed);
    }
    scope.context = scope.context.with_timeout(timeout);
    return {};
  }

  Result<void> authenticate(RequestScope& scope) {
    if (scope.context.identity() != nullptr) return {};
    auto found = parts_.authenticator.authenticate(scope.context, scope.request);
    if (!found.ok() || !*found) {
      if (!found.ok() && found.error().reason() != Reason::Unauthorized) return found.error();
      return Error(Reason::Unauthorized, "Unauthorized");
    }
    scope.context = scope.context.with_identity(std::make_shared<const Identity>(std::move(**found)));
    return {};
  }

  Result<void> impersonate(RequestScope& scope) {
    if (!parts_.impersonation) {
      if (!scope.request.headers.has("Impersonate-User")) return {};
      return Error(Reason::Forbidden, "impersonation is not available");
    }
    ASSIGN_OR_RETURN(auto acting, parts_.impersonation(scope, scope.context.identity()));
    scope.context = scope.context.with_identity(std::move(acting));
    return {};
  }

  bool take_place(const RequestScope& scope, std::optional<Slots::Slot>& place) {
    if (is_long_running(scope.info) || in_masters_group(scope.who())) return true;
    place = (is_mutating(scope.info.verb) ? mutating_ : read_only_).try_take();
    return place.has_value();
  }

  static http::Response too_many() {
    http::Response response = http::Response::text(429, "Too many requests, please try again later.");
    response.headers.set("Retry-After", "1");
    return response;
  }

  Result<void> authorize(const RequestScope& scope) {
    const Attributes attributes = attributes_of(scope.info);
    const Decision decision = parts_.authorizer.authorize(scope.context, scope.who(), attributes);
    if (decision.outcome == Decision::Outcome::Allow) return {};
    return forbidden(scope.who(), attributes, decision.reason);
  }

  const ChainParts parts_;
  Slots read_only_;
  Slots mutating_;
};

}  // namespace

Attributes attributes_of(const RequestInfo& info) {
  Attributes attributes;
  attributes.verb = info.verb;
  attributes.resource_request = info.resource_request;
  attributes.namespace_ = info.namespace_;
  attributes.group = info.group;
  attributes.version = info.version;
  attributes.resource = info.resource;
  attributes.subresource = info.subresource;
  attributes.name = info.name;
  attributes.path = info.path;
  attributes.field_selector = info.field_selector;
  attributes.label_selector = info.label_selector;
  return attributes;
}

std::unique_ptr<http::Handler> make_handler_chain(ChainParts parts) {
  return std::make_unique<HandlerChain>(std::move(parts));
}

}  // namespace coracle::kube::apiserver
