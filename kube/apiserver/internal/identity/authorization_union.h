#pragma once

#include <memory>
#include <vector>

#include "kube/apiserver/internal/authorization.h"

namespace coracle::kube::apiserver {

// system:masters may do everything; for others the first authorizer with an opinion decides, and
// without one the request is refused with all their reasons.
std::unique_ptr<Authorizer> make_union_authorizer(std::vector<std::unique_ptr<Authorizer>> authorizers);

bool in_masters_group(const Identity& who);

}  // namespace coracle::kube::apiserver
