#pragma once

#include <string_view>

namespace coracle::charts {

// .Files.Glob: '*' stops at '/', "**" does not; '?', "[a-z]", "[!a]" and "{a,b}".
bool glob_matches(std::string_view pattern, std::string_view path);
// Go's filepath.Match, as .helmignore uses it: '*', '?' and "[^a]", none of which crosses '/'.
bool shell_pattern_matches(std::string_view pattern, std::string_view name);

}  // namespace coracle::charts
