#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "base/json/json.h"
#include "base/utf8.h"
#include "base/yaml/internal/scalar.h"
#include "base/yaml/yaml.h"

namespace coracle::yaml {
namespace {

// What tells the two writers apart.
struct Dialect {
  std::size_t width;      // a line longer than this is folded at its next single blank
  bool indent_sequences;  // a sequence inside a mapping stands two further in
  bool tabs_are_printable;
  bool quote_merge_key;      // "<<"
  bool floats_through_json;  // an integral float prints as an integer
};

constexpr Dialect kPlainDialect = {80, false, false, false, true};
constexpr Dialect kPrettyDialect = {std::numeric_limits<std::size_t>::max(), true, true, true, false};

constexpr std::size_t kIndent = 2;
constexpr std::size_t kMaxSimpleKeyBytes = 128;

bool is_break(std::uint32_t code) {
  return code == '\n' || code == '\r' || code == 0x85 || code == 0x2028 || code == 0x2029;
}

// Bytes of the line break that ends the text; 0 without one.
std::size_t trailing_break_bytes(std::string_view text) {
  for (const std::string_view ending : {"\n", "\r", "\xC2\x85", "\xE2\x80\xA8", "\xE2\x80\xA9"}) {
    if (text.size() >= ending.size() && text.substr(text.size() - ending.size()) == ending) return ending.size();
  }
  return 0;
}

// What may stand in a line as it is: everything beyond the basic plane is escaped, as go-yaml does.
bool is_printable(std::uint32_t code, bool tabs) {
  return code == '\n' || (tabs && code == '\t') || (code >= 0x20 && code <= 0x7E) || (code >= 0xA0 && code <= 0xD7FF) ||
         (code >= 0xE000 && code <= 0xFFFD && code != 0xFEFF);
}

// Which notations a text allows, by the rules of YAML's block context.
struct Analysis {
  bool multiline = false;
  bool plain = true;
  bool single_quoted = true;
  bool literal = true;
};

// Where one character stands: what is before and after it decides what ':' and '#' mean.
struct Place {
  std::uint32_t code;
  bool first;
  bool after_blank;
  bool before_blank;
};

bool needs_quotes(const Place& place) {
  if (place.first) {
    static constexpr std::string_view kIndicators = "#,[]{}&*!|>'\"%@`";
    if (place.code < 0x80 && kIndicators.find(static_cast<char>(place.code)) != std::string_view::npos) return true;
    return (place.code == '-' || place.code == '?' || place.code == ':') && place.before_blank;
  }
  return (place.code == ':' && place.before_blank) || (place.code == '#' && place.after_blank);
}

Analysis analyse(std::string_view text, const Dialect& dialect) {
  Analysis result;
  if (text.empty()) {
    result.literal = false;
    return result;
  }
  bool indicators = text.substr(0, 3) == "---" || text.substr(0, 3) == "...";
  bool tab = false, special = false, breaks = false, blank_break = false, break_blank = false;
  bool edge_blank = text.front() == ' ' || text.back() == ' ';
  bool trailing_blank = text.back() == ' ';
  bool previous_blank = false, previous_break = false, after_white = true;
  bool edge_break = false;
  for (std::size_t at = 0; at < text.size();) {
    const Rune here = decode_rune(text.substr(at));
    const std::size_t next = at + here.length;
    const std::uint32_t following = next < text.size() ? decode_rune(text.substr(next)).value : '\n';
    const bool before_white = following == ' ' || following == '\t' || is_break(following);
    if (needs_quotes({here.value, at == 0, after_white, before_white})) indicators = true;
    if (!is_printable(here.value, dialect.tabs_are_printable)) special = true;
    if (here.value == '\t') tab = true;
    const bool line_break = is_break(here.value);
    if (line_break) {
      breaks = true;
      if (previous_blank) blank_break = true;
      if (at == 0 || next == text.size()) edge_break = true;
    } else if (here.value == ' ' && previous_break) {
      break_blank = true;
    }
    previous_blank = here.value == ' ';
    previous_break = line_break;
    after_white = here.value == ' ' || here.value == '\t' || line_break;
    at = next;
  }
  result.multiline = breaks;
  result.plain = !(indicators || edge_blank || edge_break || blank_break || special || breaks || tab);
  result.single_quoted = !(blank_break || break_blank || special || tab);
  result.literal = !(trailing_blank || blank_break || special);
  return result;
}

enum class Style : std::uint8_t { Plain, Single, Double, Literal };

bool reads_back_as_text(std::string_view text, const Dialect& dialect) {
  const internal::ScalarTag tag = internal::resolve_plain(text).tag;
  if (tag == internal::ScalarTag::Merge) return !dialect.quote_merge_key;
  return tag == internal::ScalarTag::String && !internal::looks_sexagesimal(text);
}

// Unicode's letters by block: Latin-1 exactly, above it everything but combining marks, punctuation, symbols,
// private use and pictographs. Only the order of keys depends on it.
bool is_letter(std::uint32_t c) {
  if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  if (c < 0x100) return c == 0xAA || c == 0xB5 || c == 0xBA || (c >= 0xC0 && c != 0xD7 && c != 0xF7);
  const bool mark = c >= 0x300 && c <= 0x36F;
  const bool symbol = (c >= 0x2000 && c <= 0x2BFF) || (c >= 0x3000 && c <= 0x3004) || (c >= 0x3007 && c <= 0x3030);
  const bool unassigned = (c >= 0xE000 && c <= 0xF8FF) || (c >= 0xFE00 && c <= 0xFE6F) || c == 0xFEFF || c == 0xFFFD;
  return !(mark || symbol || unassigned || (c >= 0x1D000 && c <= 0x1FFFF) || c >= 0xE0000);
}

// Digits compare as numbers, letters come after everything else, the rest by code point.
bool natural_less(std::string_view a, std::string_view b) {
  const auto is_digit = [](std::uint32_t c) { return c >= '0' && c <= '9'; };
  std::size_t i = 0, j = 0;
  bool in_digits = false;
  while (i < a.size() && j < b.size()) {
    const Rune left = decode_rune(a.substr(i)), right = decode_rune(b.substr(j));
    if (left.value == right.value) {
      in_digits = is_digit(left.value);
      i += left.length;
      j += right.length;
      continue;
    }
    const bool left_letter = is_letter(left.value), right_letter = is_letter(right.value);
    if (left_letter && right_letter) return left.value < right.value;
    if (left_letter || right_letter) return in_digits ? left_letter : right_letter;
    // A zero at the start of either number makes the other digits after it decide.
    std::size_t left_end = i, right_end = j;
    std::uint64_t left_number = 0, right_number = 0;
    if (left.value == '0' || right.value == '0') {
      for (std::size_t k = i; k > 0 && is_digit(static_cast<unsigned char>(a[k - 1])); --k) {
        if (a[k - 1] != '0') {
          left_number = right_number = 1;
          break;
        }
      }
    }
    while (left_end < a.size() && is_digit(static_cast<unsigned char>(a[left_end]))) {
      left_number = left_number * 10 + static_cast<std::uint64_t>(a[left_end++] - '0');
    }
    while (right_end < b.size() && is_digit(static_cast<unsigned char>(b[right_end]))) {
      right_number = right_number * 10 + static_cast<std::uint64_t>(b[right_end++] - '0');
    }
    if (left_number != right_number) return left_number < right_number;
    if (left_end - i != right_end - j) return left_end - i < right_end - j;
    return left.value < right.value;
  }
  return a.size() - i < b.size() - j;
}

class Emitter {
 public:
  explicit Emitter(const Dialect& dialect) : dialect_(dialect) {}

  std::string document(const Value& value) {
    node(value, 0, Position::Root);
    end_line();
    return std::move(out_);
  }

 private:
  enum class Position : std::uint8_t {
    Root,
    MappingValue,  // after "key:"
    SequenceItem,  // after "-"
    ComplexValue,  // after ": " that stands alone
  };

  void node(const Value& value, std::size_t indent, Position position);
  void mapping(const Value& value, std::size_t indent, Position position);
  void sequence(const Value& value, std::size_t indent, Position position);
  void text(std::string_view text, std::size_t indent, bool simple_key);
  std::string number(const Value& value) const;
  Style style_of(std::string_view text, bool simple_key) const;

  void plain(std::string_view text, std::size_t indent, bool may_fold);
  void single_quoted(std::string_view text, std::size_t indent, bool may_fold);
  void double_quoted(std::string_view text, std::size_t indent, bool may_fold);
  void literal(std::string_view text, std::size_t indent);
  void escape(std::uint32_t code);

  void put(char c) {
    out_ += c;
    ++column_;
  }
  void put(std::string_view bytes, std::size_t columns) {
    out_ += bytes;
    column_ += columns;
  }
  void newline() {
    out_ += '\n';
    column_ = 0;
  }
  void end_line() {
    if (column_ != 0) newline();
  }
  // Ends the line unless only indentation stands on it, and indents.
  void start_line(std::size_t indent) {
    if (!(fresh_ && column_ == indent)) end_line();
    while (column_ < indent) put(' ');
    fresh_ = true;
  }
  // An entry of a mapping or a sequence; the first one inside "- " or ": " stands on the same line.
  void start_entry(std::size_t indent, Position position) {
    if (position != Position::SequenceItem && position != Position::ComplexValue) return start_line(indent);
    separate();
    fresh_ = true;
  }
  void separate() {
    if (!out_.empty() && column_ != 0 && out_.back() != ' ') put(' ');
  }

  const Dialect dialect_;
  std::string out_;
  std::size_t column_ = 0;
  bool fresh_ = true;  // nothing but indentation and indicators on this line
};

void Emitter::node(const Value& value, std::size_t indent, Position position) {
  switch (value.kind()) {
    case Value::Kind::Object:
      if (!value.empty()) return mapping(value, indent, position);
      separate();
      put("{}", 2);
      break;
    case Value::Kind::Array:
      if (!value.empty()) return sequence(value, indent, position);
      separate();
      put("[]", 2);
      break;
    case Value::Kind::String:
      separate();
      text(value.as_string(), position == Position::Root ? kIndent : indent + kIndent, false);
      break;
    default: {
      separate();
      const std::string shown = number(value);
      put(shown, shown.size());
    }
  }
  fresh_ = false;
}

std::string Emitter::number(const Value& value) const {
  switch (value.kind()) {
    case Value::Kind::Bool:
      return value.as_bool() ? "true" : "false";
    case Value::Kind::Int:
      return std::to_string(value.as_int());
    case Value::Kind::Double:
      break;
    default:
      return "null";
  }
  const double number = value.as_double();
  if (std::isnan(number)) return ".nan";
  if (std::isinf(number)) return number > 0 ? ".inf" : "-.inf";
  constexpr double kIntegerLimit = 18446744073709551616.0;  // what go-yaml reads as an integer
  const bool integral = number == std::floor(number) && number < kIntegerLimit && number >= -kIntegerLimit / 2;
  if (dialect_.floats_through_json && integral) {
    std::string shown = json::format_double(number);
    return shown == "-0" ? "0" : shown;
  }
  return internal::format_g(number, 64);
}

void Emitter::mapping(const Value& value, std::size_t indent, Position position) {
  const std::size_t own = position == Position::Root ? 0 : indent + kIndent;
  std::vector<const Value::Member*> order;
  order.reserve(value.size());
  for (const Value::Member& member : value.members()) order.push_back(&member);
  std::sort(order.begin(), order.end(),
            [](const Value::Member* a, const Value::Member* b) { return natural_less(a->key, b->key); });
  bool first = true;
  for (const Value::Member* member : order) {
    start_entry(own, std::exchange(first, false) ? position : Position::MappingValue);
    const bool simple = member->key.size() <= kMaxSimpleKeyBytes && !analyse(member->key, dialect_).multiline;
    if (simple) {
      text(member->key, own + kIndent, true);
      put(':');
      fresh_ = false;
      node(member->value, own, Position::MappingValue);
    } else {
      put('?');
      put(' ');
      text(member->key, own + kIndent, false);
      start_line(own);
      put(':');
      node(member->value, own, Position::ComplexValue);
    }
  }
}

void Emitter::sequence(const Value& value, std::size_t indent, Position position) {
  std::size_t own = indent + kIndent;
  if (position == Position::Root) own = 0;
  if (position == Position::MappingValue && !dialect_.indent_sequences) own = indent;
  bool first = true;
  for (const Value& item : value.items()) {
    start_entry(own, std::exchange(first, false) ? position : Position::MappingValue);
    put('-');
    node(item, own, Position::SequenceItem);
  }
}

Style Emitter::style_of(std::string_view text, bool simple_key) const {
  const Analysis analysis = analyse(text, dialect_);
  if (text.find('\n') != std::string_view::npos) {
    return analysis.literal && !simple_key ? Style::Literal : Style::Double;
  }
  if (!reads_back_as_text(text, dialect_)) return Style::Double;
  if (simple_key && analysis.multiline) return Style::Double;
  if (analysis.plain) return Style::Plain;
  return analysis.single_quoted ? Style::Single : Style::Double;
}

void Emitter::text(std::string_view text, std::size_t indent, bool simple_key) {
  switch (style_of(text, simple_key)) {
    case Style::Plain:
      return plain(text, indent, !simple_key);
    case Style::Single:
      return single_quoted(text, indent, !simple_key);
    case Style::Double:
      return double_quoted(text, indent, !simple_key);
    case Style::Literal:
      return literal(text, indent);
  }
}

void Emitter::plain(std::string_view text, std::size_t indent, bool may_fold) {
  bool previous_blank = false;
  for (std::size_t at = 0; at < text.size();) {
    const Rune here = decode_rune(text.substr(at));
    const bool blank = here.value == ' ';
    const bool next_blank = at + 1 < text.size() && text[at + 1] == ' ';
    if (blank && may_fold && !previous_blank && column_ > dialect_.width && !next_blank) {
      fresh_ = false;
      start_line(indent);
    } else {
      put(here.valid() ? text.substr(at, here.length) : std::string_view("\xEF\xBF\xBD"), 1);
    }
    previous_blank = blank;
    at += here.length;
  }
  fresh_ = false;
}

void Emitter::single_quoted(std::string_view text, std::size_t indent, bool may_fold) {
  put('\'');
  bool previous_blank = false, previous_break = false;
  for (std::size_t at = 0; at < text.size();) {
    const Rune here = decode_rune(text.substr(at));
    const bool blank = here.value == ' ';
    const bool inside = at > 0 && at + 1 < text.size();
    const bool next_blank = at + 1 < text.size() && text[at + 1] == ' ';
    if (blank && may_fold && !previous_blank && column_ > dialect_.width && inside && !next_blank) {
      fresh_ = false;
      start_line(indent);
    } else if (is_break(here.value)) {
      put(text.substr(at, here.length), 0);
      column_ = 0;
    } else {
      if (previous_break) {
        while (column_ < indent) put(' ');
      }
      if (here.value == '\'') put('\'');
      put(here.valid() ? text.substr(at, here.length) : std::string_view("\xEF\xBF\xBD"), 1);
    }
    previous_blank = blank;
    previous_break = is_break(here.value);
    at += here.length;
  }
  put('\'');
  fresh_ = false;
}

void Emitter::escape(std::uint32_t code) {
  struct Named {
    std::uint32_t code;
    char letter;
  };
  static constexpr std::array kNamed = {
      Named{0x00, '0'},  Named{0x07, 'a'}, Named{0x08, 'b'}, Named{0x09, 't'},   Named{0x0A, 'n'},
      Named{0x0B, 'v'},  Named{0x0C, 'f'}, Named{0x0D, 'r'}, Named{0x1B, 'e'},   Named{'"', '"'},
      Named{'\\', '\\'}, Named{0x85, 'N'}, Named{0xA0, '_'}, Named{0x2028, 'L'}, Named{0x2029, 'P'},
  };
  put('\\');
  for (const Named& named : kNamed) {
    if (named.code == code) return put(named.letter);
  }
  const int digits = code <= 0xFF ? 2 : code <= 0xFFFF ? 4 : 8;
  put(digits == 2 ? 'x' : digits == 4 ? 'u' : 'U');
  for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) {
    put("0123456789ABCDEF"[(code >> static_cast<unsigned>(shift)) & 0xFU]);
  }
}

void Emitter::double_quoted(std::string_view text, std::size_t indent, bool may_fold) {
  put('"');
  bool previous_blank = false;
  for (std::size_t at = 0; at < text.size();) {
    const Rune here = decode_rune(text.substr(at));
    const bool blank = here.value == ' ';
    if (!is_printable(here.value, false) || is_break(here.value) || here.value == '"' || here.value == '\\') {
      escape(here.value);
    } else if (blank && may_fold && !previous_blank && column_ > dialect_.width && at > 0 && at + 1 < text.size()) {
      fresh_ = false;
      start_line(indent);
      // A blank at the start of a continuation line would be lost.
      if (text[at + 1] == ' ') put('\\');
    } else {
      put(here.valid() ? text.substr(at, here.length) : std::string_view("\xEF\xBF\xBD"), 1);
    }
    previous_blank = blank;
    at += here.length;
  }
  put('"');
  fresh_ = false;
}

void Emitter::literal(std::string_view text, std::size_t indent) {
  put('|');
  if (text[0] == ' ' || is_break(decode_rune(text).value)) put(static_cast<char>('0' + kIndent));
  const std::size_t last = trailing_break_bytes(text);
  if (last == 0) {
    put('-');
  } else if (text.size() == last || trailing_break_bytes(text.substr(0, text.size() - last)) != 0) {
    put('+');
  }
  newline();
  bool line_start = true;
  for (std::size_t at = 0; at < text.size();) {
    const Rune here = decode_rune(text.substr(at));
    if (here.value == '\n') {
      newline();
      line_start = true;
    } else if (is_break(here.value)) {
      put(text.substr(at, here.length), 0);
      column_ = 0;
      line_start = true;
    } else {
      if (line_start) {
        while (column_ < indent) put(' ');
      }
      put(here.valid() ? text.substr(at, here.length) : std::string_view("\xEF\xBF\xBD"), 1);
      line_start = false;
    }
    at += here.length;
  }
  fresh_ = false;
}

}  // namespace

std::string write(const Value& value) {
  return Emitter(kPlainDialect).document(value);
}

std::string write_pretty(const Value& value) {
  return Emitter(kPrettyDialect).document(value);
}

}  // namespace coracle::yaml
