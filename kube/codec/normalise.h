#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/value.h"
#include "kube/schema/schema.h"

namespace coracle::kube {

// A decoder gives up on objects of more values than this; real ones stay far below.
inline constexpr std::size_t kMaxDecodedValues = 500'000;

// Brings a JSON-shaped tree into the form in which upstream prints objects of a built-in type: fields in the
// table's order, empty fields left out, those that Go always prints ("status": {}) filled in, quantities, times and
// durations canonical. Fields that the type does not have are dropped, their paths ("spec.containers[0].x") appended
// to `unknown` in document order. Parts that are already in this form are shared with `value`.
// BadRequest for the first value of a wrong type, in the words of Go's JSON reader.
Result<Value> normalise(const Value& value, const Schema& schema, std::vector<std::string>* unknown = nullptr);

// The same for a custom resource, where only metadata is a built-in type: apiVersion, kind and metadata come first,
// everything else stays as it is.
Result<Value> normalise_custom(const Value& value, std::vector<std::string>* unknown = nullptr);

// Brings the metadata of resources that a custom resource holds inside (x-kubernetes-embedded-resource) into the same
// form. BadRequest where one has a type or metadata that no object can have. `schema` is the custom resource's.
Result<Value> normalise_embedded(const Value& value, const Schema& schema);

}  // namespace coracle::kube
