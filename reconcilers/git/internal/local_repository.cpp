#include "reconcilers/git/internal/local_repository.h"

#include <git2.h>

#include <algorithm>
#include <string_view>

#include "base/files.h"
#include "base/text.h"
#include "reconcilers/git/internal/git_handles.h"

namespace coracle::reconcilers::git {
namespace {

constexpr std::size_t kMaxAlternatesFile = 64 * 1024;
// As many repositories may borrow from one another as git follows.
constexpr int kMaxAlternates = 5;

class Check {
 public:
  explicit Check(const std::vector<std::string>& roots) {
    for (const std::string& root : roots) {
      if (Result<std::string> real = canonical_path(root); real.ok()) roots_.push_back(std::move(*real));
    }
  }

  Result<void> path(const std::string& path) const {
    ASSIGN_OR_RETURN(const std::string real, canonical_path(path));
    const bool below = std::any_of(roots_.begin(), roots_.end(), [&real](const std::string& root) {
      return real == root || real.starts_with(root + "/");
    });
    if (below) return {};
    return bad_request("a file:// repository must lie below a folder that gitops-local-root names");
  }

  // A store of objects and those that it borrows from.
  Result<void> objects(const std::string& folder, int borrowed) const {
    TRY(path(folder));
    TRY(links(folder, true));
    const std::string file = join_path(folder, "info/alternates");
    const Result<std::string> alternates = read_file(file, kMaxAlternatesFile);
    if (!alternates.ok()) {
      if (alternates.error().reason() == Reason::NotFound) return {};
      return alternates.error();
    }
    if (borrowed >= kMaxAlternates) return bad_request(file + ": too many repositories borrow from one another");
    for (const std::string_view line : split(*alternates, '\n')) {
      if (line.empty() || line.front() == '#') continue;
      TRY(objects(join_path(folder, line), borrowed + 1));
    }
    return {};
  }

 private:
  Result<void> links(const std::string& folder, bool below) const {
    ASSIGN_OR_RETURN(const std::vector<DirectoryEntry> entries, list_directory(folder));
    for (const DirectoryEntry& entry : entries) {
      const std::string name = join_path(folder, entry.name);
      if (entry.kind == FileKind::Symlink) TRY(path(name));
      if (entry.kind == FileKind::Directory && below) TRY(links(name, false));
    }
    return {};
  }

  std::vector<std::string> roots_;
};

}  // namespace

Result<void> check_local_repository(const std::string& path, const std::vector<std::string>& roots) {
  const Check check(roots);
  TRY(check.path(path));
  git_repository* raw = nullptr;
  if (git_repository_open_ext(&raw, path.c_str(), GIT_REPOSITORY_OPEN_NO_SEARCH, nullptr) != 0) return {};
  const Handle<git_repository> repository(raw);
  TRY(check.path(git_repository_path(raw)));
  TRY(check.path(git_repository_commondir(raw)));
  return check.objects(join_path(git_repository_commondir(raw), "objects"), 0);
}

}  // namespace coracle::reconcilers::git
