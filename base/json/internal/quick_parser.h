#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

#include "base/json/internal/plain_run.h"
#include "base/utf8.h"

namespace coracle::json::internal {

// Well-formed JSON into the handler's events, several times as fast as a parser that explains what is
// wrong. It says only that it gives up: at bad input, and at what is rare (lone surrogates, numbers beyond
// a double). Whoever needs to know more asks the other parser, from the beginning.
template <class Handler>
class QuickParser {
 public:
  QuickParser(std::string_view text, Handler& handler)
      : at_(text.data()), end_(text.data() + text.size()), handler_(handler) {}

  // False when it gave up; the handler has seen a part of the document then.
  bool parse() {
    for (;;) {
      if (!value()) return false;
      // After a value: what the containers around it expect.
      for (;;) {
        skip_blanks();
        if (open_.empty()) return at_ == end_;
        if (at_ == end_) return false;
        const char next = *at_++;
        if (next == ',') break;
        if (next != open_.back()) return false;
        open_.pop_back();
        if (!(next == '}' ? handler_.end_object() : handler_.end_array())) return false;
      }
      if (open_.back() == '}' && !member()) return false;
    }
  }

 private:
  void skip_blanks() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
  }

  // `"key":`
  bool member() {
    skip_blanks();
    if (at_ == end_ || *at_ != '"' || !string() || !handler_.key(text_)) return false;
    skip_blanks();
    return at_ != end_ && *at_++ == ':';
  }

  // A scalar, an empty container, or the beginning of one down to its first scalar or empty container.
  bool value() {
    for (;;) {
      skip_blanks();
      if (at_ == end_) return false;
      switch (*at_) {
        case '{':
          if (!handler_.start_object(0)) return false;
          if (closes('}')) return handler_.end_object();
          open_ += '}';
          if (!member()) return false;
          continue;
        case '[':
          if (!handler_.start_array(0)) return false;
          if (closes(']')) return handler_.end_array();
          open_ += ']';
          continue;
        case '"':
          return string() && handler_.string(text_);
        case 't':
          return word("true") && handler_.boolean(true);
        case 'f':
          return word("false") && handler_.boolean(false);
        case 'n':
          return word("null") && handler_.null();
        default:
          return number();
      }
    }
  }

  // Steps into a container; true when it ends at once.
  bool closes(char end) {
    ++at_;
    skip_blanks();
    if (at_ == end_ || *at_ != end) return false;
    ++at_;
    return true;
  }

  bool word(std::string_view expected) {
    if (static_cast<std::size_t>(end_ - at_) < expected.size()) return false;
    if (std::string_view(at_, expected.size()) != expected) return false;
    at_ += expected.size();
    return true;
  }

  bool digits() {
    const char* const begin = at_;
    while (at_ != end_ && *at_ >= '0' && *at_ <= '9') ++at_;
    return at_ != begin;
  }

  bool number() {
    const char* const begin = at_;
    if (*at_ == '-') ++at_;
    const char* const first = at_;
    if (!digits() || (*first == '0' && at_ - first > 1)) return false;
    bool whole = true;
    if (at_ != end_ && *at_ == '.') {
      whole = false;
      ++at_;
      if (!digits()) return false;
    }
    if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
      whole = false;
      ++at_;
      if (at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
      if (!digits()) return false;
    }
    if (whole) {
      std::int64_t integer = 0;
      if (std::from_chars(begin, at_, integer).ec == std::errc()) return handler_.number_integer(integer);
    }
    double real = 0;
    if (std::from_chars(begin, at_, real).ec != std::errc()) return false;
    return handler_.number_float(real, text_);
  }

  // Into text_; at_ stands on the opening quote.
  bool string() {
    text_.clear();
    ++at_;
    for (;;) {
      const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
      const std::size_t plain = plain_run(rest, false);
      text_.append(at_, plain);
      at_ += plain;
      if (at_ == end_) return false;
      const auto byte = static_cast<unsigned char>(*at_);
      if (byte == '"') {
        ++at_;
        return true;
      }
      if (byte < ' ') return false;
      if (!(byte == '\\' ? escape() : sequence())) return false;
    }
  }

  bool escape() {
    if (end_ - at_ < 2) return false;
    const char letter = at_[1];
    at_ += 2;
    switch (letter) {
      case '"':
      case '\\':
      case '/':
        text_ += letter;
        return true;
      case 'b':
        text_ += '\b';
        return true;
      case 'f':
        text_ += '\f';
        return true;
      case 'n':
        text_ += '\n';
        return true;
      case 'r':
        text_ += '\r';
        return true;
      case 't':
        text_ += '\t';
        return true;
      case 'u':
        return code_point();
      default:
        return false;
    }
  }

  // The four digits behind \u; surrogates are left to the other parser.
  bool code_point() {
    if (end_ - at_ < 4) return false;
    unsigned code = 0;
    const auto [after, failure] = std::from_chars(at_, at_ + 4, code, 16);
    if (failure != std::errc() || after != at_ + 4 || (code >= 0xD800 && code < 0xE000)) return false;
    at_ += 4;
    append_rune(text_, code);
    return true;
  }

  // One well-formed UTF-8 sequence.
  bool sequence() {
    const Rune rune = decode_rune({at_, static_cast<std::size_t>(end_ - at_)});
    if (!rune.valid()) return false;
    text_.append(at_, rune.length);
    at_ += rune.length;
    return true;
  }

  const char* at_;
  const char* const end_;
  Handler& handler_;
  std::string open_;  // what will close each open container
  std::string text_;  // the newest string
};

}  // namespace coracle::json::internal
