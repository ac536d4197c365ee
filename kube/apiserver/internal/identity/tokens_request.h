#pragma once

#include "kube/apiserver/internal/endpoint_table.h"
#include "kube/apiserver/internal/identity/tokens_authority.h"
#include "kube/apiserver/internal/object_reader.h"
#include "kube/apiserver/internal/subresources.h"

namespace coracle::kube::apiserver {

// POST .../serviceaccounts/<name>/token (TokenRequest). Both arguments outlive the handler.
SubresourceHandler make_token_request_handler(const TokenAuthority& authority, const ObjectReader& objects);

// /.well-known/openid-configuration and /openid/v1/jwks. `host_port` is where the API server is
// reached from outside ("192.0.2.1:6443").
void add_token_discovery(EndpointTable& endpoints, const TokenAuthority& authority, const std::string& host_port);

}  // namespace coracle::kube::apiserver
