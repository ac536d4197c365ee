#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

// Whole gzip streams (RFC 1952).
namespace coracle {

std::string gzip(std::string_view data, int level = 6);
// RequestEntityTooLarge when it holds more than `limit` bytes.
Result<std::string> gunzip(std::string_view data, std::size_t limit);

}  // namespace coracle
