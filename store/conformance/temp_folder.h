#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>

#include <stdlib.h>

namespace coracle::store::conformance {

// A folder for a test's files, gone with the test. In memory where the system has such a place, so
// that tests do not depend on the speed of a disk.
class TempFolder {
 public:
  TempFolder() {
    std::error_code error;
    const std::filesystem::path memory = "/dev/shm";
    const bool have_memory = std::filesystem::is_directory(memory, error);
    std::string pattern = (have_memory ? memory : std::filesystem::temp_directory_path()) / "coracle-store-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make the folder " + pattern);
    path_ = pattern;
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace coracle::store::conformance
