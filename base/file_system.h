#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/executor.h"
#include "base/files.h"
#include "base/files_watch.h"

namespace coracle {

// Files as reconcilers see them: the machine's in production, a simulation's own in tests. Each
// call means what its namesake in base/files.h says. Paths are absolute. Thread-safe.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual Result<std::string> read_file(const std::string& path, std::size_t limit) = 0;
  virtual bool is_being_written(const std::string& path) = 0;
  virtual Result<void> write_file_atomic(const std::string& path, std::string_view data, unsigned mode) = 0;
  virtual Result<void> make_directories(const std::string& path, unsigned mode) = 0;
  virtual Result<std::vector<DirectoryEntry>> list_directory(const std::string& path) = 0;
  virtual Result<void> remove_file(const std::string& path) = 0;
  virtual Result<void> remove_tree(const std::string& path) = 0;
  virtual Result<void> rename_file(const std::string& from, const std::string& to) = 0;
  virtual Result<FileInfo> file_info(const std::string& path) = 0;
  virtual Result<FileInfo> link_info(const std::string& path) = 0;
  virtual Result<std::string> read_link(const std::string& path) = 0;
  virtual Result<void> make_link(const std::string& target, const std::string& path) = 0;
  virtual Result<std::string> canonical_path(const std::string& path) = 0;
  virtual Result<std::unique_ptr<FileWatch>> watch_tree(const std::string& directory,
                                                        std::function<void()> on_change) = 0;
  bool file_exists(const std::string& path) { return file_info(path).ok(); }
};

// The executor runs the watches' callbacks and must outlive the result.
std::unique_ptr<FileSystem> make_machine_file_system(Executor& executor);
// Empty but for "/"; its times are the executor's.
std::unique_ptr<FileSystem> make_memory_file_system(Executor& executor);

}  // namespace coracle
