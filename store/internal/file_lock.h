#pragma once

#include <string>

#include "base/result.h"

namespace coracle::store::internal {

// Keeps a second process of ours from writing the same file, and sees to it that nobody else can
// read it. SQLite's own locks do not mind. Open it before SQLite opens the file and close it after:
// closing any descriptor of a file drops all POSIX locks that this process has on it.
class FileLock {
 public:
  // Creates the file (0600) and its folders (0700) when they are missing.
  static Result<FileLock> take(const std::string& path);

  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace coracle::store::internal
