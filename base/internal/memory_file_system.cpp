#include <cerrno>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "base/file_system.h"
#include "base/internal/change_callback.h"
#include "base/text.h"

namespace coracle {
namespace {

// As many as the kernel follows.
constexpr int kMaxLinksFollowed = 40;

// What files and watches share; a watch may outlive the file system.
struct MemoryWatchers {
  struct Watcher {
    std::string directory;
    std::shared_ptr<internal::ChangeCallback> callback;
  };
  std::mutex mutex;
  std::set<std::shared_ptr<Watcher>> watchers;
};

class MemoryWatch : public FileWatch {
 public:
  MemoryWatch(std::shared_ptr<MemoryWatchers> all, std::shared_ptr<MemoryWatchers::Watcher> mine)
      : all_(std::move(all)), mine_(std::move(mine)) {
    std::lock_guard lock(all_->mutex);
    all_->watchers.insert(mine_);
  }
  ~MemoryWatch() override {
    {
      std::lock_guard lock(all_->mutex);
      all_->watchers.erase(mine_);
    }
    mine_->callback->cancel();
  }

 private:
  std::shared_ptr<MemoryWatchers> all_;
  std::shared_ptr<MemoryWatchers::Watcher> mine_;
};

class MemoryFileSystem : public FileSystem {
 public:
  explicit MemoryFileSystem(Executor& executor) : executor_(executor) {
    nodes_["/"] = {.kind = FileKind::Directory, .data = {}, .mode = 0755, .modified = executor.clock().wall()};
  }

  Result<std::string> read_file(const std::string& path, std::size_t limit) override {
    std::lock_guard lock(mutex_);
    ASSIGN_OR_RETURN(const std::string at, existing(path, "open", true));
    const Node& node = nodes_.at(at);
    if (node.kind != FileKind::Regular) return bad_request("read " + path + ": not a regular file");
    if (node.data.size() > limit) {
      return Error(Reason::RequestEntityTooLarge, "read " + path + ": larger than " + std::to_string(limit) + " bytes");
    }
    return node.data;
  }

  bool is_being_written(const std::string&) override { return false; }

  Result<void> write_file_atomic(const std::string& path, std::string_view data, unsigned mode) override {
    return change(path, [&]() -> Result<void> {
      ASSIGN_OR_RETURN(const std::string at, resolved(path, "write", false));
      const auto found = nodes_.find(at);
      if (found != nodes_.end() && found->second.kind == FileKind::Directory) return failure(EISDIR, "write", path);
      put(at, {.kind = FileKind::Regular, .data = std::string(data), .mode = mode, .modified = {}});
      return {};
    });
  }

  Result<void> make_directories(const std::string& path, unsigned mode) override {
    return change(path, [&]() -> Result<void> {
      std::string prefix;
      for (const std::string_view part : split(path, '/')) {
        if (part.empty()) continue;
        prefix += "/" + std::string(part);
        ASSIGN_OR_RETURN(const std::string at, resolved(prefix, "make directory", true));
        const auto found = nodes_.find(at);
        if (found == nodes_.end()) {
          put(at, {.kind = FileKind::Directory, .data = {}, .mode = mode, .modified = {}});
        } else if (found->second.kind != FileKind::Directory) {
          return failure(ENOTDIR, "make directory", path);
        }
      }
      return {};
    });
  }

  Result<std::vector<DirectoryEntry>> list_directory(const std::string& path) override {
    std::lock_guard lock(mutex_);
    ASSIGN_OR_RETURN(const std::string at, existing(path, "list", true));
    if (nodes_.at(at).kind != FileKind::Directory) return failure(ENOTDIR, "list", path);
    std::vector<DirectoryEntry> entries;
    const std::string prefix = at == "/" ? "/" : at + "/";
    for (auto node = nodes_.upper_bound(prefix); node != nodes_.end() && node->first.starts_with(prefix); ++node) {
      const std::string name = node->first.substr(prefix.size());
      if (name.find('/') == std::string::npos) entries.push_back({name, node->second.kind});
    }
    return entries;
  }

  Result<void> remove_file(const std::string& path) override {
    return change(path, [&]() -> Result<void> {
      ASSIGN_OR_RETURN(const std::string at, existing(path, "remove", false));
      if (has_children(at)) return failure(ENOTEMPTY, "remove", path);
      if (at == "/") return failure(EBUSY, "remove", path);
      erase(at);
      return {};
    });
  }

  Result<void> remove_tree(const std::string& path) override {
    return change(path, [&]() -> Result<void> {
      ASSIGN_OR_RETURN(const std::string at, resolved(path, "remove", false));
      if (at == "/") return failure(EBUSY, "remove", path);
      for (auto child = nodes_.lower_bound(at + "/"); child != nodes_.end() && child->first.starts_with(at + "/");) {
        child = nodes_.erase(child);
      }
      if (nodes_.contains(at)) erase(at);
      return {};
    });
  }

  Result<void> rename_file(const std::string& from, const std::string& to) override {
    TRY(change(from, [&]() -> Result<void> {
      ASSIGN_OR_RETURN(const std::string source, existing(from, "rename", false));
      ASSIGN_OR_RETURN(const std::string target, resolved(to, "rename", false));
      if (target == source) return {};
      if (target.starts_with(source + "/") || source == "/") return failure(EINVAL, "rename", from);
      const auto found = nodes_.find(target);
      if (found != nodes_.end()) {
        const bool directory = nodes_.at(source).kind == FileKind::Directory;
        if (directory != (found->second.kind == FileKind::Directory)) {
          return failure(directory ? ENOTDIR : EISDIR, "rename", from);
        }
        if (has_children(target)) return failure(ENOTEMPTY, "rename", from);
      }
      std::map<std::string, Node> moved;
      for (auto child = nodes_.lower_bound(source + "/");
           child != nodes_.end() && child->first.starts_with(source + "/");) {
        moved.emplace(target + child->first.substr(source.size()), std::move(child->second));
        child = nodes_.erase(child);
      }
      Node node = std::move(nodes_.at(source));
      erase(source);
      nodes_[target] = std::move(node);  // keeps its time, as on a machine
      touch(parent_path(target));
      nodes_.merge(moved);
      return {};
    }));
    notify(to);
    return {};
  }

  Result<FileInfo> file_info(const std::string& path) override { return info(path, true); }
  Result<FileInfo> link_info(const std::string& path) override { return info(path, false); }

  Result<std::string> read_link(const std::string& path) override {
    std::lock_guard lock(mutex_);
    ASSIGN_OR_RETURN(const std::string at, existing(path, "read link", false));
    if (nodes_.at(at).kind != FileKind::Symlink) return failure(EINVAL, "read link", path);
    return nodes_.at(at).data;
  }

  Result<void> make_link(const std::string& target, const std::string& path) override {
    return change(path, [&]() -> Result<void> {
      ASSIGN_OR_RETURN(const std::string at, resolved(path, "make link", false));
      if (nodes_.contains(at)) return failure(EEXIST, "make link", path);
      put(at, {.kind = FileKind::Symlink, .data = target, .mode = 0777, .modified = {}});
      return {};
    });
  }

  Result<std::string> canonical_path(const std::string& path) override {
    std::lock_guard lock(mutex_);
    return existing(path, "resolve", true);
  }

  Result<std::unique_ptr<FileWatch>> watch_tree(const std::string& directory,
                                                std::function<void()> on_change) override {
    std::lock_guard lock(mutex_);
    ASSIGN_OR_RETURN(const std::string at, existing(directory, "watch", true));
    if (nodes_.at(at).kind != FileKind::Directory) return failure(ENOTDIR, "watch", directory);
    auto callback = std::make_shared<internal::ChangeCallback>(executor_, std::move(on_change));
    auto watcher = std::make_shared<MemoryWatchers::Watcher>(MemoryWatchers::Watcher{at, std::move(callback)});
    return std::unique_ptr<FileWatch>(std::make_unique<MemoryWatch>(watchers_, std::move(watcher)));
  }

 private:
  struct Node {
    FileKind kind = FileKind::Other;
    std::string data;  // a link's target
    unsigned mode = 0;
    WallTime modified;
  };

  static Error failure(int number, std::string_view deed, const std::string& path) {
    return system_error(number, std::string(deed) + " " + path);
  }

  Result<FileInfo> info(const std::string& path, bool follow) {
    std::lock_guard lock(mutex_);
    ASSIGN_OR_RETURN(const std::string at, existing(path, "examine", follow));
    const Node& node = nodes_.at(at);
    return FileInfo{.kind = node.kind, .size = node.data.size(), .modified = node.modified, .mode = node.mode};
  }

  // The key of the node that `path` means. The last part need not exist; with `follow` it is
  // followed when it is a link.
  Result<std::string> resolved(const std::string& path, std::string_view deed, bool follow) const {
    if (!path.starts_with('/')) return failure(EINVAL, deed, path);
    std::deque<std::string> parts;
    const auto push_front = [&parts](std::string_view text) {
      const std::vector<std::string_view> pieces = split(text, '/');
      for (auto piece = pieces.rbegin(); piece != pieces.rend(); ++piece) {
        if (!piece->empty() && *piece != ".") parts.emplace_front(*piece);
      }
    };
    push_front(path);
    std::string at = "/";
    int links = 0;
    while (!parts.empty()) {
      const std::string part = std::move(parts.front());
      parts.pop_front();
      const auto parent = nodes_.find(at);
      if (parent == nodes_.end()) return failure(ENOENT, deed, path);
      if (parent->second.kind != FileKind::Directory) return failure(ENOTDIR, deed, path);
      if (part == "..") {
        at = parent_path(at);
        continue;
      }
      const std::string next = join_path(at, part);
      const auto node = nodes_.find(next);
      const bool link = node != nodes_.end() && node->second.kind == FileKind::Symlink;
      if (!link || (parts.empty() && !follow)) {
        at = next;
        continue;
      }
      if (++links > kMaxLinksFollowed) return failure(ELOOP, deed, path);
      if (node->second.data.starts_with('/')) at = "/";
      push_front(node->second.data);
    }
    return at;
  }

  Result<std::string> existing(const std::string& path, std::string_view deed, bool follow) const {
    ASSIGN_OR_RETURN(std::string at, resolved(path, deed, follow));
    if (!nodes_.contains(at)) return failure(ENOENT, deed, path);
    return at;
  }

  bool has_children(const std::string& at) const {
    const std::string prefix = at == "/" ? "/" : at + "/";
    const auto child = nodes_.upper_bound(prefix);
    return child != nodes_.end() && child->first.starts_with(prefix);
  }

  void put(const std::string& at, Node node) {
    nodes_[at] = std::move(node);
    touch(at);
    touch(parent_path(at));
  }

  void erase(const std::string& at) {
    nodes_.erase(at);
    touch(parent_path(at));
  }

  void touch(const std::string& at) { nodes_.at(at).modified = executor_.clock().wall(); }

  // Runs `deed` under the lock and tells the watchers when it succeeded.
  template <class Deed>
  Result<void> change(const std::string& path, const Deed& deed) {
    {
      std::lock_guard lock(mutex_);
      TRY(deed());
    }
    notify(path);
    return {};
  }

  void notify(const std::string& path) {
    std::string changed;
    {
      std::lock_guard lock(mutex_);
      changed = resolved(path, "", false).value_or(path);
    }
    std::vector<std::shared_ptr<internal::ChangeCallback>> concerned;
    {
      std::lock_guard lock(watchers_->mutex);
      for (const auto& watcher : watchers_->watchers) {
        const std::string prefix = watcher->directory == "/" ? "/" : watcher->directory + "/";
        if (changed == watcher->directory || changed.starts_with(prefix) ||
            watcher->directory.starts_with(changed + "/")) {
          concerned.push_back(watcher->callback);
        }
      }
    }
    for (const auto& callback : concerned) callback->request();
  }

  Executor& executor_;
  std::mutex mutex_;
  std::map<std::string, Node> nodes_;
  const std::shared_ptr<MemoryWatchers> watchers_ = std::make_shared<MemoryWatchers>();
};

}  // namespace

std::unique_ptr<FileSystem> make_memory_file_system(Executor& executor) {
  return std::make_unique<MemoryFileSystem>(executor);
}

}  // namespace coracle
