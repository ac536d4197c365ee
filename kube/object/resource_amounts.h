#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/value.h"
#include "kube/object/quantity.h"

namespace coracle::kube {

// Amounts by resource name, sorted.
using ResourceAmounts = std::map<std::string, Quantity, std::less<>>;

// A ResourceList ("cpu": "100m"); amounts that cannot be read are left out, validation refuses them.
ResourceAmounts read_amounts(const Value& list);
Value write_amounts(const ResourceAmounts& amounts);
void add_amounts(ResourceAmounts& sum, const ResourceAmounts& more);

// What a pod needs at most at one time: `part` is "requests" or "limits". Containers and sidecars add
// up; an init container counts with the sidecars that run before it.
ResourceAmounts pod_amounts(const Value& pod_spec, std::string_view part);

}  // namespace coracle::kube
