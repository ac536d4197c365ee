#pragma once

#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "kube/schema/schema.h"

namespace coracle::kube {

// So many problems of one object are told at most.
inline constexpr std::size_t kMaxProblems = 1000;

// Checks a value against its schema: types, required fields, enums, bounds, lengths, patterns, formats, alternatives,
// uniqueness of set and map lists. Problems are worded as upstream words those of custom resources. With `old`, the
// stored state, what has not changed is not complained about (ratcheting).
std::vector<Cause> validate(const Value& value, const Schema& schema, std::string_view path = {},
                            const Value* old = nullptr);

// Fields that the table calls immutable and that differ: "field is immutable".
std::vector<Cause> validate_immutable(const Value& value, const Value& old, const Schema& schema,
                                      std::string_view path = {});

}  // namespace coracle::kube
