#pragma once

#include "kube/apiserver/internal/authorization.h"
#include "kube/apiserver/internal/handler_chain.h"

namespace coracle::kube::apiserver {

// Acting as someone else through the headers Impersonate-User, -Group, -Uid and -Extra-<key>. First the
// constrained modes (verb "impersonate:<mode>" on the identity and "impersonate-on:<mode>:<verb>" on what
// is asked for), then the old verb "impersonate"; the first refusal is the one that is reported.
// `authorizer` outlives the result.
Impersonation make_impersonation(Authorizer& authorizer);

}  // namespace coracle::kube::apiserver
