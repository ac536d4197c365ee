#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace coracle::charts {

// The rules of a .helmignore file.
class IgnoreRules {
 public:
  static Result<IgnoreRules> parse(std::string_view text);
  // `path` is relative to the chart's folder.
  bool ignores(std::string_view path, bool is_directory) const;

 private:
  struct Rule {
    std::string pattern;
    bool negated = false;
    bool directories_only = false;
    bool whole_path = false;  // else the pattern is for the last part
    bool matches(std::string_view path) const;
  };
  static Result<void> add(std::string_view line, std::vector<Rule>& rules);

  std::vector<Rule> rules_;
};

}  // namespace coracle::charts
