#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

// Strings and numbers as Go's strconv writes and reads them.
namespace coracle::charts {

// strconv.Quote.
std::string go_quote(std::string_view text);
// With back quotes where those can hold the text, as "%#q" prints.
std::string go_backquote(std::string_view text);
// strconv.FormatFloat; precision -1 is the shortest text that reads back.
std::string go_format_float(double number, char format, int precision);

// unicode.IsPrint.
bool is_printable(char32_t rune);

// strconv.Unquote of a Go literal: double quotes, back quotes, or a character.
Result<std::string> go_unquote(std::string_view literal);

}  // namespace coracle::charts
