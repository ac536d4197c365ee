#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "kube/schema/schema.h"

// What custom resources are checked for beside their OpenAPI schema: lists that are sets or maps, and objects that hold
// whole resources.
namespace coracle::kube::internal {

// "spec", "size" to "spec.size".
std::string child_path(std::string_view path, std::string_view name);
std::string index_path(std::string_view path, std::size_t index);

// A text that two values share if Go takes them for equal: 1 and 1.0 differ.
std::string identity_of(const Value& value);

// Repeated items of set lists and repeated keys of map lists.
std::vector<Cause> list_problems(const Value& value, const Schema& schema, std::string_view path);
// Embedded resources without a type.
std::vector<Cause> embedded_problems(const Value& value, const Schema& schema, std::string_view path);

}  // namespace coracle::kube::internal
