#pragma once

#include <string>

#include "kube/client/client.h"

namespace coracle::kube {

// Deletes an object in the background; one that is not there is gone already. `uid`: only that object.
Result<void> remove_in_background(const Context& context, const Client& client, const ResourceRef& resource,
                                  const ObjectKey& key, const std::string& uid = {});
// Waits until nothing has the name any more, as long as `context` lets it.
Result<void> wait_until_removed(const Context& context, const Client& client, const ResourceRef& resource,
                                const ObjectKey& key);
// Both. `uid`: only that object, whatever has its name then.
Result<void> remove_and_wait(const Context& context, const Client& client, const ResourceRef& resource,
                             const ObjectKey& key, const std::string& uid = {});

}  // namespace coracle::kube
