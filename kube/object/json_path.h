#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/value.h"

namespace coracle::kube {

// The part of kubectl's JSONPath that printer columns, waits and sort keys use: one expression,
// with or without braces: fields (also ['quoted'] and escaped dots), [n], [a:b], [*], .*, recursive
// descent, unions and filters such as [?(@.type=="Ready")].status.
class JsonPath {
 public:
  // BadRequest tells what is wrong at which position.
  static Result<JsonPath> parse(std::string_view text);

  // Every match in document order; empty where something on the way is missing.
  std::vector<Value> evaluate(const Value& root) const;
  // The first match, or null.
  Value first(const Value& root) const;
  // True when the path consists of plain fields only (".spec.replicas"); `fields` then receives them.
  bool plain_fields(std::vector<std::string>& fields) const;

  struct Step;

 private:
  explicit JsonPath(std::vector<Step> steps);
  std::shared_ptr<const std::vector<Step>> steps_;
};

}  // namespace coracle::kube
