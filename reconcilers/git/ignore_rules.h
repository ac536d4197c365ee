#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace coracle::reconcilers {

// Patterns in gitignore's syntax: the last one that matches a path, or a directory above it, decides.
// https://git-scm.com/docs/gitignore
class IgnoreRules {
 public:
  // Rules of a file that lies in `directory` ("" for the root) and count below it only.
  void add(std::string_view text, std::string_view directory = "");
  // What source-controller leaves out of every artifact: version control, pictures, archives, pipelines.
  void add_defaults();
  bool ignores(std::string_view path) const;

 private:
  struct Rule {
    std::string directory;  // "" or ends with '/'
    std::string pattern;    // without the leading and the trailing '/'
    bool negated = false;
    bool directories_only = false;
    bool anchored = false;  // has a '/' other than at its end
  };
  bool ignores_one(std::string_view path, bool is_directory) const;

  std::vector<Rule> rules_;
};

// fnmatch with gitignore's meaning: '*' and '?' stop at '/', "**" does not.
bool matches_glob(std::string_view pattern, std::string_view text);

}  // namespace coracle::reconcilers
