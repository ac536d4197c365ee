#pragma once

#include "base/value.h"

namespace coracle::kube {

// The members of a map in the order of their keys, as Go prints maps. Shared with `map` when they are already.
Value sorted_members(Value map);

}  // namespace coracle::kube
