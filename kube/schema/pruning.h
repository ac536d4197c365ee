#pragma once

#include <string>
#include <vector>

#include "base/value.h"
#include "kube/schema/schema.h"

// What a custom resource's schema does to an object before anything else looks at it.
namespace coracle::kube {

// Drops every field that the schema does not have, unless it preserves unknown fields there. apiVersion, kind and
// metadata stay at the root and in embedded resources. Paths of what was dropped ("spec.a[0].b") go to `unknown` in
// document order. Shares what did not change.
Value prune(const Value& value, const Schema& schema, std::vector<std::string>* unknown = nullptr);

// Drops nulls of fields that are not nullable and have no default; those with one are filled by apply_defaults.
Value drop_nulls(const Value& value, const Schema& schema);

}  // namespace coracle::kube
