#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "charts/internal/step_counter.h"

namespace coracle::charts {

// Go's regexp package: RE2 syntax, leftmost-first. What takes its time is counted.
class Regex {
 public:
  struct Match {
    std::size_t begin;
    std::size_t end;
  };

  // Errors read as Go's: "error parsing regexp: ...".
  static Result<Regex> compile(const std::string& pattern, StepCounter& steps);
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;
  ~Regex();

  Result<bool> matches(std::string_view text, StepCounter& steps) const;
  // Non-overlapping matches from left to right, at most `limit` when it is not negative.
  Result<std::vector<Match>> find_all(std::string_view text, int limit, StepCounter& steps) const;
  // `$1`, `${1}` and `${name}` in the replacement are groups, `$$` is a dollar.
  Result<std::string> replace_all(std::string_view text, std::string_view replacement, StepCounter& steps) const;
  Result<std::string> replace_all_literal(std::string_view text, std::string_view replacement,
                                          StepCounter& steps) const;
  Result<std::vector<std::string>> split(std::string_view text, int limit, StepCounter& steps) const;
  static std::string quote(std::string_view text);

 private:
  struct State;
  explicit Regex(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace coracle::charts
