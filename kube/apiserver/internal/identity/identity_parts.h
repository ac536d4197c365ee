#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "kube/apiserver/internal/endpoint_table.h"
#include "kube/apiserver/internal/handler_chain.h"
#include "kube/apiserver/internal/identity/authentication_token.h"
#include "kube/apiserver/internal/identity/rbac_authorizer.h"
#include "kube/apiserver/internal/identity/tokens_authority.h"
#include "kube/apiserver/internal/object_reader.h"
#include "kube/apiserver/internal/subresources.h"
#include "kube/apiserver/server.h"

namespace coracle::kube::apiserver {

// Everything that decides who asks and what they may, wired together: one per server. Pointers into it
// stay valid as long as it lives; it must live longer than the handler chain.
class IdentityParts {
 public:
  // Without authenticators and authorizers yet: make() adds them.
  IdentityParts(const ResourceTablePtr& table, ResourceStore& store, TokenAuthority token_authority)
      : objects_(table, store), token_authority_(std::move(token_authority)) {}
  // BadRequest for keys or a passwd text that cannot be read. `store` outlives the result.
  static Result<std::unique_ptr<IdentityParts>> make(const Options& options, const ResourceTablePtr& table,
                                                     ResourceStore& store, const Logger& log);

  const ObjectReader& objects() const { return objects_; }
  const TokenAuthority& token_authority() const { return token_authority_; }
  TokenAuthenticator& tokens() { return *tokens_; }
  Authenticator& authenticator() { return *authenticator_; }
  Authorizer& authorizer() { return *authorizer_; }
  // The role-based part of authorizer().
  RbacAuthorizer& rbac() { return *rbac_; }
  Impersonation impersonation();

  // Reviews and TokenRequest.
  void add_subresources(SubresourceTable& table);
  // Key documents.
  void add_endpoints(EndpointTable& endpoints, const Options& options) const;

 private:
  ObjectReader objects_;
  TokenAuthority token_authority_;
  std::unique_ptr<TokenAuthenticator> tokens_;
  std::unique_ptr<Authenticator> authenticator_;
  std::unique_ptr<Authorizer> authorizer_;
  RbacAuthorizer* rbac_ = nullptr;  // owned by authorizer_
};

}  // namespace coracle::kube::apiserver
