#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

// Patterns for paths. '?' is one character, '*' any number of them, "[a-c]" and "[!a-c]" (or "[^a-c]") one of a class
// or one outside of it; none of them takes a '/'. A backslash makes the next character plain.
namespace coracle {

// What "**" means.
enum class DoubleStar : std::uint8_t {
  Star,      // no more than '*'
  Anything,  // any text, with slashes
  Folders,   // as a part of its own ("**/a", "a/**/b", "a/**") any number of folders, else no more than '*'
};

// Whether the whole text fits the pattern. The work grows at most with the product of their lengths, once more for
// each part of the path where there is "**".
bool glob_matches(std::string_view pattern, std::string_view text, DoubleStar double_star);

// The patterns that one with alternatives ("{a,b}.txt", also one inside the other) stands for; none where a brace is
// not closed. BadRequest for more of them than anybody writes.
Result<std::vector<std::string>> expand_alternatives(std::string_view pattern);

}  // namespace coracle
