#pragma once

#include <string_view>

#include "base/context.h"

namespace coracle::kube {

// The context of a controller that acts as its own service account (kube-system/<name>), with the
// groups that every service account has.
Context as_service_account(const Context& context, std::string_view ns, std::string_view name);
// The context of a component that acts as a user without groups of its own.
Context as_user(const Context& context, std::string_view user);
// The context of a component that acts as a member of system:masters (k3s's supervisor).
Context as_master(const Context& context, std::string_view user);

}  // namespace coracle::kube
