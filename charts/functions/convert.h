#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "charts/template/function.h"
#include "charts/template/go_value.h"

namespace coracle::charts {

// sprig's conversions: they never fail, what cannot be converted is 0 or "".
std::string to_text(const GoValue& value);
std::int64_t to_integer(const GoValue& value);
double to_number(const GoValue& value);
// The texts of a list without its nils; any other value is a list of one. Fails when they are too large together,
// since the items of a list may be one and the same text.
Result<std::vector<std::string>> to_texts(const GoValue& value);
// sprig's `empty`.
bool is_empty(const GoValue& value);

// The items of a list parameter. The error is sprig's: `Cannot <verb> on type <kind>`.
Result<const GoList*> list_argument(const GoValue& value, std::string_view verb);

// What Go says when a type assertion fails.
Error conversion_error(const GoValue& value, std::string_view wanted);
// What Go says when a nil is used.
Error nil_dereference();

}  // namespace coracle::charts
