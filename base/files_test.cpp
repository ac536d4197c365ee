#include "base/files.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include <fstream>

#include "base/file_system.h"
#include "base/sim_executor.h"
#include "base/sync.h"
#include "base/testing/temporary_folder.h"

namespace coracle {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::TemporaryFolder;

// The same is asked of the machine's files and of those in memory.
void on_both(const std::function<void(FileSystem&, const std::string& root)>& body) {
  {
    INFO("machine");
    const TemporaryFolder directory;
    const auto executor = make_thread_executor();
    body(*make_machine_file_system(*executor), directory.path());
  }
  INFO("memory");
  const auto executor = SimExecutor::make(1, WallTime(seconds(1'700'000'000)));
  const auto files = make_memory_file_system(*executor);
  REQUIRE(files->make_directories("/tmp/root", 0700).ok());
  body(*files, "/tmp/root");
}

Reason reason_of(const Result<void>& result) {
  REQUIRE_FALSE(result.ok());
  return result.error().reason();
}

TEST_CASE("files are written whole and read back within a limit") {
  on_both([](FileSystem& files, const std::string& root) {
    const std::string path = root + "/file";
    REQUIRE(files.write_file_atomic(path, "one", 0600).ok());
    REQUIRE(files.write_file_atomic(path, "two!", 0644).ok());
    CHECK(*files.read_file(path, 4) == "two!");
    const Result<std::string> large = files.read_file(path, 3);
    REQUIRE_FALSE(large.ok());
    CHECK(large.error().reason() == Reason::RequestEntityTooLarge);
    CHECK(large.error().message().find(path) != std::string::npos);

    const Result<FileInfo> info = files.file_info(path);
    REQUIRE(info.ok());
    CHECK(info->kind == FileKind::Regular);
    CHECK(info->size == 4);
    CHECK(info->mode == 0644);
    CHECK(info->modified > WallTime(seconds(1'600'000'000)));
    // Nothing is left beside it.
    CHECK(files.list_directory(root)->size() == 1);
  });
}

TEST_CASE("several files are written at once, or none of what could not be written") {
  const TemporaryFolder directory;
  const std::vector<FileContent> files = {{directory.path() + "/a", "1"}, {directory.path() + "/b", "2"}};
  REQUIRE(write_files_atomic(files, 0600).ok());
  CHECK(*read_file(files[0].path, 10) == "1");
  CHECK(*read_file(files[1].path, 10) == "2");
  CHECK(file_info(files[1].path)->mode == 0600);
  const std::vector<FileContent> bad = {{files[0].path, "3"}, {directory.path() + "/no/such", "4"}};
  CHECK_FALSE(write_files_atomic(bad, 0600).ok());
  CHECK(*read_file(files[0].path, 10) == "1");
  CHECK(list_directory(directory.path())->size() == 2);
  CHECK(write_files_atomic({}, 0600).ok());
}

TEST_CASE("a file that is as it should be is left alone") {
  const TemporaryFolder folder;
  const std::string path = folder.file("token");
  const auto inode = [&] {
    struct stat status = {};
    REQUIRE(stat(path.c_str(), &status) == 0);
    return status.st_ino;
  };
  const auto is = [&](std::string_view data, unsigned mode) {
    return *read_file(path, 100) == data && file_info(path)->mode == mode;
  };
  REQUIRE(ensure_file(path, "one", 0600).ok());
  CHECK(is("one", 0600));
  const auto first = inode();
  REQUIRE(ensure_file(path, "one", 0600).ok());
  CHECK(inode() == first);
  REQUIRE(ensure_file(path, "two", 0600).ok());
  CHECK(is("two", 0600));
  REQUIRE(ensure_file(path, "two", 0644).ok());
  CHECK(is("two", 0644));
}

TEST_CASE("file errors have reasons and name the path") {
  on_both([](FileSystem& files, const std::string& root) {
    const Result<std::string> missing = files.read_file(root + "/missing", 10);
    REQUIRE_FALSE(missing.ok());
    CHECK(missing.error().reason() == Reason::NotFound);
    CHECK(missing.error().message() == "open " + root + "/missing: No such file or directory");
    CHECK_FALSE(files.read_file(root, 10).ok());
    CHECK(reason_of(files.write_file_atomic(root + "/no/file", "", 0600)) == Reason::NotFound);
    CHECK(reason_of(files.remove_file(root + "/missing")) == Reason::NotFound);
    REQUIRE(files.write_file_atomic(root + "/file", "", 0600).ok());
    CHECK(reason_of(files.make_directories(root + "/file/below", 0700)) == Reason::BadRequest);
    CHECK_FALSE(files.list_directory(root + "/file").ok());
    CHECK_FALSE(files.watch_tree(root + "/missing", [] {}).ok());
  });
}

TEST_CASE("directories are made, listed in order and removed") {
  on_both([](FileSystem& files, const std::string& root) {
    REQUIRE(files.make_directories(root + "/a/b/c", 0700).ok());
    REQUIRE(files.make_directories(root + "/a/b/c", 0700).ok());
    REQUIRE(files.write_file_atomic(root + "/a/z", "", 0600).ok());
    REQUIRE(files.write_file_atomic(root + "/a/A", "", 0600).ok());
    CHECK(*files.list_directory(root + "/a") ==
          std::vector<DirectoryEntry>{{"A", FileKind::Regular}, {"b", FileKind::Directory}, {"z", FileKind::Regular}});
    CHECK(reason_of(files.remove_file(root + "/a")) == Reason::BadRequest);
    REQUIRE(files.rename_file(root + "/a", root + "/moved").ok());
    CHECK_FALSE(files.file_exists(root + "/a/b"));
    CHECK(files.file_exists(root + "/moved/b/c"));
    REQUIRE(files.remove_file(root + "/moved/b/c").ok());
    REQUIRE(files.remove_tree(root + "/moved").ok());
    REQUIRE(files.remove_tree(root + "/moved").ok());
    CHECK(files.list_directory(root)->empty());
  });
}

TEST_CASE("links are followed, told apart and resolved") {
  on_both([](FileSystem& files, const std::string& root) {
    REQUIRE(files.make_directories(root + "/real/inner", 0700).ok());
    REQUIRE(files.write_file_atomic(root + "/real/file", "content", 0600).ok());
    REQUIRE(files.make_link("real", root + "/link").ok());
    REQUIRE(files.make_link(root + "/link/file", root + "/second").ok());
    REQUIRE(files.make_link("loop", root + "/loop").ok());
    CHECK(*files.read_file(root + "/second", 100) == "content");
    CHECK(files.link_info(root + "/link")->kind == FileKind::Symlink);
    CHECK(files.file_info(root + "/link")->kind == FileKind::Directory);
    CHECK(*files.read_link(root + "/link") == "real");
    CHECK(*files.canonical_path(root + "/link/inner/../file") == root + "/real/file");
    CHECK_FALSE(files.read_file(root + "/loop", 100).ok());
    REQUIRE(files.remove_tree(root + "/link").ok());
    CHECK(files.file_exists(root + "/real/file"));
    CHECK(reason_of(files.make_link("x", root + "/second")) == Reason::AlreadyExists);
  });
}

TEST_CASE("a pipe in a file's place does not hold the reader") {
  const TemporaryFolder directory;
  const std::string path = directory.path() + "/pipe";
  REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  const Result<std::string> content = read_file(path, 10);
  REQUIRE_FALSE(content.ok());
  CHECK(content.error().reason() == Reason::BadRequest);
  CHECK_FALSE(read_file("/proc/self/status", 1 << 20)->empty());
}

TEST_CASE("a file is being written while somebody has it open for that") {
  const TemporaryFolder directory;
  const std::string path = directory.path() + "/file";
  CHECK_FALSE(is_being_written(path));
  {
    std::ofstream writer(path);
    CHECK(is_being_written(path));
  }
  CHECK_FALSE(is_being_written(path));
  std::ifstream reader(path);
  CHECK_FALSE(is_being_written(path));
}

TEST_CASE("paths are put together and taken apart") {
  CHECK(join_path("/a", "b") == "/a/b");
  CHECK(join_path("/", "b") == "/b");
  CHECK(join_path("/a", "/b") == "/b");
  CHECK(join_path("", "b") == "b");
  CHECK(parent_path("/a/b") == "/a");
  CHECK(parent_path("/a") == "/");
  CHECK(parent_path("a") == ".");
  CHECK(file_name("/a/b") == "b");
}

// Calls of a watch, to be waited for.
class ChangeCounter {
 public:
  explicit ChangeCounter(Executor& executor) : executor_(executor), changes_(executor, 1000) {}
  std::function<void()> callback() {
    return [this] { changes_.push(0); };
  }
  // Until a call comes, then drops all that came with it.
  bool wait_for_change() {
    const bool came = changes_.pop(Context(executor_).with_timeout(seconds(20))).ok();
    while (changes_.size() > 0) changes_.pop(Context(executor_)).ignore("there is one");
    return came;
  }
  std::size_t pending() const { return changes_.size(); }

 private:
  Executor& executor_;
  Queue<int> changes_;
};

void check_watch(Executor& executor, FileSystem& files, const std::string& root) {
  REQUIRE(files.make_directories(root + "/tree/sub", 0700).ok());
  ChangeCounter changes(executor);
  auto watch = files.watch_tree(root + "/tree", changes.callback());
  REQUIRE(watch.ok());

  REQUIRE(files.write_file_atomic(root + "/tree/file", "1", 0600).ok());
  CHECK(changes.wait_for_change());
  REQUIRE(files.write_file_atomic(root + "/tree/sub/file", "1", 0600).ok());
  CHECK(changes.wait_for_change());
  // In a directory that is new itself.
  REQUIRE(files.make_directories(root + "/tree/new/deeper", 0700).ok());
  CHECK(changes.wait_for_change());
  REQUIRE(files.write_file_atomic(root + "/tree/new/deeper/file", "1", 0600).ok());
  CHECK(changes.wait_for_change());
  REQUIRE(files.rename_file(root + "/tree/new", root + "/tree/renamed").ok());
  CHECK(changes.wait_for_change());
  REQUIRE(files.write_file_atomic(root + "/tree/renamed/deeper/file", "2", 0600).ok());
  CHECK(changes.wait_for_change());
  REQUIRE(files.remove_tree(root + "/tree/renamed").ok());
  CHECK(changes.wait_for_change());
  // The watched directory itself goes and comes back.
  REQUIRE(files.remove_tree(root + "/tree").ok());
  CHECK(changes.wait_for_change());
  REQUIRE(files.make_directories(root + "/tree", 0700).ok());
  CHECK(changes.wait_for_change());
  REQUIRE(files.write_file_atomic(root + "/tree/again", "1", 0600).ok());
  CHECK(changes.wait_for_change());

  // What happens elsewhere is no change, and after the end none comes. Asked of another watch, because the
  // first may still have something to tell of what happened before.
  *watch = nullptr;
  ChangeCounter later(executor);
  watch = files.watch_tree(root + "/tree", later.callback());
  REQUIRE(watch.ok());
  REQUIRE(files.write_file_atomic(root + "/beside", "1", 0600).ok());
  CHECK(Context(executor).sleep(milliseconds(60)).ok());
  CHECK(later.pending() == 0);
  *watch = nullptr;
  REQUIRE(files.write_file_atomic(root + "/tree/late", "1", 0600).ok());
  CHECK(later.pending() == 0);
}

TEST_CASE("a watch tells of every change below its directory") {
  const TemporaryFolder directory;
  const auto threads = make_thread_executor();
  check_watch(*threads, *make_machine_file_system(*threads), directory.path());

  const auto simulation = SimExecutor::make(1, WallTime(seconds(1'700'000'000)));
  const auto memory = make_memory_file_system(*simulation);
  simulation->run([&] { check_watch(*simulation, *memory, ""); });
}

TEST_CASE("changes in a burst make few calls") {
  const TemporaryFolder directory;
  const auto executor = make_thread_executor();
  std::atomic<int> calls = 0;
  ChangeCounter changes(*executor);
  const auto count = changes.callback();
  const auto watch = watch_tree(*executor, directory.path(), [&] {
    ++calls;
    count();
  });
  REQUIRE(watch.ok());
  for (int i = 0; i < 100; ++i) {
    REQUIRE(write_file_atomic(directory.path() + "/file" + std::to_string(i), "x", 0600).ok());
  }
  CHECK(changes.wait_for_change());
  CHECK(calls < 50);
}

}  // namespace
}  // namespace coracle
