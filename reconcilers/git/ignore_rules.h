#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coracle::reconcilers {

// Patterns in gitignore's syntax as source-controller reads them: the last one that matches a file, or a directory
// above it, decides. Unlike git, a file may be taken back from a directory that is left out ("/*" and then "!/apps").
// https://fluxcd.io/flux/components/source/gitrepositories/#excluding-files
class IgnoreRules {
 public:
  // Rules of a file that lies in `directory` ("" for the root) and count below it only.
  void add(std::string_view text, std::string_view directory = "");
  // The files of version control, which no rules take into an artifact unless they say so.
  void add_version_control();
  // What is left out where nobody says what to leave out: pictures, archives, pipelines.
  void add_defaults();
  bool empty() const { return rules_.empty(); }
  // Whether the file at `path` is left out; nothing when no rule is about it.
  std::optional<bool> decides(std::string_view path) const;
  bool ignores(std::string_view path) const { return decides(path).value_or(false); }

 private:
  struct Rule {
    std::vector<std::string> directory;  // where it counts
    std::vector<std::string> pattern;    // a name, or what stands between the slashes
    bool negated = false;
    bool directories_only = false;
  };
  static bool matches(const Rule& rule, const std::vector<std::string_view>& path);

  std::vector<Rule> rules_;
};

}  // namespace coracle::reconcilers
