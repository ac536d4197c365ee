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
