#include <catch2/catch.hpp>
#include <vector>

#include "base/paced_task.h"
#include "base/sim_executor.h"

namespace coracle {
namespace {

using std::chrono::milliseconds;

const WallTime kPacedStart(std::chrono::seconds(1'700'000'000));

TEST_CASE("a paced task runs at once after a quiet time and after its pause otherwise") {
  const auto executor = SimExecutor::make(1, kPacedStart);
  executor->run([&] {
    const Context context(*executor);
    const MonotonicTime begin = executor->clock().monotonic();
    std::vector<Duration> runs;
    PacedTask task(*executor, [&] {
      runs.push_back(executor->clock().monotonic() - begin);
      return milliseconds(10);
    });

    for (int i = 0; i < 3; ++i) task.ask();
    CHECK(context.sleep(milliseconds(4)).ok());
    CHECK(runs == std::vector<Duration>{milliseconds(0)});

    for (int i = 0; i < 3; ++i) task.ask();
    CHECK(context.sleep(milliseconds(20)).ok());
    CHECK(runs == std::vector<Duration>{milliseconds(0), milliseconds(10)});

    CHECK(context.sleep(milliseconds(1)).ok());
    task.ask();
    CHECK(context.sleep(milliseconds(1)).ok());
    CHECK(runs.back() == milliseconds(25));
  });
}

TEST_CASE("a paced task that was asked for during its run runs again") {
  const auto executor = SimExecutor::make(2, kPacedStart);
  executor->run([&] {
    int runs = 0;
    PacedTask* self = nullptr;
    PacedTask task(*executor, [&] {
      if (++runs < 3) self->ask();
      return milliseconds(10);
    });
    self = &task;
    task.ask();
    CHECK(Context(*executor).sleep(milliseconds(50)).ok());
    CHECK(runs == 3);
  });
}

TEST_CASE("a paced task does not begin after its end") {
  const auto executor = SimExecutor::make(3, kPacedStart);
  executor->run([&] {
    int runs = 0;
    {
      PacedTask task(*executor, [&] {
        ++runs;
        return milliseconds(10);
      });
      task.ask();
      CHECK(Context(*executor).sleep(milliseconds(1)).ok());
      task.ask();
    }
    CHECK(Context(*executor).sleep(milliseconds(50)).ok());
    CHECK(runs == 1);
  });
}

}  // namespace
}  // namespace coracle
