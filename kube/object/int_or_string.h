#pragma once

#include <cstdint>

#include "base/result.h"
#include "base/value.h"

namespace coracle::kube {

enum class Rounding : std::uint8_t { Up, Down };

// An IntOrString against a total: a number is itself, "25%" a part of `total`. BadRequest for other
// texts and kinds.
Result<std::int64_t> scaled_value(const Value& int_or_percent, std::int64_t total, Rounding rounding);

}  // namespace coracle::kube
