#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "base/json/internal/plain_run.h"
#include "base/json/json.h"
#include "base/utf8.h"

namespace coracle::json {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

void write_ascii_escape(std::string& out, unsigned char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out += kHexDigits[c >> 4U];
      out += kHexDigits[c & 15U];
  }
}

void write_quoted(std::string& out, std::string_view text, bool escape_html) {
  out += '"';
  std::size_t copied = 0;  // everything before is in `out`
  std::size_t at = 0;
  auto flush = [&] { out.append(text, copied, at - copied); };
  for (;;) {
    at += internal::plain_run(text.substr(at), escape_html);
    if (at == text.size()) break;
    const auto c = static_cast<unsigned char>(text[at]);
    if (c < 0x80) {
      flush();
      write_ascii_escape(out, c);
      copied = ++at;
      continue;
    }
    const Rune rune = decode_rune(text.substr(at));
    // JavaScript takes U+2028 and U+2029 for line ends, so Go never prints them bare.
    const bool line_end = rune.value == U'\u2028' || rune.value == U'\u2029';
    if (rune.valid() && !line_end) {
      at += rune.length;
      continue;
    }
    flush();
    out += !rune.valid() ? "\\ufffd" : rune.value == U'\u2028' ? "\\u2028" : "\\u2029";
    copied = at += rune.length;
  }
  flush();
  out += '"';
}

// How a tree is laid out.
struct Style {
  bool escape_html = true;
  bool sorted = false;
  int indent = -1;  // negative: compact
};

class Writer {
 public:
  Writer(std::string& out, Style style) : out_(out), style_(style) {}

  void write(const Value& value) {
    switch (value.kind()) {
      case Value::Kind::Null:
        out_ += "null";
        return;
      case Value::Kind::Bool:
        out_ += value.as_bool() ? "true" : "false";
        return;
      case Value::Kind::Int: {
        std::array<char, 24> digits{};
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value.as_int());
        out_.append(digits.data(), end.ptr);
        return;
      }
      case Value::Kind::Double:
        out_ += format_double(value.as_double());
        return;
      case Value::Kind::String:
        write_quoted(out_, value.as_string(), style_.escape_html);
        return;
      case Value::Kind::Array:
        write_array(value.items());
        return;
      case Value::Kind::Object:
        write_object(value.members());
        return;
    }
  }

 private:
  void begin_line() {
    if (style_.indent < 0) return;
    out_ += '\n';
    out_.append(static_cast<std::size_t>(style_.indent) * depth_, ' ');
  }

  void write_array(std::span<const Value> items) {
    out_ += '[';
    ++depth_;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out_ += ',';
      begin_line();
      write(items[i]);
    }
    --depth_;
    if (!items.empty()) begin_line();
    out_ += ']';
  }

  void write_member(const Value::Member& member, bool first) {
    if (!first) out_ += ',';
    begin_line();
    write_quoted(out_, member.key, style_.escape_html);
    out_ += style_.indent < 0 ? ":" : ": ";
    write(member.value);
  }

  void write_object(std::span<const Value::Member> members) {
    out_ += '{';
    ++depth_;
    if (style_.sorted) {
      std::vector<const Value::Member*> order;
      order.reserve(members.size());
      for (const Value::Member& member : members) order.push_back(&member);
      std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) { return a->key < b->key; });
      for (const Value::Member* member : order) write_member(*member, member == order.front());
    } else {
      for (const Value::Member& member : members) write_member(member, &member == members.data());
    }
    --depth_;
    if (!members.empty()) begin_line();
    out_ += '}';
  }

  std::string& out_;
  Style style_;
  std::size_t depth_ = 0;
};

std::string write_styled(const Value& value, Style style) {
  std::string out;
  Writer(out, style).write(value);
  return out;
}

}  // namespace

std::string write(const Value& value) {
  return write_styled(value, {});
}

void write_to(std::string& out, const Value& value) {
  Writer(out, {}).write(value);
}

std::string write_raw(const Value& value) {
  return write_styled(value, {.escape_html = false});
}

std::string write_pretty(const Value& value, int indent) {
  return write_styled(value, {.indent = std::max(indent, 0)});
}

std::string write_sorted(const Value& value) {
  return write_styled(value, {.sorted = true});
}

void write_string(std::string& out, std::string_view text) {
  write_quoted(out, text, true);
}

std::string format_double(double number) {
  // JSON has no way to write these; Go refuses them and no reader of ours makes them.
  if (!std::isfinite(number)) return "null";
  if (number == 0) return std::signbit(number) ? "-0" : "0";

  // The shortest digits that read back: "d.ddde±xx".
  std::array<char, 32> buffer{};
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::fabs(number), std::chars_format::scientific);
  const std::string_view text(buffer.data(), static_cast<std::size_t>(end.ptr - buffer.data()));
  const std::size_t e = text.find('e');
  std::string digits(text.substr(0, 1));
  if (e > 2) digits += text.substr(2, e - 2);
  const int exponent = std::atoi(std::string(text.substr(e + 1)).c_str());

  std::string out = number < 0 ? "-" : "";
  if (exponent < -6 || exponent >= 21) {
    out += digits.substr(0, 1);
    if (digits.size() > 1) out += "." + digits.substr(1);
    // From 1e21 on the exponent has two digits anyhow, so none needs padding.
    out += exponent < 0 ? "e-" : "e+";
    out += std::to_string(std::abs(exponent));
  } else if (exponent < 0) {
    out += "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  } else {
    const auto whole = static_cast<std::size_t>(exponent) + 1;
    if (digits.size() <= whole) {
      out += digits + std::string(whole - digits.size(), '0');
    } else {
      out += digits.substr(0, whole) + "." + digits.substr(whole);
    }
  }
  return out;
}

}  // namespace coracle::json
