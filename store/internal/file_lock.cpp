#include "store/internal/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/files.h"

namespace coracle::store::internal {

namespace {
constexpr mode_t kFolderMode = 0700;
constexpr mode_t kFileMode = 0600;
}  // namespace

Result<FileDescriptor> lock_file(const std::string& path) {
  TRY(make_directories(parent_path(path), kFolderMode));
  FileDescriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode));
  if (!file.valid()) return system_error(errno, "open " + path);
  if (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return unavailable("store: " + path + " is in use by another server");
    return system_error(errno, "lock " + path);
  }
  if (fchmod(file.get(), kFileMode) != 0) return system_error(errno, "set the mode of " + path + " to 0600");
  return file;
}

}  // namespace coracle::store::internal
