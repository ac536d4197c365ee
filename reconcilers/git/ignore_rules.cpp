#include "reconcilers/git/ignore_rules.h"

#include <algorithm>
#include <utility>

namespace coracle::reconcilers {
namespace {

constexpr std::string_view kDefaults = R"(.git/
.gitignore
.gitmodules
.gitattributes
*.jpg
*.jpeg
*.gif
*.png
*.wmv
*.flv
*.tar.gz
*.zip
.github/
.circleci/
.travis.yml
.gitlab-ci.yml
appveyor.yml
.drone.yml
cloudbuild.yaml
codeship-services.yml
codeship-steps.yml
**/.goreleaser.yml
**/.sops.yaml
**/.flux.yaml
)";

// Matches one '[...]' at the start of `pattern`; advances it behind the bracket.
bool matches_set(std::string_view& pattern, char c) {
  std::size_t i = 1;
  const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  bool found = false;
  for (bool first = true; i < pattern.size() && (first || pattern[i] != ']'); first = false, ++i) {
    if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
      found = found || (pattern[i] <= c && c <= pattern[i + 2]);
      i += 2;
    } else {
      found = found || pattern[i] == c;
    }
  }
  pattern.remove_prefix(std::min(i + 1, pattern.size()));
  return found != negated && c != '/';
}

// "**" at the start of `pattern`: any number of whole directories, or everything at the end.
bool matches_double_star(std::string_view pattern, std::string_view text) {
  pattern.remove_prefix(2);
  if (pattern.starts_with('/')) pattern.remove_prefix(1);
  if (pattern.empty()) return true;
  while (true) {
    if (matches_glob(pattern, text)) return true;
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) return false;
    text.remove_prefix(slash + 1);
  }
}

}  // namespace

bool matches_glob(std::string_view pattern, std::string_view text) {
  while (!pattern.empty()) {
    if (pattern.starts_with("**")) return matches_double_star(pattern, text);
    if (pattern.front() == '*') {
      pattern.remove_prefix(1);
      for (std::size_t i = 0;; ++i) {
        if (matches_glob(pattern, text.substr(i))) return true;
        if (i == text.size() || text[i] == '/') return false;
      }
    }
    if (text.empty()) return false;
    if (pattern.front() == '[') {
      if (!matches_set(pattern, text.front())) return false;
      text.remove_prefix(1);
      continue;
    }
    const bool escaped = pattern.front() == '\\' && pattern.size() > 1;
    if (escaped) pattern.remove_prefix(1);
    const bool any = !escaped && pattern.front() == '?' && text.front() != '/';
    if (!any && pattern.front() != text.front()) return false;
    pattern.remove_prefix(1);
    text.remove_prefix(1);
  }
  return text.empty();
}

void IgnoreRules::add(std::string_view text, std::string_view directory) {
  constexpr std::size_t kMaxRules = 10'000;
  while (!text.empty() && rules_.size() < kMaxRules) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    Rule rule;
    rule.negated = line.front() == '!';
    if (rule.negated) line.remove_prefix(1);
    rule.directories_only = line.ends_with('/');
    if (rule.directories_only) line.remove_suffix(1);
    rule.anchored = line.find('/') != std::string_view::npos;
    if (line.starts_with('/')) line.remove_prefix(1);
    if (line.empty()) continue;
    rule.pattern = line;
    rule.directory = directory;
    if (!rule.directory.empty() && !rule.directory.ends_with('/')) rule.directory += '/';
    rules_.push_back(std::move(rule));
  }
}

void IgnoreRules::add_defaults() {
  add(kDefaults);
}

bool IgnoreRules::ignores_one(std::string_view path, bool is_directory) const {
  for (auto rule = rules_.rbegin(); rule != rules_.rend(); ++rule) {
    if (rule->directories_only && !is_directory) continue;
    if (!path.starts_with(rule->directory)) continue;
    std::string_view rest = path.substr(rule->directory.size());
    if (!rule->anchored) rest = rest.substr(rest.rfind('/') + 1);
    if (matches_glob(rule->pattern, rest)) return !rule->negated;
  }
  return false;
}

bool IgnoreRules::ignores(std::string_view path) const {
  // A file in an ignored directory cannot be taken back.
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
    if (ignores_one(path.substr(0, slash), true)) return true;
  }
  return ignores_one(path, false);
}

}  // namespace coracle::reconcilers
