#pragma once

#include <span>
#include <string>
#include <string_view>

#include "charts/template/go_value.h"

namespace coracle::charts {

// Go's fmt package over GoValue.
std::string go_sprint(std::span<const GoValue> args);
std::string go_sprintln(std::span<const GoValue> args);
std::string go_sprintf(std::string_view format, std::span<const GoValue> args);
// What `%v` prints.
std::string go_print(const GoValue& value);

}  // namespace coracle::charts
