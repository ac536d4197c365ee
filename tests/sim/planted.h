#pragma once

#include <vector>

#include "tests/sim/world.h"

namespace coracle::sim {

// For every invariant a mistake that it, and no other, must find.
std::vector<PlantedBug> planted_bugs();

}  // namespace coracle::sim
