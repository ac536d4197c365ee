#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "kube/schema/schema.h"

// What custom resources are checked for beside their OpenAPI schema: lists that are sets or maps, and objects that hold
// whole resources.
namespace coracle::kube::internal {

// One step deeper for as long as it lives. Every write walks along every path and few are told: one text grows and
// shrinks on the way.
class PathStep {
 public:
  PathStep(std::string& path, std::initializer_list<std::string_view> parts) : path_(path), length_(path.size()) {
    for (const std::string_view part : parts) path_ += part;
  }
  // "spec", "size" to "spec.size".
  static PathStep child(std::string& path, std::string_view name) { return {path, {path.empty() ? "" : ".", name}}; }
  static PathStep index(std::string& path, std::size_t index) { return {path, {"[", std::to_string(index), "]"}}; }
  static PathStep key(std::string& path, std::string_view key) { return {path, {"[", key, "]"}}; }
  PathStep(const PathStep&) = delete;
  PathStep& operator=(const PathStep&) = delete;
  ~PathStep() { path_.resize(length_); }

 private:
  std::string& path_;
  std::size_t length_;
};

// A text that two values share if Go takes them for equal: 1 and 1.0 differ.
std::string identity_of(const Value& value);

// Repeated items of set lists and repeated keys of map lists.
std::vector<Cause> list_problems(const Value& value, const Schema& schema, std::string_view path);
// Embedded resources without a type.
std::vector<Cause> embedded_problems(const Value& value, const Schema& schema, std::string_view path);

}  // namespace coracle::kube::internal
