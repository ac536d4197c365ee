#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace coracle::charts {

// A semantic version as Helm reads it: an optional "v", minor and patch may be missing.
struct Version {
  std::uint64_t major = 0;
  std::uint64_t minor = 0;
  std::uint64_t patch = 0;
  std::string prerelease;
  std::string metadata;
  std::string original;

  static Result<Version> parse(std::string_view text);
  // Without "v" and with all three numbers.
  std::string text() const;
  // Build metadata does not count. Negative, zero or positive.
  int compare(const Version& other) const;
};

// A range of versions: ">=1.2 <2.0 || ^3", "1.2 - 1.4", "~1.2", "1.x", "*". Pre-releases match only
// where a constraint of the group names one.
class VersionRange {
 public:
  static Result<VersionRange> parse(std::string_view text);
  bool contains(const Version& version) const;

 private:
  struct Constraint {
    std::string operation;
    Version version;
    bool dirty = false;  // a part is missing or a wildcard
    bool minor_dirty = false;
    bool patch_dirty = false;
    bool check(const Version& candidate, bool include_prerelease) const;
    bool tilde(const Version& candidate) const;
    bool caret(const Version& candidate) const;
    bool not_equal(const Version& candidate) const;
    bool greater(const Version& candidate) const;
    bool at_most(const Version& candidate) const;
  };
  static Result<Constraint> parse_one(std::string_view text);

  std::vector<std::vector<Constraint>> alternatives_;
};

}  // namespace coracle::charts
