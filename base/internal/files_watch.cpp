#include "base/files_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <set>
#include <thread>
#include <utility>

#include "base/file_descriptor.h"
#include "base/files.h"
#include "base/internal/change_callback.h"
#include "base/internal/start_thread.h"

namespace coracle {
namespace {

constexpr std::size_t kMaxWatchedDirectories = 16384;
constexpr int kMaxWatchedDepth = 64;
// Editors and copying tools make several changes in a row; a call comes when they pause, or when
// they have gone on for long enough.
constexpr Duration kSettle = std::chrono::milliseconds(20);
constexpr Duration kLongestSettle = std::chrono::milliseconds(200);
// How often to suppose a change where the kernel cannot watch everything.
constexpr Duration kFallbackPeriod = std::chrono::seconds(15);

constexpr std::uint32_t kTreeEvents = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB |
                                      IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
// Of the parent only its entry for the watched directory matters, and where it is itself.
constexpr std::uint32_t kParentEvents = IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
// After these the set of directories below may be another one.
constexpr std::uint32_t kStructureEvents = IN_DELETE_SELF | IN_MOVE_SELF | IN_Q_OVERFLOW;
constexpr std::uint32_t kDirectoryEntryEvents = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO;

class InotifyWatch : public FileWatch {
 public:
  InotifyWatch(Executor& executor, std::string directory, std::function<void()> on_change)
      : directory_(std::move(directory)),
        callback_(std::make_shared<internal::ChangeCallback>(executor, std::move(on_change))) {}

  ~InotifyWatch() override {
    if (thread_.joinable()) {
      const std::uint64_t one = 1;
      while (write(stop_.get(), &one, sizeof one) < 0 && errno == EINTR) {
      }
      thread_.join();
    }
    callback_->cancel();
  }

  Result<void> start() {
    inotify_ = FileDescriptor(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!inotify_.valid()) return system_error(errno, "watch " + directory_);
    stop_ = FileDescriptor(eventfd(0, EFD_CLOEXEC));
    if (!stop_.valid()) return system_error(errno, "watch " + directory_);
    ASSIGN_OR_RETURN(const FileInfo info, file_info(directory_));
    if (info.kind != FileKind::Directory) return system_error(ENOTDIR, "watch " + directory_);
    watch_directories();
    thread_ = internal::start_thread("file-watch", [this] { serve(); });
    return {};
  }

 private:
  using SteadyClock = std::chrono::steady_clock;

  // Watches exactly the directories that are there now. inotify answers the same number for a
  // directory that it watches already.
  void watch_directories() {
    std::set<int> now;
    complete_ = true;
    const std::string parent = parent_path(directory_);
    parent_watch_ = inotify_add_watch(inotify_.get(), parent.c_str(), kParentEvents);
    if (parent_watch_ < 0) complete_ = false;
    add_tree(directory_, 0, now);
    for (const int old : watches_) {
      if (!now.contains(old) && old != parent_watch_) inotify_rm_watch(inotify_.get(), old);
    }
    watches_ = std::move(now);
  }

  void add_tree(const std::string& path, int depth, std::set<int>& watches) {
    if (watches.size() >= kMaxWatchedDirectories || depth > kMaxWatchedDepth) {
      complete_ = false;
      return;
    }
    // Only the root may be a link.
    const std::uint32_t follow = depth == 0 ? 0U : static_cast<std::uint32_t>(IN_DONT_FOLLOW);
    const int watch = inotify_add_watch(inotify_.get(), path.c_str(), kTreeEvents | follow);
    if (watch < 0) {
      // Gone already is fine: its parent tells. Anything else leaves a blind spot.
      if (errno != ENOENT && errno != ENOTDIR) complete_ = false;
      return;
    }
    watches.insert(watch);
    const Result<std::vector<DirectoryEntry>> entries = list_directory(path);
    if (!entries.ok()) return;
    for (const DirectoryEntry& entry : *entries) {
      if (entry.kind == FileKind::Directory) add_tree(join_path(path, entry.name), depth + 1, watches);
    }
  }

  void serve() {
    SteadyClock::time_point first_change{};
    SteadyClock::time_point last_change{};
    bool changed = false;
    bool restructured = false;
    while (true) {
      std::array<pollfd, 2> waiting{{{stop_.get(), POLLIN, 0}, {inotify_.get(), POLLIN, 0}}};
      const bool settling = changed;
      Duration timeout = kFallbackPeriod;
      if (settling) {
        timeout = std::min(last_change + kSettle, first_change + kLongestSettle) - SteadyClock::now();
      }
      const int ready = wait_for(waiting, settling || !complete_ ? &timeout : nullptr);
      if ((waiting[0].revents & POLLIN) != 0) return;
      if (ready > 0 && read_events(restructured)) {
        last_change = SteadyClock::now();
        if (!changed) first_change = last_change;
        changed = true;
      }
      const auto now = SteadyClock::now();
      const bool settled = changed && (now >= last_change + kSettle || now >= first_change + kLongestSettle);
      const bool fallback_due = ready == 0 && !settling && !complete_;
      if (!settled && !fallback_due) continue;
      // First the watches, then the call: whoever looks now sees what came in between.
      if (restructured || !complete_) watch_directories();
      changed = restructured = false;
      callback_->request();
    }
  }

  static int wait_for(std::array<pollfd, 2>& waiting, const Duration* timeout) {
    timespec wait = {};
    if (timeout != nullptr) {
      const Duration positive = std::max(*timeout, Duration::zero());
      wait.tv_sec = static_cast<time_t>(positive.count() / 1'000'000'000);
      wait.tv_nsec = static_cast<long>(positive.count() % 1'000'000'000);
    }
    const int ready = ppoll(waiting.data(), waiting.size(), timeout == nullptr ? nullptr : &wait, nullptr);
    if (ready < 0) {
      for (pollfd& one : waiting) one.revents = 0;
    }
    return ready;
  }

  // Whether anything that matters happened; `restructured` is set when directories came or went.
  bool read_events(bool& restructured) {
    alignas(inotify_event) std::array<char, 16384> buffer;
    bool changed = false;
    while (true) {
      const ssize_t got = read(inotify_.get(), buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return changed;
      for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
        inotify_event event = {};
        std::memcpy(&event, buffer.data() + at, sizeof event);
        const std::string_view name = event.len == 0 ? std::string_view() : buffer.data() + at + sizeof event;
        if (matters(event, name)) {
          changed = true;
          restructured = restructured || changes_structure(event);
        }
        at += sizeof event + event.len;
      }
    }
  }

  bool matters(const inotify_event& event, std::string_view name) const {
    if ((event.mask & IN_IGNORED) != 0) return false;
    const bool of_tree = watches_.contains(event.wd) || (event.mask & kStructureEvents) != 0;
    return of_tree || (event.wd == parent_watch_ && name == file_name(directory_));
  }

  bool changes_structure(const inotify_event& event) const {
    if ((event.mask & kStructureEvents) != 0 || !watches_.contains(event.wd)) return true;
    return (event.mask & IN_ISDIR) != 0 && (event.mask & kDirectoryEntryEvents) != 0;
  }

  const std::string directory_;
  const std::shared_ptr<internal::ChangeCallback> callback_;
  FileDescriptor inotify_;
  FileDescriptor stop_;
  int parent_watch_ = -1;
  std::set<int> watches_;
  bool complete_ = true;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<FileWatch>> watch_tree(Executor& executor, const std::string& directory,
                                              std::function<void()> on_change) {
  std::string path = directory;
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  auto watch = std::make_unique<InotifyWatch>(executor, std::move(path), std::move(on_change));
  TRY(watch->start());
  return std::unique_ptr<FileWatch>(std::move(watch));
}

}  // namespace coracle
