#include "base/slots.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <optional>

#include "base/sim_executor.h"
#include "base/task_group.h"

namespace coracle {
namespace {

using std::chrono::seconds;

const WallTime kSlotsStart(seconds(1'700'000'000));

TEST_CASE("as many hold a place as there are, and the others come after them") {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const auto executor = SimExecutor::make(seed, kSlotsStart);
    int at_once = 0;
    int most_at_once = 0;
    int ended = 0;
    executor->run([&] {
      Slots slots(*executor, 2);
      TaskGroup group{Context(*executor)};
      for (int i = 0; i < 5; ++i) {
        group.spawn(Lane::Blocking, [&](const Context& context) {
          const Result<Slots::Slot> slot = slots.take(context);
          most_at_once = std::max(most_at_once, ++at_once);
          CHECK(context.sleep(seconds(1)).ok());
          --at_once;
          ++ended;
        });
      }
      group.join();
      CHECK(executor->clock().monotonic().time_since_epoch() >= seconds(3));
    });
    CHECK(most_at_once == 2);
    CHECK(ended == 5);
  }
}

TEST_CASE("whoever gives up while waiting for a place takes none") {
  const auto executor = SimExecutor::make(1, kSlotsStart);
  executor->run([&] {
    const Context context(*executor);
    Slots slots(*executor, 1);
    std::optional<Slots::Slot> held(slots.take(context).value());
    CHECK(slots.take(context.with_timeout(seconds(1))).error().reason() == Reason::Timeout);
    CHECK_FALSE(slots.try_take());
    std::stop_source stop;
    const std::unique_ptr<Timer> timer = executor->call_after(seconds(1), [&stop] { stop.request_stop(); });
    CHECK(slots.take(context.with_stop(stop.get_token())).error().reason() == Reason::Canceled);
    std::optional<Slots::Slot> moved(std::move(held));
    held.reset();
    CHECK(slots.take(context.with_timeout(seconds(1))).error().reason() == Reason::Timeout);
    moved.reset();
    CHECK(slots.try_take());
    CHECK(slots.take(context).ok());
  });
}

}  // namespace
}  // namespace coracle
