#include "base/log.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "base/testing/standard_error.h"
#include "base/testing/temporary_folder.h"

namespace coracle {
namespace {

using testing::StandardErrorCapture;

TEST_CASE("log lines have time, level, component, message and fields") {
  std::string line;
  {
    const StandardErrorCapture capture;
    const Logger log(make_log_sink(LogLevel::Info), "server");
    log.debug("not shown");
    log.info("listening", {{"port", 6443}, {"tls", true}, {"name", "two words"}, {"empty", ""}});
    line = capture.text();
  }
  REQUIRE(line.size() > 28);
  CHECK(line[10] == 'T');
  CHECK(line.substr(26) == "Z info server: listening port=6443 tls=true name=\"two words\" empty=\"\"\n");
}

TEST_CASE("log fields cannot break lines and are cut") {
  std::string text;
  {
    const StandardErrorCapture capture;
    const Logger log(make_log_sink(LogLevel::Debug), "x");
    log.error("m\nn", {{"a", "1\n2\"3\\4\x01"}, {"long", std::string(600, 'y')}});
    text = capture.text();
  }
  CHECK(text.find("error x: m\\nn a=\"1\\n2\\\"3\\\\4\\x01\"") != std::string::npos);
  CHECK(text.find("long=" + std::string(512, 'y') + "...\n") != std::string::npos);
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
}

TEST_CASE("the journal gets priorities and a log file is private") {
  const testing::TemporaryFolder folder;
  const std::string file = folder.file("log");
  std::string text;
  {
    const StandardErrorCapture capture;
    struct stat status = {};
    REQUIRE(fstat(STDERR_FILENO, &status) == 0);
    setenv("JOURNAL_STREAM", (std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino)).c_str(), 1);
    const Logger log(make_log_sink(LogLevel::Debug, file, true), "x");
    unsetenv("JOURNAL_STREAM");
    log.warning("low");
    text = capture.text();
    Logger(make_log_sink(LogLevel::Debug, file + ".alone"), "x").warning("file only");
    CHECK(capture.text() == text);
    CHECK(read_file(file + ".alone", 1000)->find("file only") != std::string::npos);
  }
  CHECK(text.rfind("<4>2", 0) == 0);
  struct stat status = {};
  REQUIRE(stat(file.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK("<4>" + *read_file(file, 1000) == text);
}

}  // namespace
}  // namespace coracle
