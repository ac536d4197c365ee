#include "base/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <set>
#include <system_error>

#include "base/file_descriptor.h"

namespace coracle {
namespace {

constexpr std::size_t kMaxDirectoryEntries = 1'000'000;

Error path_error(std::string_view deed, const std::string& path) {
  const int number = errno;
  return system_error(number, std::string(deed) + " " + path);
}

FileKind kind_of_mode(mode_t mode) {
  if (S_ISREG(mode)) return FileKind::Regular;
  if (S_ISDIR(mode)) return FileKind::Directory;
  if (S_ISLNK(mode)) return FileKind::Symlink;
  return FileKind::Other;
}

FileInfo info_of(const struct stat& status) {
  return {.kind = kind_of_mode(status.st_mode),
          .size = static_cast<std::uint64_t>(status.st_size),
          .modified = WallTime(std::chrono::seconds(status.st_mtim.tv_sec) + Duration(status.st_mtim.tv_nsec)),
          .mode = status.st_mode & 07777U};
}

Result<void> write_all(int descriptor, std::string_view data, const std::string& path) {
  while (!data.empty()) {
    const ssize_t written = write(descriptor, data.data(), data.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return path_error("write", path);
    }
    data.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> synchronise_directory(const std::string& path) {
  const FileDescriptor directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) return path_error("open", path);
  // Some file systems cannot do this and say so; the rest must.
  if (fsync(directory.get()) != 0 && errno != EINVAL && errno != ENOTSUP) return path_error("synchronise", path);
  return {};
}

// What will be `path` once it is renamed; gone when it is not.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string path) : path_(std::move(path)) {}
  TemporaryFile(TemporaryFile&& other) noexcept
      : path_(std::move(other.path_)),
        temporary_(std::exchange(other.temporary_, {})),
        descriptor_(std::move(other.descriptor_)) {}
  TemporaryFile& operator=(TemporaryFile&&) = delete;
  ~TemporaryFile() {
    if (!temporary_.empty()) unlink(temporary_.c_str());
  }

  std::string directory() const { return parent_path(path_); }

  Result<void> write(std::string_view data, unsigned mode) {
    // Hidden, so that whoever lists the directory takes it for nothing.
    std::string temporary = join_path(directory(), "." + std::string(file_name(path_)) + ".XXXXXX");
    descriptor_ = FileDescriptor(mkostemp(temporary.data(), O_CLOEXEC));
    if (!descriptor_.valid()) return path_error("create a file beside", path_);
    temporary_ = std::move(temporary);
    if (fchmod(descriptor_.get(), mode) != 0) return path_error("set the mode of", path_);
    return write_all(descriptor_.get(), data, path_);
  }

  Result<void> synchronise() {
    if (fsync(descriptor_.get()) != 0) return path_error("synchronise", path_);
    descriptor_.reset();
    return {};
  }

  Result<void> rename_to_path() {
    if (rename(temporary_.c_str(), path_.c_str()) != 0) return path_error("rename a file to", path_);
    temporary_.clear();
    return {};
  }

 private:
  const std::string path_;
  std::string temporary_;
  FileDescriptor descriptor_;
};

}  // namespace

Error system_error(int number, std::string_view what) {
  Reason reason = Reason::Unavailable;
  switch (number) {
    case ENOENT:
      reason = Reason::NotFound;
      break;
    case EEXIST:
      reason = Reason::AlreadyExists;
      break;
    case EACCES:
    case EPERM:
    case EROFS:
      reason = Reason::Forbidden;
      break;
    case ENOTDIR:
    case EISDIR:
    case ENOTEMPTY:
    case ELOOP:
    case ENAMETOOLONG:
    case EINVAL:
    case EXDEV:
      reason = Reason::BadRequest;
      break;
    default:
      break;
  }
  std::string message(what);
  message += ": ";
  message += std::generic_category().message(number);
  return {reason, std::move(message)};
}

bool is_being_written(const std::string& path) {
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  // The kernel gives a read lease on a file that nobody may write meanwhile. A writer that comes before it is given
  // back waits for that moment, and this process is told by a signal that it ignores instead of one that ends it.
  if (!file.valid() || fcntl(file.get(), F_SETSIG, SIGURG) != 0) return false;
  if (fcntl(file.get(), F_SETLEASE, F_RDLCK) != 0) return errno == EAGAIN;
  fcntl(file.get(), F_SETLEASE, F_UNLCK);
  return false;
}

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  // Without O_NONBLOCK a pipe in a file's place would hold the caller for ever.
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.valid()) return path_error("open", path);
  struct stat status = {};
  if (fstat(file.get(), &status) != 0) return path_error("examine", path);
  if (!S_ISREG(status.st_mode)) return bad_request("read " + path + ": not a regular file");
  const Error too_large(Reason::RequestEntityTooLarge,
                        "read " + path + ": larger than " + std::to_string(limit) + " bytes");
  // The size is a hint only: files of /proc say 0, and others may grow meanwhile.
  const auto hint = static_cast<std::size_t>(status.st_size);
  if (hint > limit) return too_large;
  constexpr std::size_t kLeastRead = 4096;
  std::string data;
  std::size_t used = 0;
  while (true) {
    if (used == data.size()) data.resize(std::max({used * 2, hint + 1, kLeastRead}));
    const ssize_t got = read(file.get(), data.data() + used, data.size() - used);
    if (got < 0) {
      if (errno == EINTR) continue;
      return path_error("read", path);
    }
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
    if (used > limit) return too_large;
  }
  data.resize(used);
  return data;
}

Result<void> write_file_atomic(const std::string& path, std::string_view data, unsigned mode) {
  TemporaryFile file(path);
  TRY(file.write(data, mode));
  TRY(file.synchronise());
  TRY(file.rename_to_path());
  return synchronise_directory(file.directory());
}

Result<void> ensure_file(const std::string& path, std::string_view data, unsigned mode) {
  const auto info = file_info(path);
  if (info.ok() && info->kind == FileKind::Regular && info->mode == mode && info->size == data.size()) {
    const auto content = read_file(path, data.size());
    if (content.ok() && *content == data) return {};
  }
  return write_file_atomic(path, data, mode);
}

Result<void> write_files_atomic(std::span<const FileContent> files, unsigned mode) {
  std::vector<TemporaryFile> written;
  std::set<std::string> directories;
  written.reserve(files.size());
  for (const FileContent& file : files) {
    written.emplace_back(file.path);
    TRY(written.back().write(file.data, mode));
    directories.insert(written.back().directory());
  }
  // Only now: the first file's turn takes most of the others along.
  for (TemporaryFile& file : written) TRY(file.synchronise());
  for (TemporaryFile& file : written) TRY(file.rename_to_path());
  for (const std::string& directory : directories) TRY(synchronise_directory(directory));
  return {};
}

Result<void> make_directories(const std::string& path, unsigned mode) {
  if (path.empty()) return bad_request("make a directory: the path is empty");
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (mkdir(part.c_str(), mode) != 0 && errno != EEXIST && errno != EISDIR) return path_error("make directory", part);
    if (end == std::string::npos) break;
  }
  ASSIGN_OR_RETURN(const FileInfo info, file_info(path));
  if (info.kind != FileKind::Directory) return system_error(ENOTDIR, "make directory " + path);
  return {};
}

Result<std::vector<DirectoryEntry>> list_directory(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(path.c_str()), closedir);
  if (directory == nullptr) return path_error("list", path);
  std::vector<DirectoryEntry> entries;
  while (true) {
    errno = 0;
    const dirent* entry = readdir(directory.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (entries.size() >= kMaxDirectoryEntries) return internal_error("list " + path + ": too many entries");
    mode_t mode = DTTOIF(entry->d_type);
    if (entry->d_type == DT_UNKNOWN) {
      struct stat status = {};
      if (fstatat(dirfd(directory.get()), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0) mode = status.st_mode;
    }
    entries.push_back({std::string(name), kind_of_mode(mode)});
  }
  if (errno != 0) return path_error("list", path);
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return entries;
}

Result<void> remove_file(const std::string& path) {
  if (remove(path.c_str()) != 0) return path_error("remove", path);
  return {};
}

Result<void> remove_tree(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) return system_error(error.value(), "remove " + path);
  return {};
}

Result<void> rename_file(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) != 0) return path_error("rename to " + to, from);
  return {};
}

Result<FileInfo> file_info(const std::string& path) {
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) return path_error("examine", path);
  return info_of(status);
}

Result<FileInfo> link_info(const std::string& path) {
  struct stat status = {};
  if (lstat(path.c_str(), &status) != 0) return path_error("examine", path);
  return info_of(status);
}

bool file_exists(const std::string& path) {
  return access(path.c_str(), F_OK) == 0;
}

Result<std::string> read_link(const std::string& path) {
  std::array<char, PATH_MAX> target{};
  const ssize_t size = readlink(path.c_str(), target.data(), target.size());
  if (size < 0) return path_error("read link", path);
  return std::string(target.data(), static_cast<std::size_t>(size));
}

Result<void> make_link(const std::string& target, const std::string& path) {
  if (symlink(target.c_str(), path.c_str()) != 0) return path_error("make link", path);
  return {};
}

Result<std::string> canonical_path(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> resolved(realpath(path.c_str(), nullptr), std::free);
  if (resolved == nullptr) return path_error("resolve", path);
  return std::string(resolved.get());
}

std::string join_path(std::string_view directory, std::string_view name) {
  if (directory.empty() || name.starts_with('/')) return std::string(name);
  std::string path(directory);
  if (!path.ends_with('/')) path += '/';
  path += name;
  return path;
}

std::string parent_path(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return slash == 0 ? "/" : std::string(path.substr(0, slash));
}

std::string_view file_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace coracle
