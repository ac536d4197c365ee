#include "base/text.h"

#include <catch2/catch.hpp>

#include "base/backoff.h"

namespace coracle {
namespace {

TEST_CASE("split keeps empty pieces") {
  CHECK(split("a,,b", ',') == std::vector<std::string_view>{"a", "", "b"});
  CHECK(split("", ',') == std::vector<std::string_view>{""});
  CHECK(split("a,", ',') == std::vector<std::string_view>{"a", ""});
}

TEST_CASE("join puts the separator between parts, empty ones too") {
  CHECK(join(std::vector<std::string>{"a", "", "b"}, ", ") == "a, , b");
  CHECK(join(std::vector<std::string_view>{"", "x"}, "/") == "/x");
  CHECK(join(std::vector<std::string>{"alone"}, ",") == "alone");
  CHECK(join(std::vector<std::string>{}, ",").empty());
  CHECK(join(split("a/b/c", '/'), ".") == "a.b.c");
}

TEST_CASE("texts are found and replaced, in time that grows with the text alone") {
  CHECK(find_text("banana", "an") == 1);
  CHECK(find_text("banana", "an", 2) == 3);
  CHECK(find_text("banana", "x") == std::string_view::npos);
  CHECK(find_text("ab", "abc") == std::string_view::npos);
  CHECK(find_text("ab", "b", 3) == std::string_view::npos);
  CHECK(find_text("", "a") == std::string_view::npos);
  CHECK(find_text("ab", "", 2) == 2);
  CHECK(replace_all("banana", "an", "AN!") == "bAN!AN!a");
  CHECK(replace_all("aaa", "aa", "b") == "ba");
  CHECK(replace_all("none", "x", "y") == "none");
  CHECK(replace_all("", "x", "y").empty());
  const std::string text(4 * 1024 * 1024, 'a');
  CHECK(find_text(text, std::string(1024 * 1024, 'a') + "b") == std::string_view::npos);
}

TEST_CASE("hexadecimal digits have values") {
  CHECK(hex_value('0') == 0);
  CHECK(hex_value('9') == 9);
  CHECK(hex_value('a') == 10);
  CHECK(hex_value('F') == 15);
  for (const char c : {'g', 'G', '/', ':', '@', '`', ' ', '\0', 'P', '\x10'}) CHECK(hex_value(c) == -1);
}

TEST_CASE("trim and to_lower") {
  CHECK(trim(" \t a b\r\n") == "a b");
  CHECK(trim(" \n").empty());
  CHECK(to_lower("HeLLo-\u00c9") == "hello-\u00c9");
}

TEST_CASE("parse_int takes whole decimal numbers only") {
  CHECK(parse_int("-42") == -42);
  CHECK(parse_int<std::uint16_t>("65535") == 65535);
  CHECK(parse_int<std::uint64_t>("18446744073709551615") == UINT64_MAX);
  for (const char* text : {"", " 1", "1 ", "+1", "1x", "0x1", "1.0", "9223372036854775808"}) {
    INFO(text);
    CHECK_FALSE(parse_int(text).has_value());
  }
  CHECK_FALSE(parse_int<std::uint16_t>("65536").has_value());
  CHECK_FALSE(parse_int<std::uint16_t>("-1").has_value());
}

TEST_CASE("parse_signed_int takes one sign") {
  CHECK(parse_signed_int("+42") == 42);
  CHECK(parse_signed_int("-42") == -42);
  CHECK(parse_signed_int("42") == 42);
  for (const char* text : {"+", "+-5", "++5", "-+5", ""}) {
    INFO(text);
    CHECK_FALSE(parse_signed_int(text).has_value());
  }
}

TEST_CASE("back-off doubles up to its cap with jitter") {
  using std::chrono::milliseconds;
  const auto random = seeded_random(1);
  Backoff backoff(milliseconds(100), milliseconds(350), *random);
  for (const int full : {100, 200, 350, 350}) {
    const Duration delay = backoff.next();
    CHECK(delay <= milliseconds(full));
    CHECK(delay >= milliseconds(full * 3 / 4));
  }
  CHECK(backoff.failures() == 4);
  backoff.reset();
  CHECK(backoff.failures() == 0);
  CHECK(backoff.next() <= milliseconds(100));
}

}  // namespace
}  // namespace coracle
