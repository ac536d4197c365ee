#include "store/internal/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace coracle::store::internal {

namespace {
constexpr mode_t kFolderMode = 0700;
constexpr mode_t kFileMode = 0600;

Error system_error(const std::string& path, const char* what, int code) {
  return unavailable("store: " + path + ": " + what + ": " + std::generic_category().message(code));
}

Result<void> make_folders(const std::string& path) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string folder = path.substr(0, slash);
    if (mkdir(folder.c_str(), kFolderMode) != 0 && errno != EEXIST) {
      return system_error(folder, "cannot make the folder", errno);
    }
  }
  return {};
}
}  // namespace

Result<FileLock> FileLock::take(const std::string& path) {
  TRY(make_folders(path));
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode);
  if (descriptor < 0) return system_error(path, "cannot open", errno);
  FileLock lock(descriptor);
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return unavailable("store: " + path + " is in use by another server");
    return system_error(path, "cannot lock", errno);
  }
  if (fchmod(descriptor, kFileMode) != 0) return system_error(path, "cannot set the mode to 0600", errno);
  return lock;
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock::~FileLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace coracle::store::internal
