#include "charts/semver.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"

namespace coracle::charts {
namespace {

constexpr std::size_t kMaxVersionLength = 256;

bool is_identifier(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  });
}

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool are_identifiers(std::string_view dotted) {
  const auto parts = split(dotted, '.');
  return std::all_of(parts.begin(), parts.end(), is_identifier);
}

Error invalid_version() {
  return bad_request("invalid semantic version");
}

Error improper_constraint(std::string_view text) {
  return bad_request("improper constraint: \"" + std::string(text) + "\"");
}

int compare_numbers(std::uint64_t a, std::uint64_t b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

int compare_identifiers(std::string_view a, std::string_view b) {
  const bool a_number = is_number(a);
  if (a_number != is_number(b)) return a_number ? -1 : 1;
  if (a_number) {
    return compare_numbers(parse_int<std::uint64_t>(a).value_or(UINT64_MAX),
                           parse_int<std::uint64_t>(b).value_or(UINT64_MAX));
  }
  return a.compare(b);
}

int compare_prereleases(std::string_view a, std::string_view b) {
  if (a == b) return 0;
  if (a.empty() || b.empty()) return a.empty() ? 1 : -1;
  const auto left = split(a, '.');
  const auto right = split(b, '.');
  for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
    if (const int order = compare_identifiers(left[i], right[i]); order != 0) return order;
  }
  return compare_numbers(left.size(), right.size());
}

// The parts of a version text; numbers may be wildcards.
struct Parts {
  std::array<std::string_view, 3> numbers;
  std::string_view prerelease;
  std::string_view metadata;
};

std::optional<Parts> take_apart(std::string_view text) {
  Parts parts;
  if (text.starts_with('v')) text.remove_prefix(1);
  if (const std::size_t plus = text.find('+'); plus != std::string_view::npos) {
    parts.metadata = text.substr(plus + 1);
    text = text.substr(0, plus);
    if (!are_identifiers(parts.metadata)) return std::nullopt;
  }
  if (const std::size_t dash = text.find('-'); dash != std::string_view::npos) {
    parts.prerelease = text.substr(dash + 1);
    text = text.substr(0, dash);
    if (!are_identifiers(parts.prerelease)) return std::nullopt;
  }
  const auto numbers = split(text, '.');
  if (numbers.size() > 3) return std::nullopt;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i].empty() && text.find('.') != std::string_view::npos) return std::nullopt;
    parts.numbers[i] = numbers[i];
  }
  return parts;
}

bool is_wildcard(std::string_view number) {
  return number == "x" || number == "X" || number == "*";
}

}  // namespace

Result<Version> Version::parse(std::string_view text) {
  if (text.size() > kMaxVersionLength) return invalid_version();
  const auto parts = take_apart(text);
  if (!parts || parts->numbers[0].empty()) return invalid_version();
  Version version;
  std::array<std::uint64_t*, 3> targets = {&version.major, &version.minor, &version.patch};
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (parts->numbers[i].empty()) continue;
    const auto number = parse_int<std::uint64_t>(parts->numbers[i]);
    if (!number) return invalid_version();
    *targets[i] = *number;
  }
  version.prerelease = parts->prerelease;
  version.metadata = parts->metadata;
  version.original = text;
  return version;
}

std::string Version::text() const {
  std::string out = std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
  if (!prerelease.empty()) out += "-" + prerelease;
  if (!metadata.empty()) out += "+" + metadata;
  return out;
}

int Version::compare(const Version& other) const {
  if (const int order = compare_numbers(major, other.major); order != 0) return order;
  if (const int order = compare_numbers(minor, other.minor); order != 0) return order;
  if (const int order = compare_numbers(patch, other.patch); order != 0) return order;
  return compare_prereleases(prerelease, other.prerelease);
}

Result<VersionRange::Constraint> VersionRange::parse_one(std::string_view text) {
  const Error invalid = improper_constraint(text);
  constexpr std::string_view kOperators = "=!<>~^";
  const std::size_t length = std::min(text.find_first_not_of(kOperators), text.size());
  Constraint constraint;
  constraint.operation = text.substr(0, length);
  constexpr std::array<std::string_view, 12> kKnown = {"", "=", "!=", ">", "<", ">=", "=>", "<=", "=<", "~", "~>", "^"};
  if (std::find(kKnown.begin(), kKnown.end(), constraint.operation) == kKnown.end()) return invalid;
  const auto parts = take_apart(trim(text.substr(length)));
  if (!parts) return invalid;
  const auto open = [&](std::size_t i) { return parts->numbers[i].empty() || is_wildcard(parts->numbers[i]); };
  if (open(0)) {
    if (parts->numbers[0].empty() && !text.empty()) return invalid;
    constraint.dirty = true;
  } else if (open(1)) {
    constraint.dirty = constraint.minor_dirty = true;
  } else if (open(2)) {
    constraint.dirty = constraint.patch_dirty = true;
  }
  std::array<std::uint64_t*, 3> targets = {&constraint.version.major, &constraint.version.minor,
                                           &constraint.version.patch};
  for (std::size_t i = 0; i < targets.size() && !open(i); ++i) {
    const auto number = parse_int<std::uint64_t>(parts->numbers[i]);
    if (!number) return invalid;
    *targets[i] = *number;
  }
  constraint.version.prerelease = parts->prerelease;
  return constraint;
}

Result<VersionRange> VersionRange::parse(std::string_view text) {
  const Error invalid = improper_constraint(text);
  if (text.size() > kMaxVersionLength * 4) return invalid;
  VersionRange range;
  std::string_view rest = text;
  for (bool more = true; more;) {
    const std::size_t bar = rest.find("||");
    more = bar != std::string_view::npos;
    const std::string_view group = rest.substr(0, bar);
    if (more) rest.remove_prefix(bar + 2);
    // Words, with an operator that stands alone joined to the version after it.
    std::vector<std::string> words;
    bool open_operator = false;
    for (std::string_view piece : split(group, ',')) {
      for (std::string_view word : split(piece, ' ')) {
        word = trim(word);
        if (word.empty()) continue;
        if (open_operator) {
          words.back() += word;
        } else {
          words.emplace_back(word);
        }
        open_operator = word.find_first_not_of("=!<>~^") == std::string_view::npos;
      }
    }
    std::vector<Constraint> constraints;
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (i + 2 < words.size() && words[i + 1] == "-") {
        words[i].insert(0, ">=");
        words[i + 2].insert(0, "<=");
        words.erase(words.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      }
      auto constraint = parse_one(words[i]);
      if (!constraint.ok()) return invalid;
      constraints.push_back(std::move(constraint).value());
    }
    if (constraints.empty()) {
      if (!trim(text).empty()) return invalid;
      constraints.push_back(Constraint{.operation = "", .version = {}, .dirty = true});
    }
    range.alternatives_.push_back(std::move(constraints));
  }
  return range;
}

bool VersionRange::contains(const Version& version) const {
  return std::any_of(alternatives_.begin(), alternatives_.end(), [&](const std::vector<Constraint>& group) {
    const bool prereleases =
        std::any_of(group.begin(), group.end(), [](const Constraint& c) { return !c.version.prerelease.empty(); });
    return std::all_of(group.begin(), group.end(),
                       [&](const Constraint& constraint) { return constraint.check(version, prereleases); });
  });
}

bool VersionRange::Constraint::check(const Version& candidate, bool include_prerelease) const {
  if (operation == "!=") return not_equal(candidate);
  if (!candidate.prerelease.empty() && version.prerelease.empty() && !include_prerelease) return false;
  if (operation == ">") return greater(candidate);
  if (operation == "<") return candidate.compare(version) < 0;
  if (operation == ">=" || operation == "=>") return candidate.compare(version) >= 0;
  if (operation == "<=" || operation == "=<") return at_most(candidate);
  if (operation == "~" || operation == "~>") return tilde(candidate);
  if (operation == "^") return caret(candidate);
  return dirty ? tilde(candidate) : candidate.compare(version) == 0;
}

bool VersionRange::Constraint::not_equal(const Version& candidate) const {
  if (!dirty) return candidate.compare(version) != 0;
  if (!candidate.prerelease.empty() && version.prerelease.empty()) return false;
  if (candidate.major != version.major) return true;
  if (minor_dirty) return false;
  if (candidate.minor != version.minor) return true;
  return !candidate.prerelease.empty() && candidate.prerelease != version.prerelease;
}

bool VersionRange::Constraint::greater(const Version& candidate) const {
  if (!dirty || candidate.major != version.major) return candidate.compare(version) > 0;
  if (minor_dirty) return false;
  return candidate.minor > version.minor;
}

bool VersionRange::Constraint::at_most(const Version& candidate) const {
  if (!dirty) return candidate.compare(version) <= 0;
  if (candidate.major != version.major) return candidate.major < version.major;
  return candidate.minor <= version.minor || minor_dirty;
}

bool VersionRange::Constraint::tilde(const Version& candidate) const {
  if (candidate.compare(version) < 0) return false;
  const bool zero = version.major == 0 && version.minor == 0 && version.patch == 0;
  if (zero && !minor_dirty && !patch_dirty) return true;
  if (candidate.major != version.major) return false;
  return candidate.minor == version.minor || minor_dirty;
}

bool VersionRange::Constraint::caret(const Version& candidate) const {
  if (candidate.compare(version) < 0) return false;
  if (version.major > 0 || minor_dirty) return candidate.major == version.major;
  if (candidate.major > 0) return false;
  if (version.minor > 0 || patch_dirty) return candidate.minor == version.minor;
  if (candidate.minor > 0) return false;
  return candidate.patch == version.patch;
}

}  // namespace coracle::charts
