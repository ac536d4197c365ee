#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/value.h"

// The entries of an Invalid status, worded as upstream words them. `field` is a path ("spec.replicas"); the root of an
// object is "<nil>".
namespace coracle::kube::field_error {

// Stands for the root of an object.
inline constexpr std::string_view kRootField = "<nil>";

// "Invalid value: -1: <detail>"
Cause invalid(std::string_view field, const Value& value, std::string_view detail);
// "Required value", or "Required value: <detail>"
Cause required(std::string_view field, std::string_view detail = {});
// "Forbidden: <detail>"
Cause forbidden(std::string_view field, std::string_view detail);
// `Unsupported value: "z": supported values: "a", "b"`
Cause not_supported(std::string_view field, const Value& value, std::span<const std::string_view> supported);
// "Duplicate value: \"x\""
Cause duplicate(std::string_view field, const Value& value);
// "Not found: \"x\"", or "Not found: \"x\": <detail>"
Cause not_found(std::string_view field, const Value& value, std::string_view detail = {});
// "Too long: may not be more than 5 bytes"
Cause too_long(std::string_view field, std::int64_t maximum);
// "Too many: 9: must have at most 8 items"
Cause too_many(std::string_view field, std::int64_t actual, std::int64_t maximum);
// As invalid(), with the reason for values of a wrong type.
Cause type_invalid(std::string_view field, const Value& value, std::string_view detail);

}  // namespace coracle::kube::field_error
