#pragma once

#include <string_view>

#include "base/clock.h"
#include "base/value.h"
#include "kube/schema/schema.h"

namespace coracle::kube {

// Fills in what the client left out: the table's defaults, and for built-in types the conditional ones (a container's
// imagePullPolicy, a service's ports ...) and the conversions that upstream makes in the same breath (a Secret's
// stringData, a pod's serviceAccount and podIP). `value` is in canonical form (kube/codec/normalise.h) or of a custom
// resource; so is the result. Unchanged parts are shared. Runs wherever an object enters: requests, patches,
// admission, the store. `now` is for the one default that is a time.
Value apply_defaults(const Value& value, const Schema& schema, WallTime now);

// Always for an image whose tag is "latest", or that has neither tag nor digest; IfNotPresent for others.
std::string_view default_pull_policy(std::string_view image);

}  // namespace coracle::kube
