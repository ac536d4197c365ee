#include "kube/apiserver/internal/identity/tokens_authenticator.h"

#include <utility>

#include "base/encoding.h"
#include "base/tls/crypto.h"
#include "kube/apiserver/internal/identity/rbac_rules.h"

namespace coracle::kube::apiserver {
namespace {

// Clocks may differ, and an object that is being deleted keeps its tokens for a while.
constexpr std::chrono::seconds kTokenLeeway(60);
// Says since when the token of a Secret is no longer good; set on those that nobody has used for long.
constexpr std::string_view kInvalidSince = "kubernetes.io/legacy-token-invalid-since";

Error invalid_token(std::string text) {
  return Error(Reason::Unauthorized, std::move(text));
}

WallTime from_seconds(std::int64_t seconds) {
  return WallTime(std::chrono::seconds(seconds));
}

Result<void> check_times(const ServiceAccountClaims& claims, WallTime now) {
  if (claims.legacy) return {};
  if (now > from_seconds(claims.expires)) return invalid_token("service account token has expired");
  if (now + kTokenLeeway < from_seconds(claims.not_before)) {
    return invalid_token("service account token is not valid yet");
  }
  return {};
}

// The wanted audiences that the token names too.
Result<std::vector<std::string>> common_audiences(const std::vector<std::string>& of_token,
                                                  std::span<const std::string> wanted) {
  std::vector<std::string> common = wanted_audiences(of_token, wanted);
  if (!common.empty()) return common;
  return invalid_token("token audiences " + go_quote_list(of_token) + " is invalid for the target audiences " +
                       go_quote_list({wanted.begin(), wanted.end()}));
}

// Was the object marked for deletion longer ago than the leeway?
Result<bool> deleted_for_long(const StoredObject& stored, WallTime now) {
  if (!stored.deleting()) return false;
  ASSIGN_OR_RETURN(Object object, stored.object());
  ASSIGN_OR_RETURN(WallTime since, parse_time(object.metadata()["deletionTimestamp"].as_string()));
  return now > since + kTokenLeeway;
}

}  // namespace

Identity identity_of_claims(const ServiceAccountClaims& claims) {
  Identity who;
  who.user = "system:serviceaccount:" + claims.namespace_ + ":" + claims.service_account.name;
  who.uid = claims.service_account.uid;
  who.groups = {"system:serviceaccounts", "system:serviceaccounts:" + claims.namespace_};
  auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) who.extra[key] = {value};
  };
  if (!claims.token_id.empty()) add(kExtraCredentialId, "JTI=" + claims.token_id);
  if (claims.pod) {
    add(kExtraPodName, claims.pod->name);
    add(kExtraPodUid, claims.pod->uid);
  }
  if (claims.node) {
    add(kExtraNodeName, claims.node->name);
    add(kExtraNodeUid, claims.node->uid);
  }
  return who;
}

Result<ServiceAccountTokens::ClaimsPtr> ServiceAccountTokens::read(std::string_view token) {
  std::string digest = crypto::sha256(token);
  {
    std::lock_guard lock(mutex_);
    auto found = known_.find(digest);
    if (found != known_.end()) return found->second;
  }
  ASSIGN_OR_RETURN(std::optional<ServiceAccountClaims> claims, authority_.read(token));
  if (!claims) return ClaimsPtr();
  auto shared = std::make_shared<const ServiceAccountClaims>(std::move(*claims));
  std::lock_guard lock(mutex_);
  if (known_.size() >= kMaxKnownTokens) known_.clear();
  known_.emplace(std::move(digest), shared);
  return ClaimsPtr(std::move(shared));
}

Result<std::optional<TokenAnswer>> ServiceAccountTokens::authenticate_token(const Context& context,
                                                                            std::string_view token,
                                                                            std::span<const std::string> audiences) {
  ASSIGN_OR_RETURN(ClaimsPtr claims, read(token));
  if (claims == nullptr) return std::optional<TokenAnswer>();
  TRY(check_times(*claims, context.clock().wall()));
  std::span<const std::string> wanted = audiences.empty() ? std::span(authority_.api_audiences()) : audiences;
  // Legacy tokens and the first bound ones name no audience: they are for the API server.
  const std::vector<std::string>& named = claims->audiences.empty() ? authority_.api_audiences() : claims->audiences;
  ASSIGN_OR_RETURN(std::vector<std::string> common, common_audiences(named, wanted));
  TRY(check_objects(context, *claims, token));
  return std::optional<TokenAnswer>(TokenAnswer{identity_of_claims(*claims), std::move(common)});
}

Result<void> ServiceAccountTokens::check_objects(const Context& context, const ServiceAccountClaims& claims,
                                                 std::string_view token) const {
  const NamedReference& account = claims.service_account;
  TRY(check_bound(context, KnownResource::ServiceAccounts, claims.namespace_, account,
                  "service account " + claims.namespace_ + "/" + account.name));
  if (claims.legacy) return check_legacy(context, claims, token);
  if (claims.secret) {
    TRY(check_bound(context, KnownResource::Secrets, claims.namespace_, *claims.secret,
                    "secret " + claims.namespace_ + "/" + claims.secret->name));
  }
  if (claims.pod) {
    return check_bound(context, KnownResource::Pods, claims.namespace_, *claims.pod,
                       "pod " + claims.namespace_ + "/" + claims.pod->name);
  }
  // The node of a pod is a hint; a token that is bound to the node itself ends with it.
  if (claims.node) return check_bound(context, KnownResource::Nodes, {}, *claims.node, "node " + claims.node->name);
  return {};
}

Result<void> ServiceAccountTokens::check_bound(const Context& context, KnownResource resource, std::string_view ns,
                                               const NamedReference& reference, std::string_view what) const {
  ASSIGN_OR_RETURN(StoredObjectPtr stored, objects_.find_stored(context, resource, ns, reference.name));
  std::string text(what);
  if (stored == nullptr) return invalid_token("the " + text + " of the token does not exist");
  if (stored->uid() != reference.uid) return invalid_token("the " + text + " is not the one of the token");
  ASSIGN_OR_RETURN(bool gone, deleted_for_long(*stored, context.clock().wall()));
  if (gone) return invalid_token("the " + text + " of the token has been deleted");
  return {};
}

Result<void> ServiceAccountTokens::check_legacy(const Context& context, const ServiceAccountClaims& claims,
                                                std::string_view token) const {
  ASSIGN_OR_RETURN(std::optional<Object> secret,
                   objects_.find(context, KnownResource::Secrets, claims.namespace_, claims.secret->name));
  if (!secret || secret->deleting()) return invalid_token("the service account token has been invalidated");
  Result<std::string> kept = base64_decode((*secret)["data"]["token"].as_string());
  if (!kept.ok() || !crypto::constant_time_equal(*kept, token)) {
    return invalid_token("the service account token does not match its secret");
  }
  if (secret->metadata()["labels"][kInvalidSince].as_string().empty()) return {};
  return invalid_token("the token in secret " + claims.namespace_ + "/" + claims.secret->name +
                       " for service account " + claims.namespace_ + "/" + claims.service_account.name +
                       " has been marked invalid. Use tokens from the TokenRequest API or manually created "
                       "secret-based tokens, or remove the '" +
                       std::string(kInvalidSince) + "' label from the secret to temporarily allow use of this token");
}

}  // namespace coracle::kube::apiserver
