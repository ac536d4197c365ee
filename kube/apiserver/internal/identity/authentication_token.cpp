#include "kube/apiserver/internal/identity/authentication_token.h"

#include <utility>

#include "base/text.h"
#include "base/tls/crypto.h"

namespace coracle::kube::apiserver {
namespace {

constexpr std::string_view kSubprotocolPrefix = "base64url.bearer.authorization.k8s.io.";
constexpr std::size_t kMaximumTokenBytes = 16 * 1024;

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

// A token in the list of WebSocket subprotocols; browsers cannot send an Authorization header.
Result<std::string> subprotocol_token(const http::Request& request) {
  for (std::string_view line : request.headers.all("Sec-WebSocket-Protocol")) {
    for (std::string_view entry : split(line, ',')) {
      std::string_view protocol = trim(entry);
      if (protocol.substr(0, kSubprotocolPrefix.size()) != kSubprotocolPrefix) continue;
      return crypto::base64url_decode(protocol.substr(kSubprotocolPrefix.size()));
    }
  }
  return std::string();
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
    if (token.size() > kMaximumTokenBytes) return Error(Reason::Unauthorized, "invalid bearer token");
    ASSIGN_OR_RETURN(std::optional<TokenAnswer> answer, tokens_.authenticate_token(context, token, {}));
    if (!answer) return Error(Reason::Unauthorized, "invalid bearer token");
    return std::optional<Identity>(std::move(answer->who));
  }

  TokenAuthenticator& tokens_;
};

}  // namespace

std::unique_ptr<TokenAuthenticator> make_token_union(std::vector<std::unique_ptr<TokenAuthenticator>> kinds) {
  return std::make_unique<TokenUnion>(std::move(kinds));
}

std::unique_ptr<Authenticator> make_bearer_authenticator(TokenAuthenticator& tokens) {
  return std::make_unique<BearerAuthenticator>(tokens);
}

std::string_view authorization_credentials(const http::Request& request, std::string_view scheme) {
  std::string_view header = trim(request.headers.get("Authorization"));
  if (header.size() <= scheme.size() || header[scheme.size()] != ' ') return {};
  if (to_lower(header.substr(0, scheme.size())) != to_lower(scheme)) return {};
  return trim(header.substr(scheme.size()));
}

}  // namespace coracle::kube::apiserver
