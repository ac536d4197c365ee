#include "charts/template/go_format.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>

#include "base/utf8.h"
#include "charts/template/bounded_text.h"
#include "charts/template/go_quote.h"
#include "charts/template/go_time.h"

namespace coracle::charts {
namespace {

// Widths and precisions beyond this are ignored, as fmt does.
constexpr int kMaxWidth = 1'000'000;

struct Flags {
  std::optional<int> width;
  std::optional<int> precision;
  bool minus = false;
  bool plus = false;
  bool sharp = false;
  bool space = false;
  bool zero = false;
  bool plus_v = false;
  bool sharp_v = false;
};

class Formatter {
 public:
  std::string take() { return std::move(out_); }

  void printf(std::string_view format, std::span<const GoValue> args);

  void print_arg(const GoValue& arg, char32_t verb) {
    if (verb == 'T') return pad(arg.is_nil() ? "<nil>" : arg.type_name());
    if (arg.is_nil()) {
      if (verb == 'v') {
        pad("<nil>");
      } else {
        bad_verb(arg, verb);
      }
      return;
    }
    print_value(arg, verb, 0);
  }

  void raw(std::string_view text) {
    if (!full()) out_ += text;
  }
  Flags flags;

 private:
  // Shared values can unfold, and widths grow, to more than any memory holds. What comes after this is left out, and
  // whoever takes the text sees that it is larger than texts may be.
  bool full() const { return out_.size() > kMaxText; }

  void pad(std::string_view text) {
    if (full()) return;
    const std::size_t length = count_runes(text);
    const std::size_t width = flags.width ? static_cast<std::size_t>(*flags.width) : 0;
    if (width <= length) {
      out_ += text;
    } else if (flags.minus) {
      out_ += text;
      out_.append(width - length, ' ');
    } else {
      out_.append(width - length, flags.zero ? '0' : ' ');
      out_ += text;
    }
  }

  void bad_verb(const GoValue& arg, char32_t verb) {
    out_ += "%!";
    append_rune(out_, verb);
    out_ += '(';
    if (arg.is_nil()) {
      out_ += "<nil>";
    } else {
      out_ += arg.type_name();
      out_ += '=';
      print_value(arg, 'v', 0);
    }
    out_ += ')';
  }

  void print_value(const GoValue& arg, char32_t verb, int depth);
  void print_list(const GoValue& arg, char32_t verb, int depth);
  void print_dict(const GoValue& arg, char32_t verb, int depth);
  void format_integer(const GoValue& arg, char32_t verb);
  void integer_digits(std::int64_t value, bool is_unsigned, unsigned base, char32_t verb, bool upper);
  void format_number(const GoValue& arg, char32_t verb);
  void format_text(const GoValue& arg, std::string_view text, char32_t verb);
  void format_hex(std::string_view text, bool upper);
  void format_quoted(std::string_view text);
  void format_bytes(const GoValue& arg, char32_t verb);
  void rune_or_code(std::int64_t value, char32_t verb);

  std::string out_;
};

void Formatter::print_value(const GoValue& arg, char32_t verb, int depth) {
  if (depth > kMaxDepth || full()) return raw("...");
  switch (arg.type()) {
    case GoValue::Type::Nil:
      return raw(flags.sharp_v ? "interface {}(nil)" : "<nil>");
    case GoValue::Type::Bool:
      if (verb != 't' && verb != 'v') return bad_verb(arg, verb);
      return pad(arg.as_bool() ? "true" : "false");
    case GoValue::Type::Int:
    case GoValue::Type::Int64:
    case GoValue::Type::Uint8:
      return format_integer(arg, verb);
    case GoValue::Type::Duration:
      if (std::u32string_view(U"vsqxX").find(verb) != std::u32string_view::npos && !flags.sharp_v) {
        return format_text(arg, format_duration(Duration(arg.as_integer())), verb);
      }
      return format_integer(arg, verb);
    case GoValue::Type::Float64:
      return format_number(arg, verb);
    case GoValue::Type::String:
      return format_text(arg, arg.text(), verb);
    case GoValue::Type::Bytes:
      return format_bytes(arg, verb);
    case GoValue::Type::Time:
      return format_text(arg, go_time_text(arg), verb);
    case GoValue::Type::List:
      return print_list(arg, verb, depth);
    case GoValue::Type::Dict:
      return print_dict(arg, verb, depth);
    case GoValue::Type::Object:
      return format_text(arg, arg.as_object().print(), verb);
  }
}

void Formatter::print_list(const GoValue& arg, char32_t verb, int depth) {
  const GoList& list = arg.as_list();
  if (flags.sharp_v) {
    raw(arg.type_name());
    out_ += '{';
  } else {
    out_ += '[';
  }
  for (std::size_t i = 0; i < list.items.size() && !full(); ++i) {
    if (i > 0) raw(flags.sharp_v ? ", " : " ");
    print_value(list.items[i], verb, depth + 1);
  }
  out_ += flags.sharp_v ? '}' : ']';
}

void Formatter::print_dict(const GoValue& arg, char32_t verb, int depth) {
  raw(flags.sharp_v ? arg.type_name() + "{" : "map[");
  bool first = true;
  for (const auto& [key, value] : arg.as_dict().members) {
    if (full()) break;
    if (!first) raw(flags.sharp_v ? ", " : " ");
    first = false;
    print_value(GoValue::string(key), verb, depth + 1);
    out_ += ':';
    print_value(value, verb, depth + 1);
  }
  out_ += flags.sharp_v ? '}' : ']';
}

void Formatter::rune_or_code(std::int64_t value, char32_t verb) {
  const char32_t rune = value < 0 || value > 0x10FFFF ? U'\uFFFD' : static_cast<char32_t>(value);
  if (verb == 'U') {
    char code[24];
    std::snprintf(code, sizeof code, "U+%04llX", static_cast<unsigned long long>(value));
    return pad(code);
  }
  std::string text;
  append_rune(text, rune);
  if (verb == 'c') return pad(text);
  // A quoted character: the quotes of a string, with the other quote escaped.
  std::string quoted = go_quote(text);
  quoted.front() = quoted.back() = '\'';
  if (rune == '"') quoted = "'\"'";
  if (rune == '\'') quoted = "'\\''";
  pad(quoted);
}

void Formatter::format_integer(const GoValue& arg, char32_t verb) {
  const std::int64_t value = arg.as_integer();
  const bool is_unsigned = arg.type() == GoValue::Type::Uint8;
  switch (verb) {
    case 'v':
      if (flags.sharp_v && is_unsigned) {
        flags.sharp = true;
        integer_digits(value, is_unsigned, 16, 'x', false);
        flags.sharp = false;
        return;
      }
      return integer_digits(value, is_unsigned, 10, verb, false);
    case 'd':
      return integer_digits(value, is_unsigned, 10, verb, false);
    case 'b':
      return integer_digits(value, is_unsigned, 2, verb, false);
    case 'o':
    case 'O':
      return integer_digits(value, is_unsigned, 8, verb, false);
    case 'x':
      return integer_digits(value, is_unsigned, 16, verb, false);
    case 'X':
      return integer_digits(value, is_unsigned, 16, verb, true);
    case 'c':
    case 'q':
    case 'U':
      return rune_or_code(value, verb);
    default:
      return bad_verb(arg, verb);
  }
}

void Formatter::integer_digits(std::int64_t value, bool is_unsigned, unsigned base, char32_t verb, bool upper) {
  const bool negative = !is_unsigned && value < 0;
  std::uint64_t magnitude = negative ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  std::string digits;
  const char* alphabet = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  do {
    digits += alphabet[magnitude % base];
    magnitude /= base;
  } while (magnitude != 0);
  std::size_t least = 0;
  bool zero = flags.zero && !flags.minus;
  if (flags.precision) {
    least = static_cast<std::size_t>(*flags.precision);
    zero = false;
    if (least == 0 && value == 0) digits.clear();
  } else if (zero && flags.width) {
    least = static_cast<std::size_t>(*flags.width);
    if (negative || flags.plus || flags.space) --least;
  }
  if (digits.size() < least) digits.append(least - digits.size(), '0');
  if (flags.sharp) {
    if (base == 2) digits += "b0";
    if (base == 8 && digits.back() != '0') digits += '0';
    if (base == 16) digits += upper ? "X0" : "x0";
  }
  if (verb == 'O') digits += "o0";
  if (negative) {
    digits += '-';
  } else if (flags.plus) {
    digits += '+';
  } else if (flags.space) {
    digits += ' ';
  }
  std::reverse(digits.begin(), digits.end());
  const bool saved = std::exchange(flags.zero, false);
  pad(digits);
  flags.zero = saved;
}

void Formatter::format_number(const GoValue& arg, char32_t verb) {
  char form = 'g';
  int precision = -1;
  switch (verb) {
    case 'v':
      break;
    case 'g':
    case 'G':
      form = static_cast<char>(verb);
      break;
    case 'e':
    case 'E':
    case 'f':
      form = static_cast<char>(verb);
      precision = 6;
      break;
    case 'F':
      form = 'f';
      precision = 6;
      break;
    default:
      return bad_verb(arg, verb);
  }
  if (flags.precision) precision = *flags.precision;
  std::string text = go_format_float(arg.as_double(), form, precision);
  const bool finite = std::isfinite(arg.as_double());
  if (text[0] != '-' && text[0] != '+') text.insert(0, 1, flags.plus ? '+' : flags.space ? ' ' : '\0');
  if (text[0] == '\0' || (text[0] == '+' && !flags.plus)) text.erase(0, 1);
  const bool zero = flags.zero && !flags.minus && finite;
  const std::size_t width = flags.width ? static_cast<std::size_t>(*flags.width) : 0;
  if (zero && width > text.size()) {
    const bool sign = text[0] == '-' || text[0] == '+' || text[0] == ' ';
    text.insert(sign ? 1 : 0, width - text.size(), '0');
  }
  const bool saved = std::exchange(flags.zero, false);
  pad(text);
  flags.zero = saved;
}

void Formatter::format_text(const GoValue& arg, std::string_view text, char32_t verb) {
  switch (verb) {
    case 'v':
      if (flags.sharp_v) return format_quoted(text);
      [[fallthrough]];
    case 's': {
      if (!flags.precision) return pad(text);
      std::size_t end = 0;
      for (int i = 0; i < *flags.precision && end < text.size(); ++i) end += decode_rune(text.substr(end)).length;
      return pad(text.substr(0, end));
    }
    case 'x':
      return format_hex(text, false);
    case 'X':
      return format_hex(text, true);
    case 'q':
      return format_quoted(text);
    default:
      return bad_verb(arg, verb);
  }
}

void Formatter::format_hex(std::string_view text, bool upper) {
  const char* alphabet = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  const std::string_view prefix = upper ? "0X" : "0x";
  if (flags.precision) text = text.substr(0, static_cast<std::size_t>(*flags.precision));
  std::string out;
  if (flags.sharp && !text.empty()) out += prefix;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (flags.space && i > 0) {
      out += ' ';
      if (flags.sharp) out += prefix;
    }
    const auto byte = static_cast<unsigned char>(text[i]);
    out += alphabet[byte >> 4];
    out += alphabet[byte & 15];
  }
  pad(out);
}

void Formatter::format_quoted(std::string_view text) {
  pad(flags.sharp ? go_backquote(text) : go_quote(text));
}

void Formatter::format_bytes(const GoValue& arg, char32_t verb) {
  if (verb != 'v' && verb != 'd') return format_text(arg, arg.text(), verb);
  raw(flags.sharp_v ? "[]byte{" : "[");
  bool first = true;
  for (const char c : arg.text()) {
    if (full()) break;
    if (!first) raw(flags.sharp_v ? ", " : " ");
    first = false;
    format_integer(GoValue::byte(static_cast<std::uint8_t>(c)), verb);
  }
  out_ += flags.sharp_v ? '}' : ']';
}

// Reads directives one after another, as doPrintf does.
class DirectiveReader {
 public:
  DirectiveReader(std::string_view format, std::span<const GoValue> args) : format_(format), args_(args) {}

  bool done() const { return position_ >= format_.size(); }
  std::string_view literal() {
    const std::size_t percent = std::min(format_.find('%', position_), format_.size());
    const std::string_view text = format_.substr(position_, percent - position_);
    position_ = percent;
    return text;
  }

  Flags flags() {
    ++position_;
    Flags flags;
    for (; position_ < format_.size(); ++position_) {
      switch (format_[position_]) {
        case '#':
          flags.sharp = true;
          continue;
        case '0':
          flags.zero = true;
          continue;
        case '+':
          flags.plus = true;
          continue;
        case '-':
          flags.minus = true;
          continue;
        case ' ':
          flags.space = true;
          continue;
        default:
          break;
      }
      break;
    }
    good_ = true;
    after_index_ = false;
    read_index();
    read_width(flags);
    read_precision(flags);
    if (!after_index_) read_index();
    return flags;
  }

  std::optional<char32_t> verb() {
    if (done()) return std::nullopt;
    const Rune rune = decode_rune(format_.substr(position_));
    position_ += rune.length;
    return rune.value;
  }
  bool good_index() const { return good_; }
  const GoValue* next_arg() { return index_ < args_.size() ? &args_[index_++] : nullptr; }
  std::span<const GoValue> surplus() const {
    return reordered_ || index_ >= args_.size() ? std::span<const GoValue>() : args_.subspan(index_);
  }

  std::string complaint;  // about a bad `*` operand

 private:
  std::optional<int> number() {
    std::optional<int> value;
    while (position_ < format_.size() && format_[position_] >= '0' && format_[position_] <= '9') {
      value = value.value_or(0) * 10 + (format_[position_++] - '0');
      if (*value > kMaxWidth) return std::nullopt;
    }
    return value;
  }

  // An explicit argument index, "[3]".
  void read_index() {
    if (done() || format_[position_] != '[') return;
    reordered_ = true;
    const std::size_t close = format_.find(']', position_);
    if (close == std::string_view::npos) {
      good_ = false;
      ++position_;
      return;
    }
    ++position_;
    const std::optional<int> index = number();
    const bool complete = index && position_ == close;
    position_ = close + 1;
    if (!complete || *index < 1 || static_cast<std::size_t>(*index) > args_.size()) {
      good_ = false;
      return;
    }
    index_ = static_cast<std::size_t>(*index - 1);
    after_index_ = true;
  }

  std::optional<int> star() {
    ++position_;
    after_index_ = false;
    const GoValue* arg = next_arg();
    if (arg == nullptr || !arg->is_integer() || std::abs(arg->as_integer()) > kMaxWidth) return std::nullopt;
    return static_cast<int>(arg->as_integer());
  }

  void read_width(Flags& flags) {
    if (!done() && format_[position_] == '*') {
      flags.width = star();
      if (!flags.width) complaint += "%!(BADWIDTH)";
      if (flags.width && *flags.width < 0) {
        flags.width = -*flags.width;
        flags.minus = true;
        flags.zero = false;
      }
      return;
    }
    flags.width = number();
    if (after_index_ && flags.width) good_ = false;
  }

  void read_precision(Flags& flags) {
    if (done() || format_[position_] != '.') return;
    ++position_;
    if (after_index_) good_ = false;
    read_index();
    if (!done() && format_[position_] == '*') {
      flags.precision = star();
      if (flags.precision && *flags.precision < 0) flags.precision.reset();
      if (!flags.precision) complaint += "%!(BADPREC)";
      return;
    }
    flags.precision = number().value_or(0);
  }

  std::string_view format_;
  std::span<const GoValue> args_;
  std::size_t position_ = 0;
  std::size_t index_ = 0;
  bool good_ = true;
  bool after_index_ = false;
  bool reordered_ = false;
};

void Formatter::printf(std::string_view format, std::span<const GoValue> args) {
  DirectiveReader reader(format, args);
  for (;;) {
    raw(reader.literal());
    if (reader.done() || full()) break;
    flags = reader.flags();
    raw(std::exchange(reader.complaint, {}));
    const std::optional<char32_t> verb = reader.verb();
    if (!verb) {
      raw("%!(NOVERB)");
      break;
    }
    if (*verb == '%') {
      out_ += '%';
      continue;
    }
    const GoValue* arg = reader.good_index() ? reader.next_arg() : nullptr;
    if (arg == nullptr) {
      raw("%!");
      append_rune(out_, *verb);
      raw(reader.good_index() ? "(MISSING)" : "(BADINDEX)");
      continue;
    }
    if (*verb == 'v') {
      flags.sharp_v = std::exchange(flags.sharp, false);
      flags.plus_v = std::exchange(flags.plus, false);
    }
    print_arg(*arg, *verb);
  }
  const std::span<const GoValue> surplus = reader.surplus();
  if (surplus.empty()) return;
  flags = {};
  raw("%!(EXTRA ");
  for (std::size_t i = 0; i < surplus.size(); ++i) {
    if (i > 0) raw(", ");
    if (surplus[i].is_nil()) {
      raw("<nil>");
    } else {
      raw(surplus[i].type_name());
      out_ += '=';
      print_arg(surplus[i], 'v');
    }
  }
  out_ += ')';
}

}  // namespace

std::string go_print(const GoValue& value) {
  if (value.is_string()) return value.text();
  Formatter formatter;
  formatter.print_arg(value, 'v');
  return formatter.take();
}

std::string go_sprint(std::span<const GoValue> args) {
  Formatter formatter;
  bool previous_string = false;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const bool is_string = args[i].is_string();
    if (i > 0 && !is_string && !previous_string) formatter.raw(" ");
    formatter.print_arg(args[i], 'v');
    previous_string = is_string;
  }
  return formatter.take();
}

std::string go_sprintln(std::span<const GoValue> args) {
  Formatter formatter;
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (i > 0) formatter.raw(" ");
    formatter.print_arg(args[i], 'v');
  }
  formatter.raw("\n");
  return formatter.take();
}

std::string go_sprintf(std::string_view format, std::span<const GoValue> args) {
  Formatter formatter;
  formatter.printf(format, args);
  return formatter.take();
}

}  // namespace coracle::charts
