// That the simulation itself can be trusted: every invariant finds the mistake that is planted for it, and a seed
// repeats.
#include <catch2/catch.hpp>

#include "tests/sim/planted.h"
#include "tests/sim/run.h"

namespace coracle::sim {
namespace {

// A mistake need not show under the first seed.
constexpr std::uint64_t kSeedsPerBug = 5;

}  // namespace

TEST_CASE("every invariant finds its planted mistake") {
  for (const PlantedBug& bug : planted_bugs()) {
    DYNAMIC_SECTION(std::string(bug.name)) {
      const Scenario* scenario = find_scenario(bug.scenario);
      REQUIRE(scenario != nullptr);
      RunOutcome outcome;
      for (std::uint64_t seed = 1; seed <= kSeedsPerBug && outcome.failure.empty(); ++seed) {
        outcome = run_scenario(*scenario, seed, &bug);
      }
      INFO(outcome.failure);
      CHECK(outcome.broken_invariant == bug.invariant);
    }
  }
}

TEST_CASE("a seed repeats its schedule, another seed has another") {
  const Scenario& scenario = *find_scenario("namespaces");
  const RunOutcome first = run_scenario(scenario, 7);
  const RunOutcome again = run_scenario(scenario, 7);
  CHECK(first.schedule_hash == again.schedule_hash);
  CHECK(first.lines == again.lines);
  CHECK(first.faults == again.faults);
  CHECK(first.schedule_hash != run_scenario(scenario, 8).schedule_hash);
}

}  // namespace coracle::sim
