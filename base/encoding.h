#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

// Bytes as text (RFC 4648).
namespace coracle {

std::string base64_encode(std::string_view data);
std::string base64url_encode(std::string_view data);          // no padding
Result<std::string> base64_decode(std::string_view text);     // standard alphabet, padding required
Result<std::string> base64url_decode(std::string_view text);  // padding optional
std::string hex_encode(std::string_view data);                // lower case

}  // namespace coracle
