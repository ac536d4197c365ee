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

// strconv.Quote and strconv.FormatFloat (precision -1: shortest).
std::string go_quote(std::string_view text);
// With back quotes where those can hold the text, as "%#q" prints.
std::string go_backquote(std::string_view text);
std::string go_format_float(double number, char format, int precision);

bool is_printable(char32_t rune);

// strconv.Unquote of a Go literal: double quotes, back quotes, or a character.
Result<std::string> go_unquote(std::string_view literal);

}  // namespace coracle::charts
