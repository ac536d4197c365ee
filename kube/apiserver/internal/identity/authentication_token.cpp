#include "kube/apiserver/internal/identity/authentication_token.h"

#include <algorithm>
#include <utility>

#include "base/encoding.h"
#include "base/http/websocket.h"
#include "base/text.h"

namespace coracle::kube::apiserver {
namespace {

constexpr std::string_view kSubprotocolPrefix = "base64url.bearer.authorization.k8s.io.";
constexpr std::size_t kMaxTokenBytes = 16 * 1024;

class TokenUnion : public TokenAuthenticator {
 public:
  explicit TokenUnion(std::vector<std::unique_ptr<TokenAuthenticator>> kinds) : kinds_(std::move(kinds)) {}

  Result<std::optional<TokenAnswer>> authenticate_token(const Context& context, std::string_view token,
                                                        std::span<const std::string> audiences) override {
    std::string faults;
    for (const std::unique_ptr<TokenAuthenticator>& kind : kinds_) {
      Result<std::optional<TokenAnswer>> answer = kind->authenticate_token(context, token, audiences);
      if (answer.ok() && *answer) return answer;
      if (!answer.ok()) faults.append(", ").append(answer.error().message());
    }
    std::string text = "invalid bearer token";
    return Error(Reason::Unauthorized, faults.empty() ? text : "[" + text + faults + "]");
  }

 private:
  std::vector<std::unique_ptr<TokenAuthenticator>> kinds_;
};

// A token in the list of WebSocket subprotocols; browsers cannot send an Authorization header. Another subprotocol
// must be there for the answer, which cannot name this one.
Result<std::string> subprotocol_token(const http::Request& request) {
  if (!http::websocket::is_requested(request)) return std::string();
  std::vector<std::string_view> protocols = http::websocket::offered_protocols(request);
  const auto tokens = std::partition(protocols.begin(), protocols.end(),
                                     [](std::string_view protocol) { return !is_token_protocol(protocol); });
  if (tokens == protocols.end()) return std::string();
  if (protocols.end() - tokens > 1) return Error(Reason::Unauthorized, "more than one bearer token as a subprotocol");
  if (tokens == protocols.begin()) return Error(Reason::Unauthorized, "a bearer token is the only subprotocol");
  auto token = base64url_decode(tokens->substr(kSubprotocolPrefix.size()));
  if (!token.ok()) return Error(Reason::Unauthorized, "the bearer token among the subprotocols is no base64url");
  return token;
}

class BearerAuthenticator : public Authenticator {
 public:
  explicit BearerAuthenticator(TokenAuthenticator& tokens) : tokens_(tokens) {}

  Result<std::optional<Identity>> authenticate(const Context& context, const http::Request& request) override {
    std::string_view token = authorization_credentials(request, "Bearer");
    if (!token.empty()) return check(context, token);
    ASSIGN_OR_RETURN(std::string from_protocol, subprotocol_token(request));
    if (from_protocol.empty()) return std::optional<Identity>();
    return check(context, from_protocol);
  }

 private:
  Result<std::optional<Identity>> check(const Context& context, std::string_view token) {
    if (token.size() > kMaxTokenBytes) return Error(Reason::Unauthorized, "invalid bearer token");
    ASSIGN_OR_RETURN(std::optional<TokenAnswer> answer, tokens_.authenticate_token(context, token, {}));
    if (!answer) return Error(Reason::Unauthorized, "invalid bearer token");
    return std::optional<Identity>(std::move(answer->who));
  }

  TokenAuthenticator& tokens_;
};

}  // namespace

std::vector<std::string> wanted_audiences(std::span<const std::string> audiences, std::span<const std::string> wanted) {
  std::vector<std::string> common;
  for (const std::string& audience : audiences) {
    if (wanted.empty() || std::find(wanted.begin(), wanted.end(), audience) != wanted.end()) common.push_back(audience);
  }
  return common;
}

std::unique_ptr<TokenAuthenticator> make_token_union(std::vector<std::unique_ptr<TokenAuthenticator>> kinds) {
  return std::make_unique<TokenUnion>(std::move(kinds));
}

std::unique_ptr<Authenticator> make_bearer_authenticator(TokenAuthenticator& tokens) {
  return std::make_unique<BearerAuthenticator>(tokens);
}

bool is_token_protocol(std::string_view protocol) {
  return protocol.starts_with(kSubprotocolPrefix);
}

std::string_view authorization_credentials(const http::Request& request, std::string_view scheme) {
  std::string_view header = trim(request.headers.get("Authorization"));
  if (header.size() <= scheme.size() || header[scheme.size()] != ' ') return {};
  if (to_lower(header.substr(0, scheme.size())) != to_lower(scheme)) return {};
  return trim(header.substr(scheme.size()));
}

}  // namespace coracle::kube::apiserver
