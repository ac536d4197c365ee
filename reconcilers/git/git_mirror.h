#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/http/remote.h"
#include "base/result.h"

namespace coracle::reconcilers {

// Where a repository is and how to ask for it; its URL may also be a file://.
using GitRemote = http::Remote;

// A branch, tag or other reference of a remote, by its full name.
struct GitReference {
  std::string name;    // "refs/heads/main"
  std::string commit;  // 40 hexadecimal digits; of an annotated tag the commit that it points to
};

struct GitFile {
  std::string path;  // relative to the repository's root
  std::string content;
};

// Which files are meant, by their paths.
using PathFilter = std::function<bool(std::string_view path)>;

// Bare copies of remote repositories on this node, by the name of who follows them. Everything that was
// fetched last can be read without the network. Calls block: make them from Blocking tasks. Thread-safe: a mirror can
// be read while something is fetched into it; whoever would disturb another waits.
class GitMirror {
 public:
  virtual ~GitMirror() = default;

  // What the remote has now. Unauthorized, NotFound, Unavailable, or BadRequest for a URL that cannot be.
  virtual Result<std::vector<GitReference>> list(const Context& context, const GitRemote& remote) = 0;
  // Brings the references, and with them their history, into the mirror. Now and then a mirror that has grown is made
  // anew of them, and what nobody asked for goes.
  virtual Result<void> fetch(const Context& context, const std::string& mirror, const GitRemote& remote,
                             const std::vector<std::string>& references) = 0;
  virtual Result<bool> has_commit(const Context& context, const std::string& mirror, const std::string& commit) = 0;
  // The first line of a commit's message.
  virtual Result<std::string> subject(const Context& context, const std::string& mirror, const std::string& commit) = 0;
  // The regular files of a commit below `directory` ("" for the root) that are wanted, sorted by path; of others
  // nothing is read, however large they are. NotFound when the commit has no such directory.
  virtual Result<std::vector<GitFile>> read_files(const Context& context, const std::string& mirror,
                                                  const std::string& commit, const std::string& directory,
                                                  const PathFilter& wanted) = 0;
  // All regular files of a commit that have this name, in whatever directory, those of a directory before those below.
  virtual Result<std::vector<GitFile>> find_files(const Context& context, const std::string& mirror,
                                                  const std::string& commit, const std::string& name) = 0;
  virtual Result<void> forget(const Context& context, const std::string& mirror) = 0;
};

// Mirrors below `folder`, by libgit2; their names end with ".git". file:// URLs are taken only below one of
// `local_roots`.
std::unique_ptr<GitMirror> make_git_mirror(Executor& executor, std::string folder,
                                           std::vector<std::string> local_roots);

}  // namespace coracle::reconcilers
