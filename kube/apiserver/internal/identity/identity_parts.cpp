#include "kube/apiserver/internal/identity/identity_parts.h"

#include <utility>

#include "base/ip.h"
#include "kube/apiserver/internal/identity/authentication_bootstrap_token.h"
#include "kube/apiserver/internal/identity/authentication_certificate.h"
#include "kube/apiserver/internal/identity/authentication_passwd.h"
#include "kube/apiserver/internal/identity/authorization_node.h"
#include "kube/apiserver/internal/identity/authorization_union.h"
#include "kube/apiserver/internal/identity/impersonation.h"
#include "kube/apiserver/internal/identity/reviews.h"
#include "kube/apiserver/internal/identity/tokens_authenticator.h"
#include "kube/apiserver/internal/identity/tokens_request.h"

namespace coracle::kube::apiserver {

Result<std::unique_ptr<IdentityParts>> IdentityParts::make(const Options& options, const ResourceTablePtr& table,
                                                           ResourceStore& store, const Logger& log) {
  ASSIGN_OR_RETURN(TokenAuthority authority, TokenAuthority::make(options.tokens));
  ASSIGN_OR_RETURN(std::vector<PasswdEntry> passwd, read_passwd(options.passwd_text));
  auto parts = std::make_unique<IdentityParts>(table, store, std::move(authority));
  const std::vector<std::string>& audiences = parts->token_authority_.api_audiences();

  std::vector<std::unique_ptr<TokenAuthenticator>> kinds;
  if (!passwd.empty()) kinds.push_back(make_passwd_tokens(passwd, audiences));
  kinds.push_back(std::make_unique<ServiceAccountTokens>(parts->token_authority_, parts->objects_));
  kinds.push_back(make_bootstrap_tokens(parts->objects_, audiences));
  parts->tokens_ = make_token_union(std::move(kinds));

  std::vector<std::unique_ptr<Authenticator>> authenticators;
  if (!options.request_header_ca_pem.empty()) {
    authenticators.push_back(
        make_front_proxy_authenticator(options.request_header_ca_pem, options.request_header_allowed_names));
  }
  if (!options.client_ca_pem.empty()) authenticators.push_back(make_certificate_authenticator(options.client_ca_pem));
  if (!passwd.empty()) authenticators.push_back(make_basic_authenticator(std::move(passwd)));
  authenticators.push_back(make_bearer_authenticator(*parts->tokens_));
  parts->authenticator_ = make_authenticator_chain(std::move(authenticators));

  auto rbac = std::make_unique<RbacAuthorizer>(parts->objects_, log.named("rbac"));
  parts->rbac_ = rbac.get();
  std::vector<std::unique_ptr<Authorizer>> authorizers;
  authorizers.push_back(std::make_unique<NodeAuthorizer>(parts->objects_, log.named("node-authorizer")));
  authorizers.push_back(std::move(rbac));
  parts->authorizer_ = make_union_authorizer(std::move(authorizers));
  return parts;
}

Impersonation IdentityParts::impersonation() {
  return make_impersonation(*authorizer_);
}

void IdentityParts::add_subresources(SubresourceTable& table) {
  table.add("", "serviceaccounts", "token", make_token_request_handler(token_authority_, objects_));
  add_review_handlers(table, *authorizer_, *tokens_);
}

void IdentityParts::add_endpoints(EndpointTable& endpoints, const Options& options) const {
  add_token_discovery(endpoints, token_authority_,
                      url_host(options.advertise_address) + ":" + std::to_string(options.advertise_port));
}

}  // namespace coracle::kube::apiserver
