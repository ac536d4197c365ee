#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kube/apiserver/internal/authentication.h"

namespace coracle::kube::apiserver {

// Whom a bearer token stands for, and the wanted audiences that it is good for.
struct TokenAnswer {
  Identity who;
  std::vector<std::string> audiences;
};

// One kind of bearer token. Thread-safe.
class TokenAuthenticator {
 public:
  virtual ~TokenAuthenticator() = default;
  // Nothing: not a token of this kind. An error: of this kind, but not valid; the text may be shown to
  // whoever reviews tokens. Empty `audiences`: those of the API server.
  virtual Result<std::optional<TokenAnswer>> authenticate_token(const Context& context, std::string_view token,
                                                                std::span<const std::string> audiences) = 0;
};

// What of `audiences` is wanted; all of them when nothing particular is.
std::vector<std::string> wanted_audiences(std::span<const std::string> audiences, std::span<const std::string> wanted);

// Asks each kind in order. Unauthorized with "invalid bearer token" (and what the kinds said) when none
// knows it.
std::unique_ptr<TokenAuthenticator> make_token_union(std::vector<std::unique_ptr<TokenAuthenticator>> kinds);

// "Authorization: Bearer" and the WebSocket subprotocol that stands in for it. `tokens` outlives it.
std::unique_ptr<Authenticator> make_bearer_authenticator(TokenAuthenticator& tokens);

// Whether a WebSocket subprotocol is a bearer token.
bool is_token_protocol(std::string_view protocol);

// The credentials of an Authorization header of one scheme ("Bearer"), without regard to case; empty
// when there is none.
std::string_view authorization_credentials(const http::Request& request, std::string_view scheme);

}  // namespace coracle::kube::apiserver
