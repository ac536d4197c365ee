#pragma once

#include <memory>

#include "kube/apiserver/internal/identity/authentication_token.h"
#include "kube/apiserver/internal/object_reader.h"

namespace coracle::kube::apiserver {

// Tokens "<6 characters>.<16 characters>" of the Secrets kube-system/bootstrap-token-<id>. `objects`
// outlives it.
std::unique_ptr<TokenAuthenticator> make_bootstrap_tokens(const ObjectReader& objects,
                                                          std::vector<std::string> api_audiences);

}  // namespace coracle::kube::apiserver
