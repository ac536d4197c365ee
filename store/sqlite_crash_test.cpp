#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <map>
#include <sstream>

#include "base/testing/temporary_folder.h"
#include "store/conformance/support.h"
#include "store/sqlite.h"

namespace coracle::store {
namespace {

constexpr const char* kPathVariable = "CORACLE_STORE_CRASH_PATH";
constexpr int kAckDescriptor = 9;

// Starts this program again, to run only the hidden case below; its acknowledgements arrive at the
// returned descriptor.
pid_t start_writer(const std::string& path, int& acknowledgements) {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  REQUIRE(setenv(kPathVariable, path.c_str(), 1) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    dup2(ends[1], kAckDescriptor);
    execl("/proc/self/exe", "store_test", "writes until it is killed", static_cast<char*>(nullptr));
    _exit(127);
  }
  close(ends[1]);
  acknowledgements = ends[0];
  return child;
}

}  // namespace

// Updates keys from several tasks and says on a pipe what was acknowledged, until somebody kills it.
TEST_CASE("writes until it is killed", "[.child]") {
  const char* path = getenv(kPathVariable);
  REQUIRE(path != nullptr);
  ThreadLimits limits;
  limits.blocking = 16;
  const auto executor = make_thread_executor(limits);
  SqliteOptions options;
  options.path = path;
  options.history_rows = 200;  // compaction takes part
  const auto backend = make_sqlite_backend(options, *executor, Logger(null_log_sink(), "store")).value();
  const Context context(*executor);
  std::vector<std::function<Result<void>()>> tasks;
  for (int task = 0; task < 8; ++task) {
    tasks.emplace_back([&, task]() -> Result<void> {
      const std::string key = "/k" + std::to_string(task) + "-" + std::to_string(getpid());
      ASSIGN_OR_RETURN(Revision revision, conformance::must_create(context, *backend, key, "0"));
      for (int number = 1;; ++number) {
        ASSIGN_OR_RETURN(revision, conformance::must_update(context, *backend, key, std::to_string(number), revision));
        const std::string line = key + " " + std::to_string(number) + " " + std::to_string(revision) + "\n";
        if (write(kAckDescriptor, line.data(), line.size()) != static_cast<ssize_t>(line.size())) return {};
      }
    });
  }
  const auto ended = conformance::run_together(context, std::move(tasks));
  REQUIRE(ended.ok());
}

TEST_CASE("no acknowledged write is lost when the process is killed", "[store]") {
  const testing::TemporaryFolder folder;
  const std::string path = folder.file("state.db");
  std::map<std::string, std::pair<int, Revision>> acknowledged;
  Revision highest = 0;
  for (int round = 0; round < 4; ++round) {
    int descriptor = -1;
    const pid_t child = start_writer(path, descriptor);
    std::string received;
    char buffer[4096];
    const auto receive = [&] {
      const ssize_t count = read(descriptor, buffer, sizeof(buffer));
      if (count > 0) received.append(buffer, static_cast<std::size_t>(count));
      return count > 0;
    };
    const std::size_t enough = 8'000 + 7'001 * static_cast<std::size_t>(round);
    while (received.size() < enough && receive()) {
    }
    kill(child, SIGKILL);
    while (receive()) {
    }
    close(descriptor);
    REQUIRE(received.size() >= enough);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
    std::istringstream lines(received.substr(0, received.rfind('\n') + 1));
    std::string key;
    int number = 0;
    Revision revision = 0;
    while (lines >> key >> number >> revision) {
      acknowledged[key] = {number, revision};
      highest = std::max(highest, revision);
    }
  }

  const auto executor = make_thread_executor();
  const Context context = conformance::case_context(*executor);
  SqliteOptions options;
  options.path = path;
  {
    const auto backend = make_sqlite_backend(options, *executor, Logger(null_log_sink(), "store")).value();
    CHECK(backend->current_revision() >= highest);
    for (const auto& [key, last] : acknowledged) {
      const auto found = backend->get(context, key).value();
      REQUIRE(found.entry);
      // The last write before the end may have been committed without an answer.
      const int number = std::stoi(*found.entry->value);
      CHECK((number == last.first || number == last.first + 1));
      CHECK(found.entry->mod_revision >= last.second);
    }
  }
}

}  // namespace coracle::store
