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

}  // namespace coracle::charts
