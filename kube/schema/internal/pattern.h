#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"

namespace coracle::kube::internal {

// A regular expression of a schema, in the syntax of Go and RE2, matched in linear time. Immutable.
class Pattern {
 public:
  // Compiled expressions may use so much memory each.
  static constexpr std::int64_t kMaxMemory = 1 << 20;

  // Made by compile(): BadRequest with what is wrong with the expression.
  static Result<std::unique_ptr<const Pattern>> compile(std::string_view text);
  // The same of an expression of our own, which is right.
  static std::unique_ptr<const Pattern> known(std::string_view text);
  struct Compiled;
  explicit Pattern(std::unique_ptr<Compiled> compiled);
  ~Pattern();

  // Somewhere in the text, unless the expression is anchored.
  bool matches(std::string_view text) const;

 private:
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace coracle::kube::internal
