#pragma once

#include <string>
#include <string_view>

namespace coracle::charts {

// Changes of letter case over ASCII, Latin-1, Greek and Cyrillic; other letters stay.
std::string upper_text(std::string_view text);
std::string lower_text(std::string_view text);
// Every word's first letter in upper case, the rest as it is; untitle is the reverse.
std::string title_text(std::string_view text);
std::string untitle_text(std::string_view text);
// Upper case letters in lower case and the other way round.
std::string swap_case(std::string_view text);
// "FooBarHTTP" as foo_bar_http with the given connector.
std::string snake_case(std::string_view text, char connector);
// "foo_bar" as FooBar.
std::string pascal_case(std::string_view text);

}  // namespace coracle::charts
