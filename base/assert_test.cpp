#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>

// Here the name belongs to base/assert.h.
#undef CHECK
#include "base/assert.h"

namespace coracle {
namespace {

std::string divide(int a, int b) {
  if (BUG_IF(b == 0)) return "bug";
  return std::to_string(a / b);
}

TEST_CASE("BUG_IF fails the work at hand and is counted") {
  const std::uint64_t before = bug_count();
  REQUIRE(divide(6, 3) == "2");
  REQUIRE(bug_count() == before);
  REQUIRE(divide(6, 0) == "bug");
  REQUIRE(bug_count() == before + 1);
}

TEST_CASE("CHECK ends the process") {
  CHECK(bug_count() < UINT64_MAX);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);
    CHECK(child != 0);
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  REQUIRE(WTERMSIG(status) == SIGABRT);
}

}  // namespace
}  // namespace coracle
