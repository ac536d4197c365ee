#include "base/utf8.h"

#include <catch2/catch.hpp>

namespace coracle {
namespace {

TEST_CASE("code points are read as they were written") {
  for (const char32_t rune : {U'\0', U'a', U'\x7f', U'\x80', U'\u07ff', U'\u0800', U'\ud7ff', U'\ue000', U'\ufffd',
                              U'\uffff', U'\U00010000', U'\U0010ffff'}) {
    std::string text;
    append_rune(text, rune);
    const Rune read = decode_rune(text + "tail");
    CHECK(read.value == rune);
    CHECK(read.length == text.size());
    CHECK(read.valid());
  }
}

TEST_CASE("bytes that are no UTF-8 are one invalid character each") {
  for (const std::string text : {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc3", "\xc3(", "\xe0\x80\x80", "\xe2\x82",
                                 "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    const Rune rune = decode_rune(text);
    CHECK_FALSE(rune.valid());
    CHECK(rune.length == 1);
    CHECK_FALSE(is_utf8("a" + text));
  }
  CHECK(is_utf8("a\uFFFD\u00e9\U0010ffff"));
  CHECK(is_utf8(""));
  CHECK(replace_invalid_utf8("a\xff\xc3\xa9\xe2\x82z") == "a\uFFFD\u00e9\uFFFD\uFFFDz");
  std::string surrogate;
  append_rune(surrogate, 0xD800);
  CHECK(surrogate == "\uFFFD");
}

}  // namespace
}  // namespace coracle
