#include "base/file_system.h"

#include <utility>

namespace coracle {
namespace {

class MachineFileSystem : public FileSystem {
 public:
  explicit MachineFileSystem(Executor& executor) : executor_(executor) {}

  Result<std::string> read_file(const std::string& path, std::size_t limit) override {
    return coracle::read_file(path, limit);
  }
  bool is_being_written(const std::string& path) override { return coracle::is_being_written(path); }
  Result<void> write_file_atomic(const std::string& path, std::string_view data, unsigned mode) override {
    return coracle::write_file_atomic(path, data, mode);
  }
  Result<void> make_directories(const std::string& path, unsigned mode) override {
    return coracle::make_directories(path, mode);
  }
  Result<std::vector<DirectoryEntry>> list_directory(const std::string& path) override {
    return coracle::list_directory(path);
  }
  Result<void> remove_file(const std::string& path) override { return coracle::remove_file(path); }
  Result<void> remove_tree(const std::string& path) override { return coracle::remove_tree(path); }
  Result<void> rename_file(const std::string& from, const std::string& to) override {
    return coracle::rename_file(from, to);
  }
  Result<FileInfo> file_info(const std::string& path) override { return coracle::file_info(path); }
  Result<FileInfo> link_info(const std::string& path) override { return coracle::link_info(path); }
  Result<std::string> read_link(const std::string& path) override { return coracle::read_link(path); }
  Result<void> make_link(const std::string& target, const std::string& path) override {
    return coracle::make_link(target, path);
  }
  Result<std::string> canonical_path(const std::string& path) override { return coracle::canonical_path(path); }
  Result<std::unique_ptr<FileWatch>> watch_tree(const std::string& directory,
                                                std::function<void()> on_change) override {
    return coracle::watch_tree(executor_, directory, std::move(on_change));
  }

 private:
  Executor& executor_;
};

}  // namespace

std::unique_ptr<FileSystem> make_machine_file_system(Executor& executor) {
  return std::make_unique<MachineFileSystem>(executor);
}

}  // namespace coracle
