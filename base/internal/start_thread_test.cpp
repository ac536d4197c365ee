#include "base/internal/start_thread.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>

#include "base/file_descriptor.h"

namespace coracle::internal {

TEST_CASE("a thread has its name") {
  std::array<char, 16> name{};
  start_thread("a name that is too long", [&] { pthread_getname_np(pthread_self(), name.data(), name.size()); }).join();
  CHECK(std::string(name.data()) == "a name that is ");
}

TEST_CASE("a process that gets no thread ends and says why") {
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  const FileDescriptor reader(ends[0]);
  FileDescriptor writer(ends[1]);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    dup2(writer.get(), STDERR_FILENO);
    // Of nobody, who has no other process: root knows no limit.
    const rlimit none{1, 1};
    if (getuid() == 0 && setuid(65534) != 0) _exit(2);
    if (setrlimit(RLIMIT_NPROC, &none) != 0) _exit(3);
    start_thread("one", [] {}).join();
    start_thread("two", [] {}).join();
    _exit(0);
  }
  writer.reset();
  std::string said(4096, '\0');
  const ssize_t got = read(reader.get(), said.data(), said.size());
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 1);
  CHECK(got > 0);
  CHECK(said.starts_with("fatal: cannot start the thread \"one\": "));
}

}  // namespace coracle::internal
