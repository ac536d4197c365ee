#include "reconcilers/git/internal/mirror_locks.h"

#include <catch2/catch.hpp>
#include <optional>

#include "base/sim_executor.h"
#include "base/sync.h"

namespace coracle::reconcilers::git {
namespace {

using std::chrono::seconds;

void simulated(const std::function<void(SimExecutor&, MirrorLocks&)>& body) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto executor = SimExecutor::make(seed, WallTime(seconds(1'700'000'000)));
    executor->run([&] {
      MirrorLocks locks(*executor);
      body(*executor, locks);
    });
  }
}

}  // namespace

TEST_CASE("many read a mirror while one adds to it") {
  simulated([](SimExecutor& executor, MirrorLocks& locks) {
    const Context context(executor);
    const auto first = locks.read(context, "a");
    auto change = locks.change(context, "a");
    const auto second = locks.read(context, "a");
    CHECK((first.ok() && change.ok() && second.ok()));
    const auto other = locks.change(context.with_timeout(seconds(1)), "a");
    REQUIRE_FALSE(other.ok());
    CHECK(other.error().reason() == Reason::Timeout);
    CHECK(locks.change(context.with_timeout(seconds(1)), "b").ok());
  });
}

TEST_CASE("who takes files away waits for readers and lets none in") {
  simulated([](SimExecutor& executor, MirrorLocks& locks) {
    const Context context(executor);
    auto change = locks.change(context, "a");
    REQUIRE(change.ok());
    {
      const auto reader = locks.read(context, "a");
      const Result<void> alone = change->alone(context.with_timeout(seconds(1)));
      REQUIRE_FALSE(alone.ok());
      CHECK(alone.error().reason() == Reason::Timeout);
      CHECK(locks.read(context.with_timeout(seconds(1)), "a").ok());
    }
    REQUIRE(change->alone(context).ok());
    const auto refused = locks.read(context.with_timeout(seconds(1)), "a");
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().reason() == Reason::Timeout);

    std::optional<bool> read;
    Event done(executor);
    executor.post(Lane::Blocking, [&] {
      read = locks.read(context.with_timeout(seconds(60)), "a").ok();
      done.set();
    });
    REQUIRE(context.sleep(seconds(1)).ok());
    CHECK_FALSE(read);
    change->share();
    REQUIRE(done.wait(context).ok());
    CHECK(read == true);
  });
}

}  // namespace coracle::reconcilers::git
