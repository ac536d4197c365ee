#include <git2.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "base/files.h"
#include "base/http/url.h"
#include "reconcilers/git/git_mirror.h"
#include "reconcilers/git/internal/git_handles.h"
#include "reconcilers/git/internal/http_subtransport.h"

namespace coracle::reconcilers::git {
namespace {

constexpr std::string_view kFileScheme = "file://";
// What one Kustomization reads of a repository.
constexpr std::size_t kMaxFiles = 50'000;
constexpr std::size_t kMaxFileBytes = std::size_t{16} << 20;
constexpr std::size_t kMaxTreeBytes = std::size_t{256} << 20;

// What a callback of libgit2 needs to know. Outlives the git_remote.
struct Call {
  const Context& context;
  HttpConnection connection;
};

int stop_when_ended(const git_indexer_progress*, void* payload) {
  return static_cast<Call*>(payload)->context.check().ok() ? 0 : GIT_EUSER;
}

int make_transport(git_transport** out, git_remote* owner, void* payload) {
  return HttpConnection::make_transport(out, owner, &static_cast<Call*>(payload)->connection);
}

git_remote_callbacks callbacks_for(Call& call, bool local) {
  git_remote_callbacks callbacks = GIT_REMOTE_CALLBACKS_INIT;
  callbacks.payload = &call;
  callbacks.transfer_progress = stop_when_ended;
  if (!local) callbacks.transport = make_transport;
  return callbacks;
}

bool is_hexadecimal_commit(const std::string& text) {
  return text.size() == GIT_OID_HEXSZ &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
}

class Libgit2Mirror : public GitMirror {
 public:
  Libgit2Mirror(std::string folder, std::vector<std::string> local_roots)
      : folder_(std::move(folder)), local_roots_(std::move(local_roots)) {
    // Never shut down: threads that outlive this object own error texts of the library's and free them when
    // they end, which they can only while it is up.
    git_libgit2_init();
    // The user's git configuration is not ours: it could redirect a URL or run a helper.
    for (const git_config_level_t level :
         {GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL, GIT_CONFIG_LEVEL_PROGRAMDATA}) {
      git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, "");
    }
    // A local repository may belong to whoever pushes to it; only configured folders are read.
    git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
  }

  Result<std::vector<GitReference>> list(const Context& context, const GitRemote& given) override {
    const GitRemote remote = http::without_user(given);  // libgit2 may show its URL
    const std::string shown = http::printable_url(remote.url);
    ASSIGN_OR_RETURN(const bool local, check_url(remote.url));
    Call call{context, HttpConnection(context, remote)};
    git_remote* raw = nullptr;
    if (const int code = git_remote_create_detached(&raw, remote.url.c_str()); code != 0) {
      return last_error(code, shown);
    }
    const Handle<git_remote> handle(raw);
    git_remote_callbacks callbacks = callbacks_for(call, local);
    const int connected = git_remote_connect(handle.get(), GIT_DIRECTION_FETCH, &callbacks, nullptr, nullptr);
    if (connected != 0) return failure_of(call, connected, "cannot reach " + shown);
    const git_remote_head** heads = nullptr;
    std::size_t count = 0;
    if (const int code = git_remote_ls(&heads, &count, handle.get()); code != 0) {
      return failure_of(call, code, "cannot list " + shown);
    }
    return references_of(heads, count);
  }

  Result<void> fetch(const Context& context, const std::string& mirror, const GitRemote& given,
                     const std::vector<std::string>& references) override {
    const GitRemote remote = http::without_user(given);  // libgit2 may show its URL
    const std::string shown = http::printable_url(remote.url);
    ASSIGN_OR_RETURN(const bool local, check_url(remote.url));
    ASSIGN_OR_RETURN(const Handle<git_repository> repository, open(mirror, true));
    Call call{context, HttpConnection(context, remote)};
    // The URL is meant as it stands; and what rewrites it leaks 40 KB a time in libgit2 1.5.
    git_remote_create_options creation = GIT_REMOTE_CREATE_OPTIONS_INIT;
    creation.repository = repository.get();
    creation.flags = GIT_REMOTE_CREATE_SKIP_INSTEADOF | GIT_REMOTE_CREATE_SKIP_DEFAULT_FETCHSPEC;
    git_remote* raw = nullptr;
    if (const int code = git_remote_create_with_opts(&raw, remote.url.c_str(), &creation); code != 0) {
      return last_error(code, shown);
    }
    const Handle<git_remote> handle(raw);
    std::vector<std::string> specifications;
    for (const std::string& reference : references) specifications.push_back("+" + reference + ":" + reference);
    std::vector<char*> pointers;
    for (std::string& specification : specifications) pointers.push_back(specification.data());
    const git_strarray array{pointers.data(), pointers.size()};

    git_fetch_options options = GIT_FETCH_OPTIONS_INIT;
    options.callbacks = callbacks_for(call, local);
    options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
    options.update_fetchhead = 0;
    const int code = git_remote_fetch(handle.get(), &array, &options, nullptr);
    if (code != 0) return failure_of(call, code, "cannot fetch from " + shown);
    return {};
  }

  Result<bool> has_commit(const Context&, const std::string& mirror, const std::string& commit) override {
    Result<Handle<git_repository>> repository = open(mirror, false);
    if (!repository.ok()) {
      if (repository.error().reason() == Reason::NotFound) return false;
      return repository.error();
    }
    return find_commit(repository->get(), commit).ok();
  }

  Result<std::string> subject(const Context&, const std::string& mirror, const std::string& commit) override {
    ASSIGN_OR_RETURN(const Handle<git_repository> repository, open(mirror, false));
    ASSIGN_OR_RETURN(const Handle<git_commit> handle, find_commit(repository.get(), commit));
    const char* message = git_commit_message(handle.get());
    const std::string_view text = message == nullptr ? "" : message;
    return std::string(text.substr(0, text.find('\n')));
  }

  Result<std::vector<GitFile>> read_files(const Context& context, const std::string& mirror, const std::string& commit,
                                          const std::string& directory) override {
    ASSIGN_OR_RETURN(const Handle<git_repository> repository, open(mirror, false));
    ASSIGN_OR_RETURN(Handle<git_tree> tree, root_of(repository.get(), commit));
    if (!directory.empty()) {
      git_tree_entry* entry = nullptr;
      if (git_tree_entry_bypath(&entry, tree.get(), directory.c_str()) != 0) return no_directory(directory);
      const Handle<git_tree_entry> owned(entry);
      git_tree* raw = nullptr;
      if (git_tree_entry_type(entry) != GIT_OBJECT_TREE ||
          git_tree_lookup(&raw, repository.get(), git_tree_entry_id(entry)) != 0) {
        return no_directory(directory);
      }
      tree.reset(raw);
    }
    Reading reading{context, repository.get()};
    TRY(read_tree(reading, tree.get(), directory.empty() ? "" : directory + "/"));
    std::sort(reading.files.begin(), reading.files.end(),
              [](const GitFile& a, const GitFile& b) { return a.path < b.path; });
    return std::move(reading.files);
  }

  Result<std::vector<GitFile>> find_files(const Context& context, const std::string& mirror, const std::string& commit,
                                          const std::string& name) override {
    ASSIGN_OR_RETURN(const Handle<git_repository> repository, open(mirror, false));
    ASSIGN_OR_RETURN(const Handle<git_tree> tree, root_of(repository.get(), commit));
    Reading reading{context, repository.get(), name};
    TRY(read_tree(reading, tree.get(), ""));
    const auto directory = [](const GitFile& file) { return file.path.substr(0, file.path.rfind('/') + 1); };
    std::sort(reading.files.begin(), reading.files.end(),
              [&](const GitFile& a, const GitFile& b) { return directory(a) < directory(b); });
    return std::move(reading.files);
  }

  Result<void> forget(const Context&, const std::string& mirror) override { return remove_tree(path_of(mirror)); }

 private:
  static Error no_directory(const std::string& directory) {
    return Error(Reason::NotFound, "the repository has no directory \"" + directory + "\"");
  }

  static Error failure_of(const Call& call, int code, const std::string& what) {
    if (Result<void> ended = call.context.check(); !ended.ok()) return ended.error().in(what);
    if (call.connection.failure()) return call.connection.failure()->in(what);
    return last_error(code, what);
  }

  // True for a local repository, whose real path must lie below a configured folder.
  Result<bool> check_url(const std::string& url) const {
    if (!url.starts_with(kFileScheme)) {
      if (url.starts_with("https://") || url.starts_with("http://")) return false;
      return bad_request("the URL must begin with https://, http:// or file://");
    }
    const Result<std::string> path = canonical_path(url.substr(kFileScheme.size()));
    if (!path.ok()) return path.error();
    for (const std::string& root : local_roots_) {
      const Result<std::string> real = canonical_path(root);
      if (real.ok() && (*path == *real || path->starts_with(*real + "/"))) return true;
    }
    return bad_request("a file:// repository must lie below a folder that gitops-local-root names");
  }

  static std::vector<GitReference> references_of(const git_remote_head** heads, std::size_t count) {
    constexpr std::string_view kPeeled = "^{}";
    std::map<std::string, std::string> commits;
    for (std::size_t i = 0; i < count; ++i) {
      std::string name = heads[i]->name;
      const bool peeled = name.ends_with(kPeeled);
      if (peeled) name.resize(name.size() - kPeeled.size());
      std::string commit(GIT_OID_HEXSZ, '0');
      git_oid_fmt(commit.data(), &heads[i]->oid);
      // The peeled entry follows the tag itself and says where it points.
      if (peeled || !commits.contains(name)) commits[name] = std::move(commit);
    }
    std::vector<GitReference> references;
    for (auto& [name, commit] : commits) references.push_back({name, std::move(commit)});
    return references;
  }

  std::string path_of(const std::string& mirror) const { return join_path(folder_, mirror); }

  Result<Handle<git_repository>> open(const std::string& mirror, bool create) const {
    const std::string path = path_of(mirror);
    git_repository* raw = nullptr;
    if (git_repository_open_bare(&raw, path.c_str()) == 0) return Handle<git_repository>(raw);
    if (!create) return Error(Reason::NotFound, "nothing has been fetched for " + mirror);
    // What cannot be opened is the rest of an interrupted start; everything in it can be fetched again.
    TRY(remove_tree(path));
    TRY(make_directories(path, 0700));
    if (const int code = git_repository_init(&raw, path.c_str(), 1); code != 0) return last_error(code, path);
    return Handle<git_repository>(raw);
  }

  static Result<Handle<git_commit>> find_commit(git_repository* repository, const std::string& commit) {
    git_oid oid;
    git_commit* raw = nullptr;
    if (!is_hexadecimal_commit(commit) || git_oid_fromstr(&oid, commit.c_str()) != 0 ||
        git_commit_lookup(&raw, repository, &oid) != 0) {
      return Error(Reason::NotFound, "the repository has no commit " + commit);
    }
    return Handle<git_commit>(raw);
  }

  static Result<Handle<git_tree>> root_of(git_repository* repository, const std::string& commit) {
    ASSIGN_OR_RETURN(const Handle<git_commit> handle, find_commit(repository, commit));
    git_tree* raw = nullptr;
    if (const int code = git_commit_tree(&raw, handle.get()); code != 0) return last_error(code, commit);
    return Handle<git_tree>(raw);
  }

  struct Reading {
    const Context& context;
    git_repository* repository;
    std::string name = {};  // only files that have it; empty: all
    std::vector<GitFile> files = {};
    std::size_t total = 0;
  };

  static Result<void> read_tree(Reading& reading, const git_tree* tree, const std::string& prefix) {
    TRY(reading.context.check());
    for (std::size_t i = 0; i < git_tree_entrycount(tree); ++i) {
      const git_tree_entry* entry = git_tree_entry_byindex(tree, i);
      const std::string path = prefix + git_tree_entry_name(entry);
      const git_filemode_t mode = git_tree_entry_filemode(entry);
      if (mode == GIT_FILEMODE_TREE) {
        git_tree* raw = nullptr;
        if (const int code = git_tree_lookup(&raw, reading.repository, git_tree_entry_id(entry)); code != 0) {
          return last_error(code, path);
        }
        const Handle<git_tree> child(raw);
        TRY(read_tree(reading, child.get(), path + "/"));
      } else if (mode == GIT_FILEMODE_BLOB || mode == GIT_FILEMODE_BLOB_EXECUTABLE) {
        if (reading.name.empty() || reading.name == git_tree_entry_name(entry)) TRY(read_file(reading, entry, path));
      }
    }
    return {};
  }

  static Result<void> read_file(Reading& reading, const git_tree_entry* entry, const std::string& path) {
    git_blob* raw = nullptr;
    if (const int code = git_blob_lookup(&raw, reading.repository, git_tree_entry_id(entry)); code != 0) {
      return last_error(code, path);
    }
    const Handle<git_blob> blob(raw);
    const auto size = static_cast<std::size_t>(git_blob_rawsize(raw));
    reading.total += size;
    if (size > kMaxFileBytes || reading.total > kMaxTreeBytes || reading.files.size() >= kMaxFiles) {
      return Error(Reason::RequestEntityTooLarge, path + ": the repository is larger than what can be applied");
    }
    reading.files.push_back({path, std::string(static_cast<const char*>(git_blob_rawcontent(raw)), size)});
    return {};
  }

  const std::string folder_;
  const std::vector<std::string> local_roots_;
};

}  // namespace

Error last_error(int code, std::string_view what) {
  const git_error* error = git_error_last();
  std::string text(what);
  text += ": ";
  text += error != nullptr && error->message != nullptr ? http::with_printable_urls(error->message) : "libgit2 failed";
  if (code == GIT_ENOTFOUND) return Error(Reason::NotFound, std::move(text));
  if (code == GIT_EAUTH) return Error(Reason::Unauthorized, std::move(text));
  return unavailable(std::move(text));
}

}  // namespace coracle::reconcilers::git

namespace coracle::reconcilers {

std::unique_ptr<GitMirror> make_git_mirror(std::string folder, std::vector<std::string> local_roots) {
  return std::make_unique<git::Libgit2Mirror>(std::move(folder), std::move(local_roots));
}

}  // namespace coracle::reconcilers
