#include "charts/loader/ignore.h"

#include "base/text.h"
#include "charts/internal/glob.h"

namespace coracle::charts {

Result<void> IgnoreRules::add(std::string_view line, std::vector<Rule>& rules) {
  line = trim(line);
  if (line.empty() || line[0] == '#') return {};
  if (line.find("**") != std::string_view::npos) return bad_request("double-star (**) syntax is not supported");
  Rule rule;
  if (line[0] == '!') {
    rule.negated = true;
    line.remove_prefix(1);
  }
  if (line.ends_with('/')) {
    rule.directories_only = true;
    line.remove_suffix(1);
  }
  if (line.starts_with('/')) {
    rule.whole_path = true;
    line.remove_prefix(1);
  } else {
    rule.whole_path = line.find('/') != std::string_view::npos;
  }
  rule.pattern = line;
  rules.push_back(std::move(rule));
  return {};
}

Result<IgnoreRules> IgnoreRules::parse(std::string_view text) {
  IgnoreRules rules;
  for (const std::string_view line : split(text, '\n')) TRY(add(line, rules.rules_));
  // Hidden files in templates/ are never templates.
  TRY(add("templates/.?*", rules.rules_));
  return rules;
}

bool IgnoreRules::Rule::matches(std::string_view path) const {
  if (whole_path) return shell_pattern_matches(pattern, path);
  return shell_pattern_matches(pattern, path.substr(path.rfind('/') + 1));
}

bool IgnoreRules::ignores(std::string_view path, bool is_directory) const {
  if (path.empty() || path == ".") return false;
  for (const Rule& rule : rules_) {
    if (rule.negated) {
      if ((rule.directories_only && !is_directory) || !rule.matches(path)) return true;
      continue;
    }
    if (rule.directories_only && !is_directory) continue;
    if (rule.matches(path)) return true;
  }
  return false;
}

}  // namespace coracle::charts
