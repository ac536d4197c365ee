#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "kube/apiserver/internal/identity/tokens_jwt.h"
#include "kube/apiserver/server.h"

namespace coracle::kube::apiserver {

struct NamedReference {
  std::string name;
  std::string uid;
};

// What a service-account token says ("kubernetes.io" and the registered claims).
struct ServiceAccountClaims {
  std::string issuer;
  std::vector<std::string> audiences;
  std::string token_id;  // jti
  std::string namespace_;
  NamedReference service_account;
  std::optional<NamedReference> pod;
  std::optional<NamedReference> secret;
  std::optional<NamedReference> node;
  std::int64_t issued_at = 0;  // seconds since 1970
  std::int64_t not_before = 0;
  std::int64_t expires = 0;  // 0: never (legacy tokens)
  std::int64_t warn_after = 0;
  bool legacy = false;  // of a Secret, without time and audience
};

// Signs and reads service-account tokens. Immutable and thread-safe.
class TokenAuthority {
 public:
  // BadRequest when a key cannot be read. Without a signing key tokens are verified only.
  static Result<TokenAuthority> make(const TokenSettings& settings);

  const std::string& issuer() const { return issuer_; }
  // What a token is good for that names nothing: the API server's own audiences.
  const std::vector<std::string>& api_audiences() const { return audiences_; }

  Result<std::string> sign(const ServiceAccountClaims& claims) const;
  // Nothing: not a token of ours. Unauthorized: ours by its issuer, but not signed by us.
  Result<std::optional<ServiceAccountClaims>> read(std::string_view token) const;
  // The token of a Secret of type kubernetes.io/service-account-token.
  Result<std::string> sign_legacy(const ServiceAccountClaims& claims) const;

  // The documents of OpenID Connect discovery.
  std::string discovery_document(std::string_view key_set_url) const;
  Result<std::string> key_set_document() const;

 private:
  TokenAuthority() = default;

  std::string issuer_;
  std::vector<std::string> audiences_;
  std::optional<TokenKey> signing_key_;
  std::vector<TokenKey> keys_;  // all that verify
};

}  // namespace coracle::kube::apiserver
