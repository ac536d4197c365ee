#include "charts/internal/regex.h"

#include <re2/re2.h>

#include <functional>
#include <map>

#include "base/utf8.h"
#include "charts/template/bounded_text.h"

namespace coracle::charts {
namespace {

constexpr std::size_t kMaxPattern = 64 * 1024;
constexpr std::int64_t kMaxMemory = 16 * 1024 * 1024;

using Groups = std::vector<re2::StringPiece>;

std::string_view text_of_group(const re2::StringPiece& piece) {
  return piece.data() == nullptr ? std::string_view() : std::string_view(piece.data(), piece.size());
}

// A search for one match may go through the rest of the text, and in the worst case through the whole program for each
// character.
Result<void> count_search(StepCounter& steps, const re2::RE2& expression, std::size_t size) {
  constexpr std::uint64_t kInstructionsOfStep = 256;
  return steps.count(1 + size * static_cast<std::uint64_t>(expression.ProgramSize()) / kInstructionsOfStep);
}

// Calls `visit` with the groups of each match; it answers false to stop.
Result<void> each_match(const re2::RE2& expression, std::string_view text, StepCounter& steps,
                        const std::function<Result<bool>(const Groups&)>& visit) {
  constexpr std::size_t kRestOfStep = 1024 * 1024;
  TRY(count_search(steps, expression, text.size()));
  const re2::StringPiece input(text.data(), text.size());
  Groups groups(static_cast<std::size_t>(expression.NumberOfCapturingGroups()) + 1);
  std::size_t at = 0;
  std::size_t previous_end = std::string_view::npos;
  while (at <= text.size()) {
    // Most matches are near: what they leave of the text is counted for those that have looked at all of it.
    TRY(steps.count(1 + (text.size() - at) / kRestOfStep));
    TRY(steps.count_items(groups.size()));
    if (!expression.Match(input, at, text.size(), re2::RE2::UNANCHORED, groups.data(),
                          static_cast<int>(groups.size()))) {
      break;
    }
    const auto begin = static_cast<std::size_t>(groups[0].data() - text.data());
    const std::size_t end = begin + groups[0].size();
    // An empty match right after the last one does not count.
    const bool accepted = end > begin || begin != previous_end;
    if (accepted) {
      ASSIGN_OR_RETURN(const bool more, visit(groups));
      if (!more) break;
      previous_end = end;
    }
    at = end;
    if (end == begin) at += end < text.size() ? decode_rune(text.substr(end)).length : 1;
  }
  return {};
}

bool is_name_character(char c) {
  return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Reads the name after a '$'; answers how much it used, 0 when there is none.
std::size_t group_name(std::string_view text, std::string_view& name) {
  const bool braces = text.starts_with('{');
  std::size_t end = braces ? 1 : 0;
  while (end < text.size() && is_name_character(text[end])) ++end;
  name = text.substr(braces ? 1 : 0, end - (braces ? 1 : 0));
  if (name.empty()) return 0;
  if (!braces) return end;
  return end < text.size() && text[end] == '}' ? end + 1 : 0;
}

}  // namespace

struct Regex::State {
  explicit State(const std::string& source, const re2::RE2::Options& options)
      : expression(source, options), pattern(source) {}

  Result<void> expand(BoundedText& out, std::string_view replacement, const Groups& groups) const {
    while (!replacement.empty()) {
      const std::size_t dollar = replacement.find('$');
      TRY(out.append(replacement.substr(0, dollar)));
      if (dollar == std::string_view::npos) return {};
      replacement.remove_prefix(dollar + 1);
      if (replacement.starts_with('$')) {
        TRY(out.append("$"));
        replacement.remove_prefix(1);
        continue;
      }
      std::string_view name;
      const std::size_t used = group_name(replacement, name);
      if (used == 0) {
        TRY(out.append("$"));
        continue;
      }
      replacement.remove_prefix(used);
      std::size_t index = groups.size();
      if (name.find_first_not_of("0123456789") == std::string_view::npos && name.size() < 5) {
        index = static_cast<std::size_t>(std::stoi(std::string(name)));
      } else if (const auto found = expression.NamedCapturingGroups().find(std::string(name));
                 found != expression.NamedCapturingGroups().end()) {
        index = static_cast<std::size_t>(found->second);
      }
      if (index < groups.size()) TRY(out.append(text_of_group(groups[index])));
    }
    return {};
  }

  // The text with each match as `write` writes it.
  template <class Write>
  Result<std::string> replace(std::string_view text, StepCounter& steps, Write write) const {
    BoundedText out;
    std::size_t at = 0;
    TRY(each_match(expression, text, steps, [&](const Groups& groups) -> Result<bool> {
      const auto begin = static_cast<std::size_t>(groups[0].data() - text.data());
      TRY(out.append(text.substr(at, begin - at)));
      TRY(write(out, groups));
      at = begin + groups[0].size();
      return true;
    }));
    TRY(out.append(text.substr(at)));
    return out.take();
  }

  re2::RE2 expression;
  std::string pattern;
};

Regex::Regex(std::unique_ptr<State> state) : state_(std::move(state)) {}
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

Result<Regex> Regex::compile(const std::string& pattern, StepCounter& steps) {
  TRY(steps.count(1 + pattern.size() / 4));
  if (pattern.size() > kMaxPattern) return bad_request("error parsing regexp: expression too large");
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMaxMemory);
  auto state = std::make_unique<State>(pattern, options);
  if (!state->expression.ok()) {
    // RE2 appends ": fragment"; Go quotes it, and words one message differently.
    std::string message = state->expression.error();
    const std::string& fragment = state->expression.error_arg();
    if (message.ends_with(": " + fragment)) message.resize(message.size() - fragment.size() - 2);
    if (message == "missing )") message = "missing closing )";
    return bad_request("error parsing regexp: " + message + ": `" + fragment + "`");
  }
  TRY(steps.count_items(static_cast<std::uint64_t>(state->expression.ProgramSize())));
  return Regex(std::move(state));
}

Result<bool> Regex::matches(std::string_view text, StepCounter& steps) const {
  TRY(count_search(steps, state_->expression, text.size()));
  const re2::StringPiece input(text.data(), text.size());
  return state_->expression.Match(input, 0, text.size(), re2::RE2::UNANCHORED, nullptr, 0);
}

Result<std::vector<Regex::Match>> Regex::find_all(std::string_view text, int limit, StepCounter& steps) const {
  std::vector<Match> found;
  if (limit == 0) return found;
  TRY(each_match(state_->expression, text, steps, [&](const Groups& groups) -> Result<bool> {
    if (found.size() >= kMaxItems) return result_too_large();
    const auto begin = static_cast<std::size_t>(groups[0].data() - text.data());
    found.push_back({begin, begin + groups[0].size()});
    return limit < 0 || found.size() < static_cast<std::size_t>(limit);
  }));
  return found;
}

Result<std::string> Regex::replace_all(std::string_view text, std::string_view replacement, StepCounter& steps) const {
  return state_->replace(text, steps, [&](BoundedText& out, const Groups& groups) -> Result<void> {
    TRY(steps.count_bytes(replacement.size()));
    return state_->expand(out, replacement, groups);
  });
}

Result<std::string> Regex::replace_all_literal(std::string_view text, std::string_view replacement,
                                               StepCounter& steps) const {
  return state_->replace(text, steps, [&](BoundedText& out, const Groups&) { return out.append(replacement); });
}

Result<std::vector<std::string>> Regex::split(std::string_view text, int limit, StepCounter& steps) const {
  std::vector<std::string> pieces;
  if (limit == 0) return pieces;
  if (!state_->pattern.empty() && text.empty()) return std::vector<std::string>{""};
  std::size_t begin = 0;
  std::size_t end = 0;
  ASSIGN_OR_RETURN(const auto found, find_all(text, limit, steps));
  for (const Match& match : found) {
    if (limit > 0 && pieces.size() + 1 == static_cast<std::size_t>(limit)) break;
    end = match.begin;
    if (match.end != 0) pieces.emplace_back(text.substr(begin, end - begin));
    begin = match.end;
  }
  if (end != text.size()) pieces.emplace_back(text.substr(begin));
  return pieces;
}

std::string Regex::quote(std::string_view text) {
  constexpr std::string_view kSpecial = "\\.+*?()|[]{}^$";
  std::string out;
  for (const char c : text) {
    if (kSpecial.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

}  // namespace coracle::charts
