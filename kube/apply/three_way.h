#pragma once

#include "base/context.h"
#include "base/result.h"
#include "kube/client/client.h"

namespace coracle::kube {

// Patches an object on the client's side from what it is to what it shall be, without touching what others added to it.
// What `last_applied` had and `desired` has not is taken away. Strategic where the kind is built in, a merge patch
// where it is not; nothing is sent when there is nothing to do.
Result<void> patch_three_way(const Context& context, const Client& client, const ResourceRef& resource,
                             const Value& last_applied, const Object& desired, const Object& live,
                             const WriteParameters& parameters);

}  // namespace coracle::kube
