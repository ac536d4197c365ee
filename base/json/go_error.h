#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace coracle::json {

// What Go's encoding/json says about a text that is no JSON ("invalid character '}' looking for beginning of value");
// empty where it finds nothing wrong. Answers of an API server use these words, which people search for.
std::string go_error(std::string_view text);
// The same of a text that could not be read; where Go would take it, what our reader says.
std::string go_error(std::string_view text, const Error& error);

}  // namespace coracle::json
