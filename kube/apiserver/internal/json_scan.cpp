#include "kube/apiserver/internal/json_scan.h"

#include <algorithm>

namespace coracle::kube::apiserver {

namespace {

std::size_t skip_blanks(std::string_view text, std::size_t at) {
  while (at < text.size() && (text[at] == ' ' || text[at] == '\n' || text[at] == '\t' || text[at] == '\r')) ++at;
  return at;
}

// Behind the string whose opening quote is at `at`. A quote belongs to the string where an odd number of backslashes
// stands before it.
std::size_t skip_string(std::string_view text, std::size_t at) {
  const std::size_t begin = at + 1;
  for (at = text.find('"', begin); at != std::string_view::npos; at = text.find('"', at + 1)) {
    std::size_t slash = at;
    while (slash > begin && text[slash - 1] == '\\') --slash;
    if ((at - slash) % 2 == 0) return at + 1;
  }
  return at;
}

}  // namespace

std::size_t JsonScan::skip_value(std::string_view text, std::size_t at) {
  at = skip_blanks(text, at);
  if (at >= text.size()) return std::string_view::npos;
  if (text[at] == '"') return skip_string(text, at);
  if (text[at] != '{' && text[at] != '[') return std::min(text.find_first_of(",]} \n\t\r", at), text.size());
  for (std::size_t depth = 0; at < text.size();) {
    switch (text[at]) {
      case '"':
        at = skip_string(text, at);
        continue;
      case '{':
      case '[':
        ++depth;
        break;
      case '}':
      case ']':
        if (--depth == 0) return at + 1;
        break;
      default:
        break;
    }
    ++at;
  }
  return std::string_view::npos;
}

bool JsonScan::open(std::size_t at) {
  at_ = skip_blanks(text_, at);
  first_ = true;
  close_ = std::string_view::npos;
  if (at_ >= text_.size() || text_[at_] != '{') return false;
  ++at_;
  return true;
}

bool JsonScan::next(Member& member) {
  at_ = skip_blanks(text_, at_);
  if (at_ >= text_.size()) return false;
  if (text_[at_] == '}') {
    close_ = at_;
    return false;
  }
  if (!first_) {
    if (text_[at_] != ',') return false;
    at_ = skip_blanks(text_, at_ + 1);
  }
  first_ = false;
  if (at_ >= text_.size() || text_[at_] != '"') return false;
  member.begin = at_;
  const std::size_t key_end = skip_string(text_, at_);
  if (key_end == std::string_view::npos) return false;
  member.key = text_.substr(at_ + 1, key_end - at_ - 2);
  at_ = skip_blanks(text_, key_end);
  if (at_ >= text_.size() || text_[at_] != ':') return false;
  member.value = skip_blanks(text_, at_ + 1);
  member.end = skip_value(text_, member.value);
  if (member.end == std::string_view::npos) return false;
  at_ = member.end;
  return true;
}

std::string_view json_at(std::string_view text, std::string_view path) {
  std::size_t at = 0;
  while (true) {
    const std::size_t dot = path.find('.');
    const std::string_view step = path.substr(0, dot);
    JsonScan scan(text);
    JsonScan::Member member;
    if (!scan.open(at)) return {};
    bool found = false;
    while (!found && scan.next(member)) found = member.key == step;
    if (!found) return {};
    if (dot == std::string_view::npos) return text.substr(member.value, member.end - member.value);
    at = member.value;
    path.remove_prefix(dot + 1);
  }
}

}  // namespace coracle::kube::apiserver
