#pragma once

#include <string>

#include "base/file_descriptor.h"
#include "base/result.h"

namespace coracle::store::internal {

// Keeps a second process of ours from writing the file while the descriptor is open, and sees to it that nobody else
// can read it: makes the file (0600) and its folders (0700) when they are missing. SQLite's own locks do not mind. Take
// it before SQLite opens the file and keep it until after: closing any descriptor of a file drops all POSIX locks that
// this process has on it.
Result<FileDescriptor> lock_file(const std::string& path);

}  // namespace coracle::store::internal
