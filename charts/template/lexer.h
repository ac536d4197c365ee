#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace coracle::charts {

enum class TokenType : std::uint8_t {
  Error,
  Bool,
  Char,
  CharConstant,
  Assign,
  Declare,
  EndOfFile,
  Field,
  Identifier,
  LeftDelimiter,
  LeftParen,
  Number,
  Pipe,
  RawString,
  RightDelimiter,
  RightParen,
  Space,
  String,
  Text,
  Variable,
  Keyword,  // the keywords come after this one
  Block,
  Break,
  Continue,
  Dot,
  Define,
  Else,
  End,
  If,
  Nil,
  Range,
  Template,
  With,
};

struct Token {
  TokenType type;
  std::uint32_t position;
  int line;
  std::string_view text;  // of the source, except for errors
  std::string error;

  // As parse errors quote it.
  std::string describe() const;
};

// Splits a template into tokens; the last one is EndOfFile or Error.
std::vector<Token> lex_template(std::string_view text);

}  // namespace coracle::charts
