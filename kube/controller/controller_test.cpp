#include "kube/controller/controller.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <stdexcept>

#include "base/sim_executor.h"
#include "base/sync.h"

namespace coracle::kube {
namespace {

const WallTime kEpoch{std::chrono::hours(24 * 365 * 50)};

// Works for a virtual second per key and keeps count of what happens at the same time.
class CountingReconciler : public Reconciler {
 public:
  Result<Done> reconcile(const Context& context, const ObjectKey& key) override {
    ++calls[key.name];
    most_at_once = std::max(most_at_once, ++at_once);
    most_per_key = std::max(most_per_key, ++per_key[key.name]);
    TRY(context.sleep(std::chrono::seconds(1)));
    --at_once;
    --per_key[key.name];
    if (key.name == "throws" && calls[key.name] == 1) throw std::runtime_error("boom");
    if (key.name == "fails" && calls[key.name] < 3) return unavailable("not yet");
    if (key.name == "periodic" && calls[key.name] < 4) return Done{std::chrono::minutes(1)};
    return Done{};
  }

  std::map<std::string, int> calls;
  std::map<std::string, int> per_key;
  int at_once = 0;
  int most_at_once = 0;
  int most_per_key = 0;
};

}  // namespace

TEST_CASE("a controller works on keys in parallel up to its limit, each alone") {
  for (const std::uint64_t seed : {1, 2, 3, 4, 5}) {
    auto executor = SimExecutor::make(seed, kEpoch);
    CountingReconciler reconciler;
    executor->run([&] {
      const Context context(*executor);
      Controller controller(context, reconciler, {.name = "test", .concurrency = 3}, Logger(null_log_sink(), "test"));
      for (int round = 0; round < 3; ++round) {
        for (const char* name : {"a", "b", "c", "d", "e"}) controller.enqueue({"n", name});
        if (round == 0) controller.start();
        REQUIRE(context.sleep(std::chrono::milliseconds(300)).ok());
      }
      while (!controller.idle()) REQUIRE(context.sleep(std::chrono::seconds(1)).ok());
    });
    CHECK(reconciler.most_at_once == 3);
    CHECK(reconciler.most_per_key == 1);
    for (const auto& [name, calls] : reconciler.calls) CHECK(calls >= 1);
    CHECK(reconciler.calls.size() == 5);
  }
}

TEST_CASE("errors, exceptions and requested repeats bring a key back") {
  auto executor = SimExecutor::make(7, kEpoch);
  CountingReconciler reconciler;
  executor->run([&] {
    const Context context(*executor);
    Controller controller(context, reconciler, {.name = "test"}, Logger(null_log_sink(), "test"));
    controller.start();
    for (const char* name : {"fails", "throws", "periodic"}) controller.enqueue({"n", name});
    while (!controller.idle()) REQUIRE(context.sleep(std::chrono::seconds(1)).ok());
    CHECK(executor->clock().monotonic().time_since_epoch() >= std::chrono::minutes(3));
  });
  CHECK(reconciler.calls["fails"] == 3);
  CHECK(reconciler.calls["throws"] == 2);
  CHECK(reconciler.calls["periodic"] == 4);
}

}  // namespace coracle::kube
