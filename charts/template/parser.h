#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "charts/template/node.h"

namespace coracle::charts {

// Parses a template text. The file's own body is the last of its definitions and carries its name.
// Errors read as Go's: `template: NAME:LINE: what is wrong`.
Result<std::shared_ptr<const ParsedFile>> parse_template(std::string name, std::string text);

// Go's number literals (decimal, 0x, 0o, 0b, '_', exponents) and characters.
Result<void> parse_number(std::string_view text, bool character, NumberNode& node);

}  // namespace coracle::charts
