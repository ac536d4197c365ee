#pragma once

#include <string_view>

#include "base/context.h"
#include "base/result.h"
#include "kube/apply/applier.h"

namespace coracle::daemon {

// Applies the bundled definitions of custom resources whose file begins with `prefix`. What reconciles such kinds
// starts after them.
Result<void> apply_definitions(const Context& context, const kube::Applier& applier, std::string_view prefix = "crds/");

}  // namespace coracle::daemon
