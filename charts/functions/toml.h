#pragma once

#include <string>

#include "base/result.h"
#include "charts/template/go_value.h"

namespace coracle::charts {

// TOML as BurntSushi's encoder writes maps: plain keys first, then tables, both sorted, nested
// tables indented by two. Whole float64s keep their ".0".
Result<std::string> go_to_toml(const GoValue& value, std::size_t& nodes);

}  // namespace coracle::charts
