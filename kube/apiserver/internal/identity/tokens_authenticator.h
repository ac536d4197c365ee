#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "kube/apiserver/internal/identity/authentication_token.h"
#include "kube/apiserver/internal/identity/tokens_authority.h"
#include "kube/apiserver/internal/object_reader.h"

namespace coracle::kube::apiserver {

// Service-account tokens: signature (remembered per token), time, audience, and that the account and
// whatever the token is bound to still exist. Thread-safe; both arguments outlive it.
class ServiceAccountTokens : public TokenAuthenticator {
 public:
  static constexpr std::size_t kMaxKnownTokens = 4096;

  ServiceAccountTokens(const TokenAuthority& authority, const ObjectReader& objects)
      : authority_(authority), objects_(objects) {}

  Result<std::optional<TokenAnswer>> authenticate_token(const Context& context, std::string_view token,
                                                        std::span<const std::string> audiences) override;

 private:
  using ClaimsPtr = std::shared_ptr<const ServiceAccountClaims>;

  Result<ClaimsPtr> read(std::string_view token);
  Result<void> check_objects(const Context& context, const ServiceAccountClaims& claims, std::string_view token) const;
  Result<void> check_bound(const Context& context, KnownResource resource, std::string_view ns,
                           const NamedReference& reference, std::string_view what) const;
  Result<void> check_legacy(const Context& context, const ServiceAccountClaims& claims, std::string_view token) const;

  const TokenAuthority& authority_;
  const ObjectReader& objects_;
  std::mutex mutex_;
  std::unordered_map<std::string, ClaimsPtr> known_;  // by SHA-256 of the token
};

// User name, groups and extra that valid claims stand for.
Identity identity_of_claims(const ServiceAccountClaims& claims);

}  // namespace coracle::kube::apiserver
