#include "base/process.h"

#include <signal.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "base/executor.h"
#include "base/signals.h"
#include "base/sync.h"
#include "base/task_group.h"
#include "base/text.h"

namespace coracle {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct ProcessFixture {
  std::unique_ptr<Executor> executor = make_thread_executor();
  Context context = Context(*executor).with_timeout(seconds(30));

  Result<CommandOutcome> shell(const std::string& script, Command command = {}) const {
    command.arguments = {"/bin/sh", "-c", script};
    return run_command(context, command);
  }
};

TEST_CASE_METHOD(ProcessFixture, "a command gets its input and answers output, errors and exit code") {
  const Result<CommandOutcome> outcome = shell("cat; echo problem >&2; exit 3", {.input = "hello"});
  REQUIRE(outcome.ok());
  CHECK(outcome->output == "hello");
  CHECK(outcome->errors == "problem\n");
  CHECK(outcome->exit_code == 3);
  CHECK(shell("kill -TERM $$")->exit_code == 128 + SIGTERM);
  const std::string large(300'000, 'x');
  CHECK(shell("cat", {.input = large})->output == large);
  CHECK(shell("true", {.input = large})->exit_code == 0);
}

TEST_CASE_METHOD(ProcessFixture, "a command has the environment and directory that it was given") {
  const Command command{.environment = std::vector<std::string>{"COLOUR=blue"}, .working_directory = "/usr"};
  CHECK(shell("echo $COLOUR $HOME; pwd", command)->output == "blue\n/usr\n");
  CHECK(run_command(context, {.arguments = {"sh", "-c", "echo found"}})->output == "found\n");
}

TEST_CASE_METHOD(ProcessFixture, "a command that cannot be started is an error") {
  const Result<CommandOutcome> missing = run_command(context, {.arguments = {"/nowhere/program"}});
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().reason() == Reason::NotFound);
  CHECK_FALSE(run_command(context, {}).ok());
  CHECK_FALSE(shell("true", {.working_directory = "/nowhere"}).ok());
}

TEST_CASE_METHOD(ProcessFixture, "a command is killed with its children at the deadline, on stop and past its limit") {
  const Command endless{.arguments = {"/bin/sh", "-c", "sleep 1000 & echo $!; wait"}};
  const Result<CommandOutcome> late = run_command(context.with_timeout(milliseconds(50)), endless);
  REQUIRE_FALSE(late.ok());
  CHECK(late.error().reason() == Reason::Timeout);

  std::stop_source stop;
  const auto timer = executor->call_after(milliseconds(20), [&] { stop.request_stop(); });
  const Result<CommandOutcome> stopped = run_command(context.with_stop(stop.get_token()), endless);
  REQUIRE_FALSE(stopped.ok());
  CHECK(stopped.error().reason() == Reason::Canceled);

  const Result<CommandOutcome> chatty = shell("yes", {.output_limit = 1000});
  REQUIRE_FALSE(chatty.ok());
  CHECK(chatty.error().reason() == Reason::RequestEntityTooLarge);
}

TEST_CASE_METHOD(ProcessFixture, "a command's end is not held up by a child that keeps its output open") {
  const Result<CommandOutcome> outcome = shell("sleep 1000 & echo $!");
  REQUIRE(outcome.ok());
  const std::optional<pid_t> child = parse_int<pid_t>(trim(outcome->output));
  REQUIRE(child.has_value());
  CHECK(kill(*child, SIGKILL) == 0);
}

TEST_CASE("signals of termination arrive as calls") {
  sigset_t before;
  REQUIRE(pthread_sigmask(SIG_SETMASK, nullptr, &before) == 0);
  block_termination_signals();
  {
    const auto executor = make_thread_executor();
    Queue<int> signals(*executor, 10);
    const auto watch = watch_termination_signals(*executor, [&](int signal) { signals.push(signal); });
    REQUIRE(watch.ok());
    const Context context = Context(*executor).with_timeout(seconds(30));
    for (const int signal : {SIGTERM, SIGHUP, SIGINT}) {
      REQUIRE(kill(getpid(), signal) == 0);
      CHECK(**signals.pop(context) == signal);
    }
    // Commands do not inherit the blocked signals.
    const Result<CommandOutcome> outcome =
        run_command(context, {.arguments = {"/bin/sh", "-c", "kill -TERM $$; echo survived"}});
    REQUIRE(outcome.ok());
    CHECK(outcome->exit_code == 128 + SIGTERM);
  }
  REQUIRE(pthread_sigmask(SIG_SETMASK, &before, nullptr) == 0);
}

}  // namespace
}  // namespace coracle
