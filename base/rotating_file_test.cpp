#include "base/rotating_file.h"

#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "base/gzip.h"
#include "base/testing/temporary_folder.h"

namespace coracle {
namespace {

constexpr std::size_t kLimit = 100'000;

std::string line_of(int number) {
  return "line " + std::to_string(number) + "\n";
}

std::unique_ptr<RotatingFile> open_file(const std::string& path, RotationLimits limits) {
  auto opened = RotatingFile::open(path, limits);
  REQUIRE(opened.ok());
  return std::move(opened).value();
}

std::vector<std::string> names_in(const testing::TemporaryFolder& folder) {
  const auto entries = list_directory(folder.path());
  REQUIRE(entries.ok());
  std::vector<std::string> names;
  for (const DirectoryEntry& entry : *entries) names.push_back(entry.name);
  return names;
}

TEST_CASE("a log file is set aside before it outgrows its limit, compressed and in order", "[rotating_file]") {
  const testing::TemporaryFolder folder;
  const std::string path = folder.file("server.log");
  {
    const auto file = open_file(path, {.bytes = 200, .backups = 1000});
    for (int i = 0; i < 100; ++i) file->write(line_of(i));
  }
  std::string whole;
  for (const std::string& name : names_in(folder)) {
    if (name == "server.log") continue;
    INFO(name);
    CHECK(name.starts_with("server-20"));
    CHECK(name.ends_with(".log.gz"));
    const auto text = gunzip(*read_file(folder.file(name), kLimit), kLimit);
    REQUIRE(text.ok());
    CHECK(text->size() <= 200);
    CHECK(text->size() > 180);
    whole += *text;
  }
  whole += *read_file(path, 200);
  std::string expected;
  for (int i = 0; i < 100; ++i) expected += line_of(i);
  CHECK(whole == expected);
}

TEST_CASE("only so many log files are kept, and none that is too old", "[rotating_file]") {
  const testing::TemporaryFolder folder;
  const std::string path = folder.file("k3s");
  const std::vector<std::string> foreign = {"k3s-2020-01-01T00-00-00.log", "k3s-2020-13-01T00-00-00.000", "k3s-old",
                                            "other-2020-01-01T00-00-00.000.gz"};
  for (const std::string& name : foreign) REQUIRE(write_file_atomic(folder.file(name), "x", 0600).ok());
  for (const char* name : {"k3s-2020-01-01T00-00-00.000", "k3s-2020-01-02T00-00-00.000.gz"}) {
    REQUIRE(write_file_atomic(folder.file(name), "x", 0600).ok());
  }
  SECTION("by age") {
    const auto file = open_file(path, {.bytes = 10, .backups = 10});
    file->write("first line\n");
    file->write("second line\n");
  }
  SECTION("by number") {
    const auto file = open_file(path, {.bytes = 10, .backups = 1, .age = std::chrono::days(100'000)});
    for (int i = 0; i < 5; ++i) file->write("a long line\n");
  }
  std::vector<std::string> names = names_in(folder);
  for (const std::string& name : foreign) {
    const auto found = std::find(names.begin(), names.end(), name);
    REQUIRE(found != names.end());
    names.erase(found);
  }
  REQUIRE(names.size() == 2);
  CHECK(names[0] == "k3s");
  CHECK(names[1].starts_with("k3s-2"));
  CHECK(names[1].ends_with(".gz"));
  CHECK_FALSE(names[1].starts_with("k3s-2020"));
}

TEST_CASE("a log file that is there goes on, with its mode", "[rotating_file]") {
  const testing::TemporaryFolder folder;
  const std::string path = folder.file("log");
  REQUIRE(write_file_atomic(path, "before\n", 0640).ok());
  {
    const auto file = open_file(path, {.bytes = 20});
    file->write("after\n");
    CHECK(*read_file(path, kLimit) == "before\nafter\n");
    file->write("too much\n");
    CHECK(*read_file(path, kLimit) == "too much\n");
  }
  struct stat status = {};
  for (const std::string& name : names_in(folder)) {
    REQUIRE(stat(folder.file(name).c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0640);
  }
}

TEST_CASE("a log file that cannot be set aside goes on", "[rotating_file]") {
  const testing::TemporaryFolder folder;
  const std::string inner = folder.file("inner");
  REQUIRE(make_directories(inner, 0700).ok());
  const auto file = open_file(join_path(inner, "log"), {.bytes = 20});
  file->write("some line\n");
  REQUIRE(remove_tree(inner).ok());
  for (int i = 0; i < 10; ++i) file->write("some more lines\n");
  CHECK_FALSE(file_exists(inner));
  const auto device = open_file("/dev/null", {.bytes = 20});
  for (int i = 0; i < 10; ++i) device->write("some more lines\n");
  CHECK(file_info("/dev/null")->kind == FileKind::Other);
  CHECK_FALSE(RotatingFile::open(join_path(inner, "log")).ok());
}

}  // namespace
}  // namespace coracle
