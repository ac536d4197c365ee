#include "base/utf8.h"

#include <catch2/catch.hpp>
#include <iterator>

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
  CHECK(count_runes("a\xff\u00e9\U0010ffff") == 4);
  CHECK(count_runes("") == 0);
  CHECK(replace_invalid_utf8("a\xff\xc3\xa9\xe2\x82z") == "a\uFFFD\u00e9\uFFFD\uFFFDz");
  std::string surrogate;
  append_rune(surrogate, 0xD800);
  CHECK(surrogate == "\uFFFD");
}

TEST_CASE("a text is cut between characters") {
  CHECK(truncate_utf8("abc", 3) == "abc");
  CHECK(truncate_utf8("abcd", 3) == "abc");
  CHECK(truncate_utf8("abcd", 0).empty());
  const std::string text = "a\u00e9\u20ac\U0001f6f6b";  // 1, 2, 3, 4 and 1 bytes
  const std::size_t lengths[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11};
  for (std::size_t limit = 0; limit < std::size(lengths); ++limit) {
    CHECK(truncate_utf8(text, limit).size() == lengths[limit]);
  }
  // Nothing is lost of what is no text anyway.
  CHECK(truncate_utf8("\xff\xff\xff\xff", 3).size() == 3);
}

}  // namespace
}  // namespace coracle
