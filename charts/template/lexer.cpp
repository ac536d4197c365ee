#include "charts/template/lexer.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "base/utf8.h"
#include "charts/template/go_quote.h"

namespace coracle::charts {
namespace {

constexpr std::string_view kLeft = "{{";
constexpr std::string_view kRight = "}}";
constexpr std::string_view kSpaces = " \t\r\n";

constexpr std::array<std::pair<std::string_view, TokenType>, 13> kKeywords = {{{".", TokenType::Dot},
                                                                               {"block", TokenType::Block},
                                                                               {"break", TokenType::Break},
                                                                               {"continue", TokenType::Continue},
                                                                               {"define", TokenType::Define},
                                                                               {"else", TokenType::Else},
                                                                               {"end", TokenType::End},
                                                                               {"if", TokenType::If},
                                                                               {"range", TokenType::Range},
                                                                               {"nil", TokenType::Nil},
                                                                               {"template", TokenType::Template},
                                                                               {"with", TokenType::With},
                                                                               {"", TokenType::Keyword}}};

bool is_space(char c) {
  return kSpaces.find(c) != std::string_view::npos;
}

// Letters, digits and '_'. Everything outside ASCII counts as a letter.
bool is_word(char c) {
  return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::string describe_rune(Rune rune) {
  char code[16];
  std::snprintf(code, sizeof code, "U+%04X", static_cast<unsigned>(rune.value));
  std::string out = code;
  if (is_printable(rune.value)) {
    out += " '";
    append_rune(out, rune.value);
    out += '\'';
  }
  return out;
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::vector<Token> run() {
    while (!done_) {
      if (inside_) {
        lex_action();
      } else {
        lex_text();
      }
    }
    return std::move(tokens_);
  }

 private:
  std::string_view rest() const { return text_.substr(position_); }
  bool at(std::string_view word) const { return rest().substr(0, word.size()) == word; }
  bool at_trimmed_right() const {
    return position_ + 1 < text_.size() && is_space(text_[position_]) && text_[position_ + 1] == '-' &&
           text_.substr(position_ + 2, kRight.size()) == kRight;
  }

  void emit(TokenType type) {
    const std::string_view token = text_.substr(start_, position_ - start_);
    tokens_.push_back({type, static_cast<std::uint32_t>(start_), line_, token, {}});
    skip();
  }
  // Drops what was scanned, counting its lines.
  void skip() {
    const std::string_view scanned = text_.substr(start_, position_ - start_);
    line_ += static_cast<int>(std::count(scanned.begin(), scanned.end(), '\n'));
    start_ = position_;
  }
  void fail(std::string message) {
    tokens_.push_back({TokenType::Error, static_cast<std::uint32_t>(start_), line_, {}, std::move(message)});
    done_ = true;
  }

  void lex_text() {
    const std::size_t left = text_.find(kLeft, position_);
    if (left == std::string_view::npos) {
      position_ = text_.size();
      if (position_ > start_) emit(TokenType::Text);
      emit(TokenType::EndOfFile);
      done_ = true;
      return;
    }
    std::size_t end = left;
    const bool trim = left + 3 < text_.size() && text_[left + 2] == '-' && is_space(text_[left + 3]);
    if (trim) {
      while (end > start_ && is_space(text_[end - 1])) --end;
    }
    position_ = end;
    if (position_ > start_) emit(TokenType::Text);
    position_ = left;
    skip();
    lex_left_delimiter(trim);
  }

  void lex_left_delimiter(bool trim) {
    const std::size_t marker = trim ? 2 : 0;
    if (text_.substr(position_ + kLeft.size() + marker, 2) == "/*") {
      position_ += kLeft.size() + marker;
      skip();
      lex_comment();
      return;
    }
    position_ += kLeft.size();
    emit(TokenType::LeftDelimiter);
    position_ += marker;
    skip();
    inside_ = true;
    parens_ = 0;
  }

  void lex_comment() {
    const std::size_t close = text_.find("*/", position_ + 2);
    if (close == std::string_view::npos) return fail("unclosed comment");
    position_ = close + 2;
    const bool trim = at_trimmed_right();
    if (!trim && !at(kRight)) return fail("comment ends before closing delimiter");
    position_ += kRight.size() + (trim ? 2 : 0);
    if (trim) skip_spaces();
    skip();
  }

  void skip_spaces() {
    while (position_ < text_.size() && is_space(text_[position_])) ++position_;
  }

  void lex_right_delimiter(bool trim) {
    if (trim) {
      position_ += 2;
      skip();
    }
    position_ += kRight.size();
    emit(TokenType::RightDelimiter);
    if (trim) {
      skip_spaces();
      skip();
    }
    inside_ = false;
  }

  void lex_action() {
    const bool trimmed = at_trimmed_right();
    if (trimmed || at(kRight)) {
      if (parens_ > 0) return fail("unclosed left paren");
      return lex_right_delimiter(trimmed);
    }
    if (position_ >= text_.size()) return fail("unclosed action");
    const char c = text_[position_];
    if (is_space(c)) return lex_space();
    if (c == '.' && !(position_ + 1 < text_.size() && text_[position_ + 1] >= '0' && text_[position_ + 1] <= '9')) {
      return lex_field(TokenType::Field, TokenType::Dot);
    }
    if (c == '+' || c == '-' || c == '.' || (c >= '0' && c <= '9')) return lex_number();
    if (is_word(c)) return lex_word();
    lex_symbol(c);
  }

  void lex_symbol(char c) {
    ++position_;
    switch (c) {
      case '=':
        return emit(TokenType::Assign);
      case ':':
        if (!at("=")) return fail("expected :=");
        ++position_;
        return emit(TokenType::Declare);
      case '|':
        return emit(TokenType::Pipe);
      case '"':
        return lex_quoted('"', TokenType::String, "unterminated quoted string");
      case '\'':
        return lex_quoted('\'', TokenType::CharConstant, "unterminated character constant");
      case '`':
        return lex_raw();
      case '$':
        --position_;
        return lex_field(TokenType::Variable, TokenType::Variable);
      case '(':
        ++parens_;
        return emit(TokenType::LeftParen);
      case ')':
        if (--parens_ < 0) return fail("unexpected right paren");
        return emit(TokenType::RightParen);
      default:
        break;
    }
    if (c > ' ' && c < 0x7f) return emit(TokenType::Char);
    fail("unrecognized character in action: " + describe_rune(decode_rune(text_.substr(position_ - 1))));
  }

  void lex_space() {
    std::size_t count = 0;
    while (position_ < text_.size() && is_space(text_[position_])) {
      // A blank that belongs to a trim marker is no token of its own.
      if (at_trimmed_right()) {
        if (count == 0) return lex_right_delimiter(true);
        break;
      }
      ++position_;
      ++count;
    }
    emit(TokenType::Space);
  }

  void lex_quoted(char quote, TokenType type, const char* unterminated) {
    while (position_ < text_.size()) {
      const char c = text_[position_++];
      if (c == '\n') return fail(unterminated);
      if (c == '\\') {
        if (position_ >= text_.size() || text_[position_] == '\n') return fail(unterminated);
        ++position_;
      } else if (c == quote) {
        return emit(type);
      }
    }
    fail(unterminated);
  }

  void lex_raw() {
    const std::size_t close = text_.find('`', position_);
    if (close == std::string_view::npos) return fail("unterminated raw quoted string");
    position_ = close + 1;
    emit(TokenType::RawString);
  }

  bool at_terminator() const {
    if (position_ >= text_.size() || is_space(text_[position_])) return true;
    return std::string_view(".,|:()").find(text_[position_]) != std::string_view::npos || at(kRight);
  }
  bool check_terminator() {
    if (at_terminator()) return true;
    fail("bad character " + describe_rune(decode_rune(rest())));
    return false;
  }

  void lex_field(TokenType with_name, TokenType alone) {
    ++position_;
    if (at_terminator()) return emit(alone);
    while (position_ < text_.size() && is_word(text_[position_])) ++position_;
    if (check_terminator()) emit(with_name);
  }

  void lex_word() {
    while (position_ < text_.size() && is_word(text_[position_])) ++position_;
    if (!check_terminator()) return;
    const std::string_view word = text_.substr(start_, position_ - start_);
    for (const auto& [name, type] : kKeywords) {
      if (name == word) return emit(type);
    }
    emit(word == "true" || word == "false" ? TokenType::Bool : TokenType::Identifier);
  }

  void accept_run(std::string_view characters) {
    while (position_ < text_.size() && characters.find(text_[position_]) != std::string_view::npos) ++position_;
  }
  bool accept(std::string_view characters) {
    if (position_ >= text_.size() || characters.find(text_[position_]) == std::string_view::npos) return false;
    ++position_;
    return true;
  }

  void lex_number() {
    accept("+-");
    std::string_view digits = "0123456789_";
    if (accept("0")) {
      if (accept("xX")) {
        digits = "0123456789abcdefABCDEF_";
      } else if (accept("oO")) {
        digits = "01234567_";
      } else if (accept("bB")) {
        digits = "01_";
      }
    }
    accept_run(digits);
    if (accept(".")) accept_run(digits);
    if (digits.size() == 11 && accept("eE")) {
      accept("+-");
      accept_run("0123456789_");
    }
    if (digits.size() > 11 && accept("pP")) {
      accept("+-");
      accept_run("0123456789_");
    }
    accept("i");
    if (position_ < text_.size() && is_word(text_[position_])) {
      position_ += decode_rune(rest()).length;
      return fail("bad number syntax: " + go_quote(text_.substr(start_, position_ - start_)));
    }
    emit(TokenType::Number);
  }

  std::string_view text_;
  std::vector<Token> tokens_;
  std::size_t start_ = 0;
  std::size_t position_ = 0;
  int line_ = 1;
  int parens_ = 0;
  bool inside_ = false;
  bool done_ = false;
};

}  // namespace

std::string Token::describe() const {
  if (type == TokenType::EndOfFile) return "EOF";
  if (type == TokenType::Error) return error;
  if (type > TokenType::Keyword) return "<" + std::string(text) + ">";
  constexpr std::size_t kShown = 10;
  if (text.size() > kShown) return go_quote(text.substr(0, kShown)) + "...";
  return go_quote(text);
}

std::vector<Token> lex_template(std::string_view text) {
  return Lexer(text).run();
}

}  // namespace coracle::charts
