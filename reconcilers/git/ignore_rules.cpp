#include "reconcilers/git/ignore_rules.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/glob.h"
#include "base/text.h"

namespace coracle::reconcilers {
namespace {

constexpr std::string_view kVersionControl = R"(.git/
.gitignore
.gitmodules
.gitattributes
)";

constexpr std::string_view kDefaults = R"(*.jpg
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

constexpr std::string_view kAnyDirectories = "**";

bool name_matches(std::string_view pattern, std::string_view name) {
  return glob_matches(pattern, name, DoubleStar::Star);
}

using Names = std::span<const std::string_view>;

// A pattern of one name matches it anywhere in a path. `directories_only`: not as the file itself.
bool matches_name(std::string_view pattern, bool directories_only, Names path) {
  const auto found =
      std::find_if(path.begin(), path.end(), [pattern](std::string_view name) { return name_matches(pattern, name); });
  return found != path.end() && !(directories_only && std::next(found) == path.end());
}

// Drops names up to and with the first that the pattern matches.
bool skip_past(std::string_view pattern, Names& path) {
  while (!path.empty()) {
    const bool found = name_matches(pattern, path.front());
    path = path.subspan(1);
    if (found) return true;
  }
  return false;
}

// A pattern with slashes matches from the start of a path; what it matches and all below it counts.
bool matches_path(const std::vector<std::string>& pattern, bool directories_only, Names path) {
  bool matched = false;
  bool any_directories = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const std::string& part = pattern[i];
    if (part.empty()) {
      any_directories = false;
      continue;
    }
    if (part == kAnyDirectories) {
      if (i + 1 == pattern.size()) break;
      any_directories = true;
      continue;
    }
    if (part.find(kAnyDirectories) != std::string::npos || path.empty()) return false;
    if (any_directories) {
      matched = skip_past(part, path);
    } else {
      if (!name_matches(part, path.front())) return false;
      path = path.subspan(1);
      matched = true;
    }
    any_directories = false;
  }
  return matched && !(directories_only && path.empty());
}

}  // namespace

void IgnoreRules::add(std::string_view text, std::string_view directory) {
  constexpr std::size_t kMaxRules = 10'000;
  std::vector<std::string> below;
  for (const std::string_view part : split(directory, '/')) {
    if (!part.empty()) below.emplace_back(part);
  }
  while (!text.empty() && rules_.size() < kMaxRules) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with('#') || line.find_first_not_of(" \t") == std::string_view::npos) continue;
    Rule rule;
    rule.negated = line.starts_with('!');
    if (rule.negated) line.remove_prefix(1);
    while (line.ends_with(' ') && !line.ends_with("\\ ")) line.remove_suffix(1);
    rule.directories_only = line.ends_with('/');
    if (rule.directories_only) line.remove_suffix(1);
    for (const std::string_view part : split(line, '/')) rule.pattern.emplace_back(part);
    rule.directory = below;
    rules_.push_back(std::move(rule));
  }
}

void IgnoreRules::add_version_control() {
  add(kVersionControl);
}

void IgnoreRules::add_defaults() {
  add(kDefaults);
}

bool IgnoreRules::matches(const Rule& rule, const std::vector<std::string_view>& path) {
  if (path.size() <= rule.directory.size() || !std::equal(rule.directory.begin(), rule.directory.end(), path.begin())) {
    return false;
  }
  const Names below = Names(path).subspan(rule.directory.size());
  return rule.pattern.size() == 1 ? matches_name(rule.pattern.front(), rule.directories_only, below)
                                  : matches_path(rule.pattern, rule.directories_only, below);
}

std::optional<bool> IgnoreRules::decides(std::string_view path) const {
  const std::vector<std::string_view> names = split(path, '/');
  const auto rule =
      std::find_if(rules_.rbegin(), rules_.rend(), [&names](const Rule& each) { return matches(each, names); });
  if (rule == rules_.rend()) return std::nullopt;
  return !rule->negated;
}

}  // namespace coracle::reconcilers
