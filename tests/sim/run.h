#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/sim/scenarios.h"

namespace coracle::sim {

// Events that a failure shows.
inline constexpr std::size_t kLinesShown = 200;

struct RunOutcome {
  std::string broken_invariant;  // empty: all went well
  std::string failure;
  std::vector<std::string> lines;   // the last events
  std::uint64_t schedule_hash = 0;  // equal for equal seeds
  FaultCounts faults{};
};

// One scenario under one seed, from an empty store to the end of the quiet time after it.
RunOutcome run_scenario(const Scenario& scenario, std::uint64_t seed, const PlantedBug* bug = nullptr,
                        std::size_t lines_kept = kLinesShown);

}  // namespace coracle::sim
