#pragma once

#include <stdlib.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>

#include "base/files.h"

namespace coracle::testing {

// A folder for a test's files, gone with the test. In memory where the system has such a place, so
// that tests do not depend on the speed of a disk.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::error_code error;
    const std::filesystem::path memory = "/dev/shm";
    const bool have_memory = std::filesystem::is_directory(memory, error);
    path_ = (have_memory ? memory : std::filesystem::temp_directory_path()) / "coracle-test-XXXXXX";
    if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("cannot make the folder " + path_);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { remove_tree(path_).ignore("left for the system to clean"); }

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace coracle::testing
