#include "base/json/go_error.h"

#include <catch2/catch.hpp>

namespace coracle::json {
namespace {

TEST_CASE("texts that are no JSON are told in Go's words") {
  for (const char* good : {"{}", " [1, -0.5e+3, \"\\u00e9\\n\", true, null] ", "\"x\"", "0"})
    CHECK(go_error(good).empty());
  for (const char* cut : {"", " ", "{", "[", "[1", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "\"b", "\"b\\\""}) {
    CHECK(go_error(cut) == "unexpected end of JSON input");
  }
  struct Row {
    const char* text;
    const char* error;
  };
  const Row rows[] = {
      {"garbage", "invalid character 'g' looking for beginning of value"},
      {"{a:1}", "invalid character 'a' looking for beginning of object key string"},
      {"{'a':1}", "invalid character '\\'' looking for beginning of object key string"},
      {"{\"a\":1,}", "invalid character '}' looking for beginning of object key string"},
      {"{\"a\" 1}", "invalid character '1' after object key"},
      {"{\"a\":1 \"b\":2}", "invalid character '\"' after object key:value pair"},
      {"[1 2]", "invalid character '2' after array element"},
      {"[1,]", "invalid character ']' looking for beginning of value"},
      {"{}x", "invalid character 'x' after top-level value"},
      {"01", "invalid character '1' after top-level value"},
      {"1.", "invalid character ' ' after decimal point in numeric literal"},
      {"1e", "invalid character ' ' in exponent of numeric literal"},
      {"-", "invalid character ' ' in numeric literal"},
      {"tru", "invalid character ' ' in literal true (expecting 'e')"},
      {"[nul]", "invalid character ']' in literal null (expecting 'l')"},
      {"\"\\x\"", "invalid character 'x' in string escape code"},
      {"\"\\u12\"", "invalid character '\"' in \\u hexadecimal character escape"},
      {"\"\t\"", "invalid character '\\t' in string literal"},
      {"\"\x01\"", "invalid character '\\x01' in string literal"},
      {"\xef\xbb\xbf{}", "invalid character 'ï' looking for beginning of value"},
      {"\x80", "invalid character '\\u0080' looking for beginning of value"},
  };
  for (const Row& row : rows) CHECK(go_error(row.text) == row.error);
}

}  // namespace
}  // namespace coracle::json
