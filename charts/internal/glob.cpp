#include "charts/internal/glob.h"

#include <string>

namespace coracle::charts {
namespace {

// Patterns are short; deeper nesting than this is no honest pattern.
constexpr int kMaxGlobDepth = 64;

// Whether `c` is in the class at the start of `pattern`, which begins after '['; `used` is its length with
// the closing bracket, 0 when it is not closed.
bool in_class(std::string_view pattern, char c, std::size_t& used) {
  std::size_t i = 0;
  const bool negated = !pattern.empty() && (pattern[0] == '!' || pattern[0] == '^');
  if (negated) ++i;
  bool found = false;
  for (bool first = true; i < pattern.size() && (pattern[i] != ']' || first); first = false) {
    const char low = pattern[i];
    char high = low;
    if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
      high = pattern[i + 2];
      i += 2;
    }
    found = found || (c >= low && c <= high);
    ++i;
  }
  used = i < pattern.size() ? i + 1 : 0;
  return found != negated;
}

bool match_from(std::string_view pattern, std::string_view path, bool extended, int depth);

// "{a,b}rest": tries each alternative in place.
bool match_alternatives(std::string_view pattern, std::string_view path, int depth) {
  const std::size_t close = pattern.find('}');
  if (close == std::string_view::npos) return false;
  const std::string_view rest = pattern.substr(close + 1);
  std::string_view choices = pattern.substr(1, close - 1);
  for (;;) {
    const std::size_t comma = choices.find(',');
    std::string candidate(choices.substr(0, comma));
    candidate += rest;
    if (match_from(candidate, path, true, depth + 1)) return true;
    if (comma == std::string_view::npos) return false;
    choices.remove_prefix(comma + 1);
  }
}

bool match_star(std::string_view pattern, std::string_view path, bool extended, int depth) {
  const bool crosses = extended && pattern.starts_with("**");
  while (pattern.starts_with('*')) pattern.remove_prefix(1);
  for (std::size_t i = 0;; ++i) {
    if (match_from(pattern, path.substr(i), extended, depth + 1)) return true;
    if (i == path.size() || (path[i] == '/' && !crosses)) return false;
  }
}

bool match_from(std::string_view pattern, std::string_view path, bool extended, int depth) {
  if (depth > kMaxGlobDepth) return false;
  while (!pattern.empty()) {
    const char p = pattern[0];
    if (p == '*') return match_star(pattern, path, extended, depth);
    if (extended && p == '{') return match_alternatives(pattern, path, depth);
    if (path.empty()) return false;
    std::size_t used = 1;
    if (p == '[') {
      if (path[0] == '/' || !in_class(pattern.substr(1), path[0], used) || used == 0) return false;
      ++used;
    } else if (p == '?') {
      if (path[0] == '/') return false;
    } else {
      const bool escaped = p == '\\' && pattern.size() > 1;
      if (pattern[escaped ? 1 : 0] != path[0]) return false;
      used = escaped ? 2 : 1;
    }
    pattern.remove_prefix(used);
    path.remove_prefix(1);
  }
  return path.empty();
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view path) {
  return match_from(pattern, path, true, 0);
}

bool shell_pattern_matches(std::string_view pattern, std::string_view name) {
  return match_from(pattern, name, false, 0);
}

}  // namespace coracle::charts
