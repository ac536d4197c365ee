#include "kube/apiserver/internal/identity/tokens_authority.h"

#include <algorithm>
#include <utility>

#include "base/go_number.h"
#include "base/json/json.h"

namespace coracle::kube::apiserver {
namespace {

constexpr std::string_view kLegacyIssuer = "kubernetes/serviceaccount";

Value named_claim(const NamedReference& reference) {
  Value::ObjectBuilder builder;
  builder.set("name", reference.name);
  builder.set_nonempty("uid", reference.uid);
  return std::move(builder).build();
}

std::optional<NamedReference> read_named_claim(const Value& claim) {
  if (!claim.is_object()) return std::nullopt;
  return NamedReference{std::string(claim["name"].as_string()), std::string(claim["uid"].as_string())};
}

std::vector<std::string> read_audiences(const Value& claim) {
  std::vector<std::string> audiences;
  if (claim.is_string()) audiences.emplace_back(claim.as_string());
  for (const Value& audience : claim.items()) audiences.emplace_back(audience.as_string());
  return audiences;
}

// Times of a token may carry a fraction.
std::int64_t read_seconds(const Value& claim) {
  return claim.is_double() ? go_int64(claim.as_double()) : claim.as_int();
}

ServiceAccountClaims read_bound_claims(const Value& claims) {
  const Value& own = claims["kubernetes.io"];
  ServiceAccountClaims read;
  read.audiences = read_audiences(claims["aud"]);
  read.token_id = claims["jti"].as_string();
  read.namespace_ = own["namespace"].as_string();
  read.service_account = read_named_claim(own["serviceaccount"]).value_or(NamedReference{});
  read.pod = read_named_claim(own["pod"]);
  read.secret = read_named_claim(own["secret"]);
  read.node = read_named_claim(own["node"]);
  read.issued_at = read_seconds(claims["iat"]);
  read.not_before = read_seconds(claims["nbf"]);
  read.expires = read_seconds(claims["exp"]);
  read.warn_after = read_seconds(own["warnafter"]);
  return read;
}

ServiceAccountClaims read_legacy_claims(const Value& claims) {
  ServiceAccountClaims read;
  read.legacy = true;
  read.namespace_ = claims["kubernetes.io/serviceaccount/namespace"].as_string();
  read.service_account.name = claims["kubernetes.io/serviceaccount/service-account.name"].as_string();
  read.service_account.uid = claims["kubernetes.io/serviceaccount/service-account.uid"].as_string();
  read.secret = NamedReference{std::string(claims["kubernetes.io/serviceaccount/secret.name"].as_string()), {}};
  return read;
}

std::string account_subject(const ServiceAccountClaims& claims) {
  return "system:serviceaccount:" + claims.namespace_ + ":" + claims.service_account.name;
}

Error bad_token(std::string text) {
  return Error(Reason::Unauthorized, std::move(text));
}

}  // namespace

Result<TokenAuthority> TokenAuthority::make(const TokenSettings& settings) {
  TokenAuthority authority;
  authority.issuer_ = settings.issuer;
  authority.audiences_ = settings.audiences;
  if (authority.audiences_.empty()) authority.audiences_.push_back(settings.issuer);
  auto add = [&](std::string_view pem) -> Result<void> {
    ASSIGN_OR_RETURN(std::vector<TokenKey> keys, read_token_keys(pem));
    for (TokenKey& key : keys) {
      bool known = std::any_of(authority.keys_.begin(), authority.keys_.end(),
                               [&](const TokenKey& other) { return other.id == key.id; });
      if (!known) authority.keys_.push_back(std::move(key));
    }
    return {};
  };
  if (Result<void> added = add(settings.signing_key_pem); !added.ok()) {
    return added.error().in("service account signing key");
  }
  if (!authority.keys_.empty()) authority.signing_key_ = authority.keys_.front();
  for (const std::string& pem : settings.verify_keys_pem) {
    if (Result<void> added = add(pem); !added.ok()) return added.error().in("service account verification key");
  }
  return authority;
}

Result<std::string> TokenAuthority::sign(const ServiceAccountClaims& claims) const {
  if (!signing_key_) return unsupported("no service account signing key is configured: tokens cannot be issued");
  Value::ArrayBuilder audiences;
  for (const std::string& audience : claims.audiences) audiences.add(audience);
  Value::ObjectBuilder own;
  own.set("namespace", claims.namespace_);
  if (claims.node) own.set("node", named_claim(*claims.node));
  if (claims.pod) own.set("pod", named_claim(*claims.pod));
  if (claims.secret) own.set("secret", named_claim(*claims.secret));
  own.set("serviceaccount", named_claim(claims.service_account));
  if (claims.warn_after != 0) own.set("warnafter", claims.warn_after);
  Value::ObjectBuilder builder;
  builder.set("aud", std::move(audiences).build());
  builder.set("exp", claims.expires).set("iat", claims.issued_at).set("iss", issuer_);
  builder.set("jti", claims.token_id).set("kubernetes.io", std::move(own).build());
  builder.set("nbf", claims.not_before).set("sub", account_subject(claims));
  return sign_jwt(std::move(builder).build(), *signing_key_);
}

Result<std::string> TokenAuthority::sign_legacy(const ServiceAccountClaims& claims) const {
  if (!signing_key_) return unsupported("no service account signing key is configured: tokens cannot be issued");
  Value::ObjectBuilder builder;
  builder.set("iss", kLegacyIssuer);
  builder.set("kubernetes.io/serviceaccount/namespace", claims.namespace_);
  builder.set("kubernetes.io/serviceaccount/secret.name", claims.secret ? claims.secret->name : std::string());
  builder.set("kubernetes.io/serviceaccount/service-account.name", claims.service_account.name);
  builder.set("kubernetes.io/serviceaccount/service-account.uid", claims.service_account.uid);
  builder.set("sub", account_subject(claims));
  return sign_jwt(std::move(builder).build(), *signing_key_);
}

Result<std::optional<ServiceAccountClaims>> TokenAuthority::read(std::string_view token) const {
  Result<Jwt> jwt = read_jwt(token);
  if (!jwt.ok()) return std::optional<ServiceAccountClaims>();
  std::string_view issuer = jwt->claims["iss"].as_string();
  if (issuer != issuer_ && issuer != kLegacyIssuer) return std::optional<ServiceAccountClaims>();
  if (!verify_jwt(*jwt, keys_)) return bad_token("service account token has no valid signature");
  ServiceAccountClaims claims =
      issuer == kLegacyIssuer ? read_legacy_claims(jwt->claims) : read_bound_claims(jwt->claims);
  claims.issuer = issuer;
  if (jwt->claims["sub"].as_string() != account_subject(claims)) {
    return bad_token("service account token's subject does not match its claims");
  }
  // Only the Secret behind a legacy token may end it.
  if (!claims.legacy && claims.expires == 0) return bad_token("service account token has no expiry");
  return std::optional<ServiceAccountClaims>(std::move(claims));
}

std::string TokenAuthority::discovery_document(std::string_view key_set_url) const {
  std::vector<Value> algorithms;
  for (const TokenKey& key : keys_) {
    Value algorithm(key.algorithm);
    if (std::find(algorithms.begin(), algorithms.end(), algorithm) == algorithms.end()) {
      algorithms.push_back(std::move(algorithm));
    }
  }
  return json::write(Value::object({{"issuer", issuer_},
                                    {"jwks_uri", key_set_url},
                                    {"response_types_supported", Value::array({"id_token"})},
                                    {"subject_types_supported", Value::array({"public"})},
                                    {"id_token_signing_alg_values_supported", Value::array(std::move(algorithms))}}));
}

Result<std::string> TokenAuthority::key_set_document() const {
  Value::ArrayBuilder keys;
  for (const TokenKey& key : keys_) {
    ASSIGN_OR_RETURN(Value web_key, json_web_key(key));
    keys.add(std::move(web_key));
  }
  return json::write(Value::object({{"keys", std::move(keys).build()}}));
}

}  // namespace coracle::kube::apiserver
