// sprig's string functions.

#include <algorithm>
#include <bitset>

#include "base/random.h"
#include "base/text.h"
#include "base/tls/crypto.h"
#include "base/utf8.h"
#include "charts/functions/case_words.h"
#include "charts/functions/convert.h"
#include "charts/template/bounded_text.h"
#include "charts/template/evaluator.h"
#include "charts/template/function.h"
#include "charts/template/go_format.h"
#include "charts/template/go_quote.h"

namespace coracle::charts {
namespace {

using Output = Result<GoValue>;

constexpr std::string_view kBlanks = " \t\n\v\f\r";

std::string trim_set(std::string_view value, std::string_view set) {
  std::bitset<256> trimmed;
  for (const char c : set) trimmed.set(static_cast<unsigned char>(c));
  const auto goes = [&](char c) { return trimmed.test(static_cast<unsigned char>(c)); };
  while (!value.empty() && goes(value.front())) value.remove_prefix(1);
  while (!value.empty() && goes(value.back())) value.remove_suffix(1);
  return std::string(value);
}

std::size_t count_texts(std::string_view value, std::string_view what) {
  std::size_t count = 0;
  for (std::size_t at = find_text(value, what); at != std::string_view::npos; ++count) {
    at = find_text(value, what, at + what.size());
  }
  return count;
}

Output replace_text(std::string_view value, std::string_view from, std::string_view to) {
  if (!from.empty()) {
    if (!to.empty() && count_texts(value, from) > kMaxText / to.size()) return result_too_large();
    return GoValue::string(replace_all(value, from, to));
  }
  // Go puts the replacement before every character and at the end.
  BoundedText out;
  TRY(out.append(to));
  while (!value.empty()) {
    const std::size_t length = decode_rune(value).length;
    TRY(out.append(value.substr(0, length)));
    TRY(out.append(to));
    value.remove_prefix(length);
  }
  return GoValue::string(out.take());
}

Error negative_repeat() {
  return bad_request("strings: negative Repeat count");
}

Output indented(const Call& call, std::string_view before) {
  if (call.integer(0) < 0) return negative_repeat();
  const auto blanks = static_cast<std::size_t>(call.integer(0));
  const std::string& value = call.text(1);
  const std::size_t lines = 1 + static_cast<std::size_t>(std::count(value.begin(), value.end(), '\n'));
  if (blanks > kMaxText / lines) return result_too_large();
  const std::string pad(blanks, ' ');
  return GoValue::string(std::string(before) + pad + replace_all(value, "\n", "\n" + pad));
}

Output string_indent(const Call& call) {
  return indented(call, "");
}
Output string_nindent(const Call& call) {
  return indented(call, "\n");
}

Output string_trunc(const Call& call) {
  const std::string& value = call.text(1);
  const std::int64_t count = call.integer(0);
  const auto size = static_cast<std::int64_t>(value.size());
  if (count < 0 && size + count > 0) return GoValue::string(value.substr(static_cast<std::size_t>(size + count)));
  if (count >= 0 && size > count) return GoValue::string(value.substr(0, static_cast<std::size_t>(count)));
  return call[1];
}

Error out_of_bounds(const std::string& range) {
  return bad_request("runtime error: slice bounds out of range [" + range);
}

Output string_substr(const Call& call) {
  const std::string& value = call.text(2);
  const auto size = static_cast<std::int64_t>(value.size());
  const std::int64_t start = call.integer(0);
  const std::int64_t end = call.integer(1);
  if (start < 0) {
    if (end < 0) return out_of_bounds(":" + std::to_string(end) + "]");
    if (end > size) return out_of_bounds(":" + std::to_string(end) + "] with length " + std::to_string(size));
    return GoValue::string(value.substr(0, static_cast<std::size_t>(end)));
  }
  const std::int64_t stop = end < 0 || end > size ? size : end;
  if (start > stop) return out_of_bounds(std::to_string(start) + ":" + std::to_string(stop) + "]");
  return GoValue::string(value.substr(static_cast<std::size_t>(start), static_cast<std::size_t>(stop - start)));
}

Output string_repeat(const Call& call) {
  if (call.integer(0) < 0) return negative_repeat();
  const auto count = static_cast<std::size_t>(call.integer(0));
  if (count == 0 || call.text(1).empty()) return GoValue::string("");
  if (call.text(1).size() > kMaxText / count) return bad_request("strings: Repeat output length overflow");
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += call.text(1);
  return GoValue::string(std::move(out));
}

Output string_abbrev(const Call& call) {
  const std::string& value = call.text(1);
  const std::int64_t width = call.integer(0);
  if (width < 4 || static_cast<std::int64_t>(value.size()) <= width) return call[1];
  return GoValue::string(value.substr(0, static_cast<std::size_t>(width - 3)) + "...");
}

Output string_abbrevboth(const Call& call) {
  const std::string& value = call.text(2);
  const auto size = static_cast<std::int64_t>(value.size());
  std::int64_t offset = call.integer(0);
  const std::int64_t width = call.integer(1);
  if (width < 4 || (offset > 0 && width < 7) || size <= width) return call[2];
  offset = std::min(offset, size);
  // Go's integers wrap around: so far to the left that the difference does is as far as to the right.
  std::int64_t left = 0;
  if (__builtin_sub_overflow(size, offset, &left) || left < width - 3) offset = size - (width - 3);
  if (offset <= 4) return GoValue::string(value.substr(0, static_cast<std::size_t>(width - 3)) + "...");
  if (offset + width - 3 < size) {
    return GoValue::string("..." + value.substr(static_cast<std::size_t>(offset), static_cast<std::size_t>(width - 6)) +
                           "...");
  }
  return GoValue::string("..." + value.substr(static_cast<std::size_t>(size - (width - 3))));
}

// The arguments that are not nil, printed one after another.
Output print_all(const Call& call, std::string (*print)(const GoValue&)) {
  BoundedText out;
  for (const GoValue& arg : call.args) {
    if (!arg.is_nil()) TRY(out.append_after(" ", print(arg)));
  }
  return GoValue::string(out.take());
}

Output string_quote(const Call& call) {
  return print_all(call, [](const GoValue& arg) { return go_quote(to_text(arg)); });
}

Output string_squote(const Call& call) {
  return print_all(call, [](const GoValue& arg) { return "'" + go_print(arg) + "'"; });
}

Output string_cat(const Call& call) {
  return print_all(call, go_print);
}

// Cuts a text at a separator, at most `limit` pieces when it is not negative.
Result<std::vector<std::string>> cut(std::string_view value, std::string_view separator, std::int64_t limit = -1) {
  std::vector<std::string> pieces;
  if (limit == 0) return pieces;
  while (limit < 0 || static_cast<std::int64_t>(pieces.size()) < limit - 1) {
    if (pieces.size() >= kMaxItems) return result_too_large();
    std::size_t at = find_text(value, separator);
    // Without a separator every character is a piece.
    if (separator.empty()) at = value.empty() ? std::string_view::npos : decode_rune(value).length;
    if (at == std::string_view::npos) break;
    pieces.emplace_back(value.substr(0, at));
    value.remove_prefix(at + separator.size());
  }
  if (!separator.empty() || !value.empty()) pieces.emplace_back(value);
  return pieces;
}

Output numbered(Result<std::vector<std::string>> cut) {
  ASSIGN_OR_RETURN(const std::vector<std::string> pieces, std::move(cut));
  auto dict = std::make_shared<GoDict>();
  dict->named = GoDict::Named::StringMap;
  for (std::size_t i = 0; i < pieces.size(); ++i) dict->set("_" + std::to_string(i), GoValue::string(pieces[i]));
  return GoValue::dict(std::move(dict));
}

Output list_of(Result<std::vector<std::string>> texts) {
  ASSIGN_OR_RETURN(const std::vector<std::string> items, std::move(texts));
  return GoValue::strings(items);
}

Output string_join(const Call& call) {
  ASSIGN_OR_RETURN(const std::vector<std::string> texts, to_texts(call[1]));
  BoundedText out;
  for (const std::string& piece : texts) TRY(out.append_after(call.text(0), piece));
  return GoValue::string(out.take());
}

Output string_sort_alpha(const Call& call) {
  ASSIGN_OR_RETURN(std::vector<std::string> texts, to_texts(call[0]));
  if (call[0].is_nil()) texts.push_back(to_text(call[0]));
  std::sort(texts.begin(), texts.end());
  return GoValue::strings(texts);
}

Output string_initials(const Call& call) {
  std::string out;
  bool start = true;
  for (std::string_view rest = call.text(0); !rest.empty();) {
    const Rune rune = decode_rune(rest);
    const bool blank = rune.value < 0x80 && kBlanks.find(static_cast<char>(rune.value)) != std::string_view::npos;
    if (start && !blank) out.append(rest.substr(0, rune.length));
    start = blank;
    rest.remove_prefix(rune.length);
  }
  return GoValue::string(std::move(out));
}

Output string_nospace(const Call& call) {
  std::string out = call.text(0);
  std::erase_if(out, [](char c) { return kBlanks.find(c) != std::string_view::npos; });
  return GoValue::string(std::move(out));
}

// Greedy wrapping at blanks; words longer than the width are cut only when `cut_words`.
Output wrap_text(std::string_view value, std::int64_t width, std::string_view newline, bool cut_words) {
  BoundedText out;
  const auto limit = static_cast<std::size_t>(std::max<std::int64_t>(width, 1));
  const auto take_line = [&](std::size_t size, std::size_t blanks) -> Result<void> {
    TRY(out.append(value.substr(0, size)));
    value.remove_prefix(size + blanks);
    return out.append(newline);
  };
  while (value.size() > limit) {
    if (value[0] == ' ') {
      value.remove_prefix(1);
      continue;
    }
    const std::size_t blank = value.rfind(' ', limit);
    if (blank != std::string_view::npos && blank > 0) {
      TRY(take_line(blank, 1));
    } else if (cut_words) {
      TRY(take_line(limit, 0));
    } else {
      const std::size_t next = value.find(' ', limit);
      if (next == std::string_view::npos) break;
      TRY(take_line(next, 1));
    }
  }
  TRY(out.append(value));
  return GoValue::string(out.take());
}

Output string_random(const Call& call, std::string_view alphabet) {
  if (call.integer(0) > 1'000'000) return bad_request("a random text of more than 1000000 characters");
  std::string out;
  Random& random = call.evaluator.environment().random;
  for (std::int64_t i = 0; i < call.integer(0); ++i) out += alphabet[random.below(alphabet.size())];
  return GoValue::string(std::move(out));
}

Output string_rand_ascii(const Call& call) {
  std::string alphabet;
  for (char c = ' '; c < 0x7f; ++c) alphabet += c;
  return string_random(call, alphabet);
}

Output string_shuffle(const Call& call) {
  std::string out = call.text(0);
  for (std::size_t i = out.size(); i > 1; --i) std::swap(out[i - 1], out[call.evaluator.environment().random.below(i)]);
  return GoValue::string(std::move(out));
}

Output string_adler32(const Call& call) {
  std::uint32_t a = 1;
  std::uint32_t b = 0;
  for (const char c : call.text(0)) {
    a = (a + static_cast<unsigned char>(c)) % 65521;
    b = (b + a) % 65521;
  }
  return GoValue::string(std::to_string((b << 16) | a));
}

bool has_prefix(std::string_view value, std::string_view prefix) {
  return value.starts_with(prefix);
}

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view kAlphaNumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

constexpr Function kStrings[] = {
    {"abbrev", "is", string_abbrev},
    {"abbrevboth", "iis", string_abbrevboth},
    {"trunc", "is", string_trunc},
    {"trim", "s", [](const Call& c) -> Output { return GoValue::string(trim_set(c.text(0), kBlanks)); }},
    {"upper", "s", [](const Call& c) -> Output { return GoValue::string(upper_text(c.text(0))); }},
    {"lower", "s", [](const Call& c) -> Output { return GoValue::string(lower_text(c.text(0))); }},
    {"title", "s", [](const Call& c) -> Output { return GoValue::string(title_text(c.text(0))); }},
    {"untitle", "s", [](const Call& c) -> Output { return GoValue::string(untitle_text(c.text(0))); }},
    {"substr", "iis", string_substr},
    {"repeat", "is", string_repeat},
    {"trimAll", "ss", [](const Call& c) -> Output { return GoValue::string(trim_set(c.text(1), c.text(0))); }},
    {"trimall", "ss", [](const Call& c) -> Output { return GoValue::string(trim_set(c.text(1), c.text(0))); }},
    {"trimSuffix", "ss",
     [](const Call& c) -> Output {
       if (c.text(0).empty() || !c.text(1).ends_with(c.text(0))) return c[1];
       return GoValue::string(c.text(1).substr(0, c.text(1).size() - c.text(0).size()));
     }},
    {"trimPrefix", "ss",
     [](const Call& c) -> Output {
       if (!has_prefix(c.text(1), c.text(0))) return c[1];
       return GoValue::string(c.text(1).substr(c.text(0).size()));
     }},
    {"nospace", "s", string_nospace},
    {"initials", "s", string_initials},
    {"randAlphaNum", "i", [](const Call& c) -> Output { return string_random(c, kAlphaNumeric); }},
    {"randAlpha", "i", [](const Call& c) -> Output { return string_random(c, kLetters); }},
    {"randNumeric", "i", [](const Call& c) -> Output { return string_random(c, kDigits); }},
    {"randAscii", "i", string_rand_ascii},
    {"swapcase", "s", [](const Call& c) -> Output { return GoValue::string(swap_case(c.text(0))); }},
    {"shuffle", "s", string_shuffle},
    {"snakecase", "s", [](const Call& c) -> Output { return GoValue::string(snake_case(c.text(0), '_')); }},
    {"kebabcase", "s", [](const Call& c) -> Output { return GoValue::string(snake_case(c.text(0), '-')); }},
    {"camelcase", "s", [](const Call& c) -> Output { return GoValue::string(pascal_case(c.text(0))); }},
    {"wrap", "is", [](const Call& c) { return wrap_text(c.text(1), c.integer(0), "\n", false); }},
    {"wrapWith", "iss", [](const Call& c) { return wrap_text(c.text(2), c.integer(0), c.text(1), true); }},
    {"contains", "ss",
     [](const Call& c) -> Output { return GoValue::boolean(find_text(c.text(1), c.text(0)) != std::string::npos); }},
    {"hasPrefix", "ss", [](const Call& c) -> Output { return GoValue::boolean(has_prefix(c.text(1), c.text(0))); }},
    {"hasSuffix", "ss", [](const Call& c) -> Output { return GoValue::boolean(c.text(1).ends_with(c.text(0))); }},
    {"quote", "a*", string_quote},
    {"squote", "a*", string_squote},
    {"cat", "a*", string_cat},
    {"indent", "is", string_indent},
    {"nindent", "is", string_nindent},
    {"replace", "sss", [](const Call& c) { return replace_text(c.text(2), c.text(0), c.text(1)); }},
    {"plural", "ssi", [](const Call& c) -> Output { return c.integer(2) == 1 ? c[0] : c[1]; }},
    {"toString", "a", [](const Call& c) -> Output { return GoValue::string(to_text(c[0])); }},
    {"toStrings", "a", [](const Call& c) { return list_of(to_texts(c[0])); }},
    {"sha1sum", "s", [](const Call& c) -> Output { return GoValue::string(crypto::sha1_hex(c.text(0))); }},
    {"sha256sum", "s", [](const Call& c) -> Output { return GoValue::string(crypto::sha256_hex(c.text(0))); }},
    {"sha512sum", "s", [](const Call& c) -> Output { return GoValue::string(crypto::sha512_hex(c.text(0))); }},
    {"adler32sum", "s", string_adler32},
    {"split", "ss", [](const Call& c) { return numbered(cut(c.text(1), c.text(0))); }},
    {"splitn", "sis", [](const Call& c) { return numbered(cut(c.text(2), c.text(0), c.integer(1))); }},
    {"splitList", "ss", [](const Call& c) { return list_of(cut(c.text(1), c.text(0))); }},
    {"join", "sa", string_join},
    {"sortAlpha", "a", string_sort_alpha},
    {"hello", "", [](const Call&) -> Output { return GoValue::string("Hello!"); }},
};

}  // namespace

std::span<const Function> string_functions() {
  return kStrings;
}

}  // namespace coracle::charts
