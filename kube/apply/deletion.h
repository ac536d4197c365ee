#pragma once

#include <string>

#include "kube/client/client.h"

namespace coracle::kube {

// Deletes an object in the background and waits until it is gone, as long as `context` lets it; one that is not there
// is gone already. `uid`: only that object, whatever has its name then.
Result<void> remove_and_wait(const Context& context, const Client& client, const ResourceRef& resource,
                             const ObjectKey& key, const std::string& uid = {});

}  // namespace coracle::kube
