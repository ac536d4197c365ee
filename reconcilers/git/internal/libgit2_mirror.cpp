#include <git2.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

#include "base/files.h"
#include "base/http/url.h"
#include "reconcilers/git/git_mirror.h"
#include "reconcilers/git/internal/git_handles.h"
#include "reconcilers/git/internal/http_subtransport.h"
#include "reconcilers/git/internal/local_repository.h"
#include "reconcilers/git/internal/mirror_locks.h"

namespace coracle::reconcilers::git {
namespace {

constexpr std::string_view kFileScheme = "file://";
// What one Kustomization reads of a repository.
constexpr std::size_t kMaxFiles = 50'000;
constexpr std::size_t kMaxEntries = 1'000'000;
constexpr std::size_t kMaxDepth = 200;
constexpr std::size_t kMaxFileBytes = std::size_t{16} << 20;
constexpr std::size_t kMaxTreeBytes = std::size_t{256} << 20;
// When a mirror is fetched anew.
constexpr std::size_t kMaxPacks = 64;
constexpr std::uint64_t kSmallMirror = std::uint64_t{32} << 20;
constexpr Duration kRenewalPause = std::chrono::hours(1);
// What stands beside a mirror meanwhile. Names of mirrors end with ".git", so it is nobody else's.
constexpr std::string_view kFresh = ".new";
constexpr std::string_view kReplaced = ".old";
// What every bare repository has.
constexpr std::array<std::string_view, 3> kParts = {"HEAD", "objects", "refs"};

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
  Libgit2Mirror(Executor& executor, std::string folder, std::vector<std::string> local_roots)
      : folder_(std::move(folder)), local_roots_(std::move(local_roots)), locks_(executor) {
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
    // The only copy that an offline node has survives a power cut.
    git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
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
    ASSIGN_OR_RETURN(const bool local, check_url(remote.url));
    const Source source{remote, local, references};
    ASSIGN_OR_RETURN(MirrorLocks::Hold hold, locks_.change(context, mirror));
    const std::string path = path_of(mirror);
    if (is_overgrown(path) && may_renew(context, mirror)) {
      const Result<void> renewed = renew(context, hold, path, source);
      // The mirror is as it was, and what is new can still be added to it.
      if (renewed.ok() || !context.check().ok()) return renewed;
    }
    ASSIGN_OR_RETURN(const Handle<git_repository> repository, open_or_create(context, hold, mirror));
    return fetch_into(context, repository.get(), source);
  }

  Result<bool> has_commit(const Context& context, const std::string& mirror, const std::string& commit) override {
    ASSIGN_OR_RETURN(const MirrorLocks::Hold hold, locks_.read(context, mirror));
    const Result<Handle<git_repository>> repository = open(mirror);
    if (!repository.ok()) {
      if (repository.error().reason() == Reason::NotFound) return false;
      return repository.error();
    }
    return find_commit(repository->get(), commit).ok();
  }

  Result<std::string> subject(const Context& context, const std::string& mirror, const std::string& commit) override {
    ASSIGN_OR_RETURN(const MirrorLocks::Hold hold, locks_.read(context, mirror));
    ASSIGN_OR_RETURN(const Handle<git_repository> repository, open(mirror));
    ASSIGN_OR_RETURN(const Handle<git_commit> handle, find_commit(repository.get(), commit));
    const char* message = git_commit_message(handle.get());
    const std::string_view text = message == nullptr ? "" : message;
    return std::string(text.substr(0, text.find('\n')));
  }

  Result<std::vector<GitFile>> read_files(const Context& context, const std::string& mirror, const std::string& commit,
                                          const std::string& directory, const PathFilter& wanted) override {
    ASSIGN_OR_RETURN(const MirrorLocks::Hold hold, locks_.read(context, mirror));
    ASSIGN_OR_RETURN(const Handle<git_repository> repository, open(mirror));
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
    Reading reading{context, repository.get(), wanted};
    TRY(read_tree(reading, tree.get(), directory.empty() ? "" : directory + "/", 0));
    std::sort(reading.files.begin(), reading.files.end(),
              [](const GitFile& a, const GitFile& b) { return a.path < b.path; });
    return std::move(reading.files);
  }

  Result<std::vector<GitFile>> find_files(const Context& context, const std::string& mirror, const std::string& commit,
                                          const std::string& name) override {
    ASSIGN_OR_RETURN(const MirrorLocks::Hold hold, locks_.read(context, mirror));
    ASSIGN_OR_RETURN(const Handle<git_repository> repository, open(mirror));
    ASSIGN_OR_RETURN(const Handle<git_tree> tree, root_of(repository.get(), commit));
    const auto has_name = [&name](std::string_view path) { return path.substr(path.rfind('/') + 1) == name; };
    Reading reading{context, repository.get(), has_name};
    TRY(read_tree(reading, tree.get(), "", 0));
    const auto directory = [](const GitFile& file) { return file.path.substr(0, file.path.rfind('/') + 1); };
    std::sort(reading.files.begin(), reading.files.end(),
              [&](const GitFile& a, const GitFile& b) { return directory(a) < directory(b); });
    return std::move(reading.files);
  }

  Result<void> forget(const Context& context, const std::string& mirror) override {
    ASSIGN_OR_RETURN(MirrorLocks::Hold hold, locks_.change(context, mirror));
    TRY(hold.alone(context));
    for (const std::string_view part : {std::string_view(), kFresh, kReplaced}) {
      TRY(remove_tree(path_of(mirror) + std::string(part)));
    }
    const std::lock_guard lock(mutex_);
    renewals_.erase(mirror);
    return {};
  }

 private:
  // What is to be fetched.
  struct Source {
    const GitRemote& remote;
    bool local = false;
    const std::vector<std::string>& references;
  };

  static Error no_directory(const std::string& directory) {
    return Error(Reason::NotFound, "the repository has no directory \"" + directory + "\"");
  }

  static Error failure_of(const Call& call, int code, const std::string& what) {
    if (Result<void> ended = call.context.check(); !ended.ok()) return ended.error().in(what);
    if (call.connection.failure()) return call.connection.failure()->in(what);
    return last_error(code, what);
  }

  // True for a local repository, which must lie below a configured folder.
  Result<bool> check_url(const std::string& url) const {
    if (!url.starts_with(kFileScheme)) {
      if (url.starts_with("https://") || url.starts_with("http://")) return false;
      return bad_request("the URL must begin with https://, http:// or file://");
    }
    TRY(check_local_repository(url.substr(kFileScheme.size()), local_roots_));
    return true;
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

  // NotFound where nothing has been fetched; Unavailable where only the system stands in the way.
  Result<Handle<git_repository>> open(const std::string& mirror) const {
    const std::string path = path_of(mirror);
    git_repository* raw = nullptr;
    int code = git_repository_open_bare(&raw, path.c_str());
    if (code != 0 && !file_exists(path) && file_exists(path + std::string(kReplaced))) {
      // The process had ended between the two renames of renew(). Another reader may be faster.
      rename_file(path + std::string(kReplaced), path).ignore("the second try tells");
      code = git_repository_open_bare(&raw, path.c_str());
    }
    if (code == 0) return Handle<git_repository>(raw);
    Error error = last_error(code, path);
    if (is_no_repository(path)) return Error(Reason::NotFound, "nothing has been fetched for " + mirror);
    return unavailable(error.message());
  }

  // Asks the system itself: to libgit2 what it cannot look at is not there.
  static bool is_no_repository(const std::string& path) {
    return std::any_of(kParts.begin(), kParts.end(), [&path](std::string_view part) {
      const Result<FileInfo> info = file_info(join_path(path, part));
      return !info.ok() && info.error().reason() == Reason::NotFound;
    });
  }

  Result<Handle<git_repository>> open_or_create(const Context& context, MirrorLocks::Hold& hold,
                                                const std::string& mirror) const {
    Result<Handle<git_repository>> there = open(mirror);
    if (there.ok() || there.error().reason() != Reason::NotFound) return there;
    // At most the rest of an interrupted start; everything in it can be fetched again.
    TRY(hold.alone(context));
    Result<Handle<git_repository>> created = create(path_of(mirror));
    hold.share();
    return created;
  }

  static Result<Handle<git_repository>> create(const std::string& path) {
    TRY(remove_tree(path));
    TRY(make_directories(path, 0700));
    git_repository* raw = nullptr;
    if (const int code = git_repository_init(&raw, path.c_str(), 1); code != 0) return last_error(code, path);
    return Handle<git_repository>(raw);
  }

  static Result<void> fetch_into(const Context& context, git_repository* repository, const Source& source) {
    const std::string& url = source.remote.url;
    const std::string shown = http::printable_url(url);
    Call call{context, HttpConnection(context, source.remote)};
    // The URL is meant as it stands; and what rewrites it leaks 40 KB a time in libgit2 1.5.
    git_remote_create_options creation = GIT_REMOTE_CREATE_OPTIONS_INIT;
    creation.repository = repository;
    creation.flags = GIT_REMOTE_CREATE_SKIP_INSTEADOF | GIT_REMOTE_CREATE_SKIP_DEFAULT_FETCHSPEC;
    git_remote* raw = nullptr;
    if (const int code = git_remote_create_with_opts(&raw, url.c_str(), &creation); code != 0) {
      return last_error(code, shown);
    }
    const Handle<git_remote> handle(raw);
    std::vector<std::string> specifications;
    for (const std::string& reference : source.references) {
      specifications.push_back("+" + reference + ":" + reference);
    }
    std::vector<char*> pointers;
    for (std::string& specification : specifications) pointers.push_back(specification.data());
    const git_strarray array{pointers.data(), pointers.size()};

    git_fetch_options options = GIT_FETCH_OPTIONS_INIT;
    options.callbacks = callbacks_for(call, source.local);
    options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
    options.update_fetchhead = 0;
    const int code = git_remote_fetch(handle.get(), &array, &options, nullptr);
    if (code != 0) return failure_of(call, code, "cannot fetch from " + shown);
    return {};
  }

  // Every fetch adds a pack, and what branches have left stays in the old ones. A mirror that was fetched at once is
  // one pack, so the largest tells what that would take.
  static bool is_overgrown(const std::string& path) {
    const std::string folder = join_path(path, "objects/pack");
    const Result<std::vector<DirectoryEntry>> entries = list_directory(folder);
    if (!entries.ok()) return false;
    std::size_t packs = 0;
    std::uint64_t total = 0;
    std::uint64_t largest = 0;
    for (const DirectoryEntry& entry : *entries) {
      if (!entry.name.ends_with(".pack")) continue;
      const Result<FileInfo> info = file_info(join_path(folder, entry.name));
      const std::uint64_t size = info.ok() ? info->size : 0;
      ++packs;
      total += size;
      largest = std::max(largest, size);
    }
    return packs >= kMaxPacks || (total > kSmallMirror && total > 2 * largest);
  }

  // A renewal brings everything over the network: one that fails is not tried again at once.
  bool may_renew(const Context& context, const std::string& mirror) {
    const MonotonicTime now = context.clock().monotonic();
    const std::lock_guard lock(mutex_);
    const auto [last, first] = renewals_.try_emplace(mirror, now);
    if (!first && now < last->second + kRenewalPause) return false;
    last->second = now;
    return true;
  }

  // Fetches a mirror anew beside itself and puts that in its place.
  static Result<void> renew(const Context& context, MirrorLocks::Hold& hold, const std::string& path,
                            const Source& source) {
    const std::string fresh = path + std::string(kFresh);
    const std::string replaced = path + std::string(kReplaced);
    Result<void> fetched = create_and_fetch(context, fresh, source);
    if (fetched.ok()) fetched = hold.alone(context);
    if (!fetched.ok()) {
      remove_tree(fresh).ignore("the next renewal removes it");
      return fetched;
    }
    TRY(remove_tree(replaced));
    TRY(rename_file(path, replaced));
    if (Result<void> moved = rename_file(fresh, path); !moved.ok()) {
      rename_file(replaced, path).ignore("open() tries it again");
      return moved;
    }
    remove_tree(replaced).ignore("the next renewal removes it");
    return {};
  }

  static Result<void> create_and_fetch(const Context& context, const std::string& path, const Source& source) {
    ASSIGN_OR_RETURN(const Handle<git_repository> repository, create(path));
    return fetch_into(context, repository.get(), source);
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
    const PathFilter wanted;
    std::vector<GitFile> files = {};
    std::size_t total = 0;
    std::size_t entries = 0;
  };

  // A tree may stand in many places of itself: a few kilobytes can hold more paths than can ever be walked.
  static Result<void> read_tree(Reading& reading, const git_tree* tree, const std::string& prefix, std::size_t depth) {
    TRY(reading.context.check());
    if (depth > kMaxDepth) return too_large("there are folders more than " + std::to_string(kMaxDepth) + " deep");
    reading.entries += git_tree_entrycount(tree);
    if (reading.entries > kMaxEntries) {
      return too_large("there are more than " + std::to_string(kMaxEntries) + " files and folders");
    }
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
        TRY(read_tree(reading, child.get(), path + "/", depth + 1));
      } else if (mode == GIT_FILEMODE_BLOB || mode == GIT_FILEMODE_BLOB_EXECUTABLE) {
        if (reading.wanted(path)) TRY(read_file(reading, entry, path));
      }
    }
    return {};
  }

  static std::string mebibytes(std::size_t size) { return std::to_string(size >> 20) + " MiB"; }

  static Error too_large(const std::string& what) {
    return Error(Reason::RequestEntityTooLarge, what + ", which is more than can be applied");
  }

  static Result<void> read_file(Reading& reading, const git_tree_entry* entry, const std::string& path) {
    git_blob* raw = nullptr;
    if (const int code = git_blob_lookup(&raw, reading.repository, git_tree_entry_id(entry)); code != 0) {
      return last_error(code, path);
    }
    const Handle<git_blob> blob(raw);
    const auto size = static_cast<std::size_t>(git_blob_rawsize(raw));
    reading.total += size;
    if (size > kMaxFileBytes) return too_large(path + ": the file is larger than " + mebibytes(kMaxFileBytes));
    if (reading.total > kMaxTreeBytes)
      return too_large("there are more than " + mebibytes(kMaxTreeBytes) + " of files");
    if (reading.files.size() >= kMaxFiles)
      return too_large("there are more than " + std::to_string(kMaxFiles) + " files");
    reading.files.push_back({path, std::string(static_cast<const char*>(git_blob_rawcontent(raw)), size)});
    return {};
  }

  const std::string folder_;
  const std::vector<std::string> local_roots_;
  MirrorLocks locks_;
  std::mutex mutex_;
  std::map<std::string, MonotonicTime> renewals_;  // when each mirror's was tried last
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

std::unique_ptr<GitMirror> make_git_mirror(Executor& executor, std::string folder,
                                           std::vector<std::string> local_roots) {
  return std::make_unique<git::Libgit2Mirror>(executor, std::move(folder), std::move(local_roots));
}

}  // namespace coracle::reconcilers
