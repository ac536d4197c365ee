#include "base/json/go_error.h"

#include <array>
#include <cstdio>
#include <vector>

#include "base/text.h"

namespace coracle::json {

namespace {

constexpr std::string_view kEnd = "unexpected end of JSON input";

// The byte as Go quotes the rune of that number.
std::string quoted(char c) {
  const auto byte = static_cast<unsigned char>(c);
  static constexpr std::string_view kEscaped = "\a\b\t\n\v\f\r";
  static constexpr std::string_view kLetters = "abtnvfr";
  std::string text = "'";
  std::array<char, 8> number{};
  if (c == '\'' || c == '\\') {
    text += {'\\', c};
  } else if (const std::size_t at = kEscaped.find(c); c != 0 && at != std::string_view::npos) {
    text += {'\\', kLetters[at]};
  } else if (byte < 0x20 || byte == 0x7f) {
    std::snprintf(number.data(), number.size(), "\\x%02x", byte);
    text += number.data();
  } else if (byte < 0x80) {
    text += c;
  } else if (byte <= 0xa0 || byte == 0xad) {
    std::snprintf(number.data(), number.size(), "\\u%04x", byte);
    text += number.data();
  } else {
    text += static_cast<char>(0xc0 | (byte >> 6));
    text += static_cast<char>(0x80 | (byte & 0x3f));
  }
  return text + "'";
}

// Follows Go's scanner state by state. It stops at the first byte that cannot stand where it stands; the end of the
// text is taken as a blank first, as Go does.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::string run() {
    if (!value()) return error_;
    for (;;) {
      const char next = peek_past_blanks();
      if (open_.empty()) {
        if (at_ < text_.size()) fail("after top-level value");
        return error_;
      }
      if (at_ >= text_.size()) return std::string(kEnd);
      const bool object = open_.back() == '}';
      ++at_;
      if (next == open_.back()) {
        open_.pop_back();
      } else if (next == ',') {
        if ((object && !key()) || !value()) return error_;
      } else {
        --at_;
        fail(object ? "after object key:value pair" : "after array element");
        return error_;
      }
    }
  }

 private:
  bool fail(std::string_view context) {
    const char c = at_ < text_.size() ? text_[at_] : ' ';
    error_ = "invalid character " + quoted(c) + " " + std::string(context);
    return false;
  }

  bool end() {
    error_ = kEnd;
    return false;
  }

  // The byte at the position; a blank behind the text.
  char peek() const { return at_ < text_.size() ? text_[at_] : ' '; }

  char peek_past_blanks() {
    while (at_ < text_.size() && (peek() == ' ' || peek() == '\t' || peek() == '\r' || peek() == '\n')) ++at_;
    return peek();
  }

  // `"key":`
  bool key() {
    const char next = peek_past_blanks();
    if (at_ >= text_.size()) return end();
    if (next != '"') return fail("looking for beginning of object key string");
    ++at_;
    if (!string()) return false;
    if (peek_past_blanks() == ':') {
      ++at_;
      return true;
    }
    return at_ >= text_.size() ? end() : fail("after object key");
  }

  // A scalar, an empty container, or the beginning of one down to its first scalar.
  bool value() {
    for (;;) {
      const char next = peek_past_blanks();
      if (at_ >= text_.size()) return end();
      if (next == '{' || next == '[') {
        const char close = next == '{' ? '}' : ']';
        ++at_;
        if (peek_past_blanks() == close) {
          ++at_;
          return true;
        }
        open_.push_back(close);
        if (next == '{' && !key()) return false;
        continue;
      }
      return scalar(next);
    }
  }

  bool scalar(char first) {
    if (first == '-' || is_digit(first)) return number();
    if (first != '"' && first != 't' && first != 'f' && first != 'n') return fail("looking for beginning of value");
    ++at_;
    if (first == '"') return string();
    return word(first == 't' ? "true" : first == 'f' ? "false" : "null");
  }

  bool word(std::string_view expected) {
    for (const char c : expected.substr(1)) {
      if (peek() != c) return fail("in literal " + std::string(expected) + " (expecting '" + c + "')");
      ++at_;
    }
    return true;
  }

  bool string() {
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        return true;
      }
      if (static_cast<unsigned char>(c) < 0x20) return fail("in string literal");
      if (c == '\\' && !escape()) return false;
    }
    return end();
  }

  // at_ stands on the backslash, and on the last byte of the sequence afterwards.
  bool escape() {
    static constexpr std::string_view kSimple = "bfnrt\\/\"";
    ++at_;
    if (kSimple.find(peek()) != std::string_view::npos && at_ < text_.size()) return true;
    if (peek() != 'u') return fail("in string escape code");
    for (int i = 0; i < 4; ++i) {
      ++at_;
      if (hex_value(peek()) < 0) return fail("in \\u hexadecimal character escape");
    }
    return true;
  }

  void digits() {
    while (is_digit(peek())) ++at_;
  }

  bool number() {
    if (peek() == '-') ++at_;
    if (!is_digit(peek())) return fail("in numeric literal");
    if (peek() == '0') {
      ++at_;
    } else {
      digits();
    }
    if (peek() == '.') {
      ++at_;
      if (!is_digit(peek())) return fail("after decimal point in numeric literal");
      digits();
    }
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      if (!is_digit(peek())) return fail("in exponent of numeric literal");
      digits();
    }
    return true;
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  std::vector<char> open_;  // what closes the containers around
  std::string error_;
};

}  // namespace

std::string go_error(std::string_view text) {
  return Scanner(text).run();
}

std::string go_error(std::string_view text, const Error& error) {
  std::string why = go_error(text);
  return why.empty() ? error.message() : why;
}

}  // namespace coracle::json
