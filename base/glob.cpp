#include "base/glob.h"

#include <algorithm>
#include <iterator>

#include "base/utf8.h"

namespace coracle {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

// The character at the start of a class, which a backslash may stand before; advances behind it.
char32_t take_class_rune(std::string_view& rest) {
  if (rest.size() > 1 && rest[0] == '\\') rest.remove_prefix(1);
  const Rune rune = decode_rune(rest);
  rest.remove_prefix(rune.length);
  return rune.value;
}

// Whether `rune` is in the class whose '[' starts the pattern, and how long the class is: 0 when it is not closed.
std::size_t class_length(std::string_view pattern, char32_t rune, bool& matched) {
  std::string_view rest = pattern.substr(1);
  const bool negated = rest.starts_with('!') || rest.starts_with('^');
  if (negated) rest.remove_prefix(1);
  matched = false;
  for (bool first = true; !rest.empty() && (first || rest[0] != ']'); first = false) {
    const char32_t low = take_class_rune(rest);
    char32_t high = low;
    if (rest.size() > 1 && rest[0] == '-' && rest[1] != ']') {
      rest.remove_prefix(1);
      high = take_class_rune(rest);
    }
    matched = matched || (rune >= low && rune <= high);
  }
  matched = matched != negated;
  return rest.empty() ? 0 : pattern.size() - rest.size() + 1;
}

class Matcher {
 public:
  Matcher(std::string_view pattern, std::string_view text, DoubleStar double_star)
      : pattern_(pattern), text_(text), double_star_(double_star) {}

  bool run() {
    for (;;) {
      if (at_pattern_ == pattern_.size() && at_text_ == text_.size()) return true;
      if (take_star() || take_one()) continue;
      if (!retry()) return false;
    }
  }

 private:
  // A star that matches nothing for the time being; the last one is what takes more when the rest does not fit. What
  // an earlier one could take, the last one can take as well.
  bool take_star() {
    if (at_pattern_ == pattern_.size() || pattern_[at_pattern_] != '*') return false;
    const std::size_t end = std::min(pattern_.find_first_not_of('*', at_pattern_), pattern_.size());
    const bool is_double = end - at_pattern_ > 1 && double_star_ != DoubleStar::Star;
    if (is_double && (double_star_ == DoubleStar::Anything || is_part(end))) {
      at_pattern_ = end;
      if (double_star_ == DoubleStar::Folders && end < pattern_.size()) ++at_pattern_;
      deep_pattern_ = at_pattern_;
      deep_text_ = at_text_;
      star_pattern_ = kNone;
    } else {
      at_pattern_ = end;
      star_pattern_ = end;
      star_text_ = at_text_;
    }
    return true;
  }

  // Whether the stars from here to `end` are all that is between two slashes.
  bool is_part(std::size_t end) const {
    return (at_pattern_ == 0 || pattern_[at_pattern_ - 1] == '/') && (end == pattern_.size() || pattern_[end] == '/');
  }

  bool take_one() {
    if (at_pattern_ == pattern_.size() || at_text_ == text_.size()) return false;
    const std::string_view rest = pattern_.substr(at_pattern_);
    const Rune rune = decode_rune(text_.substr(at_text_));
    const bool wild = rest[0] == '?' || rest[0] == '[';
    if (wild && rune.value == U'/') return false;
    std::size_t used = 1;
    if (rest[0] == '[') {
      bool matched = false;
      used = class_length(rest, rune.value, matched);
      if (!matched || used == 0) return false;
    } else if (rest[0] != '?') {
      const std::size_t escape = rest[0] == '\\' && rest.size() > 1 ? 1 : 0;
      if (rest[escape] != text_[at_text_]) return false;
      at_pattern_ += escape + 1;
      ++at_text_;
      return true;
    }
    at_pattern_ += used;
    at_text_ += rune.length;
    return true;
  }

  // Goes back to the last star, or else to the last double one, which takes one thing more.
  bool retry() {
    if (star_pattern_ != kNone) {
      // What does not come in all that is left does not come in less of it.
      if (star_text_ == text_.size()) return false;
      if (text_[star_text_] != '/') {
        star_text_ += decode_rune(text_.substr(star_text_)).length;
        at_pattern_ = star_pattern_;
        at_text_ = star_text_;
        return true;
      }
    }
    if (deep_pattern_ == kNone) return false;
    star_pattern_ = kNone;
    if (double_star_ == DoubleStar::Folders) {
      // At the end of the pattern it takes everything.
      const std::size_t slash = deep_pattern_ == pattern_.size() ? text_.size() : text_.find('/', deep_text_);
      if (slash == kNone || deep_text_ == text_.size()) return false;
      deep_text_ = std::min(slash + 1, text_.size());
    } else {
      if (deep_text_ == text_.size()) return false;
      ++deep_text_;
    }
    at_pattern_ = deep_pattern_;
    at_text_ = deep_text_;
    return true;
  }

  std::string_view pattern_;
  std::string_view text_;
  DoubleStar double_star_;
  std::size_t at_pattern_ = 0;
  std::size_t at_text_ = 0;
  std::size_t star_pattern_ = kNone;  // behind the last '*', and where what it takes ends
  std::size_t star_text_ = 0;
  std::size_t deep_pattern_ = kNone;  // the same of the last "**"
  std::size_t deep_text_ = 0;
};

// What is at `at` of a pattern and no brace may begin in: an escaped character, a class, or one plain character.
std::size_t element_length(std::string_view pattern, std::size_t at) {
  if (pattern[at] == '\\' && at + 1 < pattern.size()) return 2;
  if (pattern[at] != '[') return 1;
  bool matched = false;
  return std::max<std::size_t>(class_length(pattern.substr(at), 0, matched), 1);
}

// Where the first '{' is, or npos.
std::size_t find_brace(std::string_view pattern) {
  std::size_t open = 0;
  while (open < pattern.size() && pattern[open] != '{') open += element_length(pattern, open);
  return open < pattern.size() ? open : kNone;
}

// The patterns with each choice of the brace at `open`.
std::vector<std::string> expand_brace(std::string_view pattern, std::size_t open) {
  std::vector<std::string> expanded;
  std::vector<std::string_view> choices;
  std::size_t begin = open + 1;
  int depth = 1;
  std::size_t at = begin;
  while (at < pattern.size()) {
    if (pattern[at] == '{') ++depth;
    if (pattern[at] == '}') --depth;
    if (depth == 0 || (depth == 1 && pattern[at] == ',')) {
      choices.push_back(pattern.substr(begin, at - begin));
      begin = at + 1;
    }
    if (depth == 0) break;
    at += element_length(pattern, at);
  }
  if (depth != 0) return expanded;
  for (const std::string_view choice : choices) {
    std::string one(pattern.substr(0, open));
    one += choice;
    one += pattern.substr(at + 1);
    expanded.push_back(std::move(one));
  }
  return expanded;
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view text, DoubleStar double_star) {
  return Matcher(pattern, text, double_star).run();
}

Result<std::vector<std::string>> expand_alternatives(std::string_view pattern) {
  constexpr std::size_t kMaxLength = 4096;
  constexpr std::size_t kMaxPatterns = 1024;
  if (pattern.size() > kMaxLength) {
    return bad_request("the pattern has more than " + std::to_string(kMaxLength) + " characters");
  }
  std::vector<std::string> done;
  std::vector<std::string> pending = {std::string(pattern)};
  while (!pending.empty()) {
    const std::string next = std::move(pending.back());
    pending.pop_back();
    const std::size_t open = find_brace(next);
    if (open == kNone) {
      done.push_back(next);
      continue;
    }
    std::vector<std::string> expanded = expand_brace(next, open);
    if (done.size() + pending.size() + expanded.size() > kMaxPatterns) {
      return bad_request("the pattern has more than " + std::to_string(kMaxPatterns) + " alternatives");
    }
    std::move(expanded.rbegin(), expanded.rend(), std::back_inserter(pending));
  }
  return done;
}

}  // namespace coracle
