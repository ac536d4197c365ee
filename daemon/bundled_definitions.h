#pragma once

#include <span>
#include <string_view>

#include "base/context.h"
#include "base/result.h"
#include "kube/apply/applier.h"

namespace coracle::daemon {

// Applies the bundled definitions of custom resources whose file begins with one of `prefixes`. What reconciles such
// kinds starts after them.
Result<void> apply_definitions(const Context& context, const kube::Applier& applier,
                               std::span<const std::string_view> prefixes);

}  // namespace coracle::daemon
