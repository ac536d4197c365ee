#include "base/json/json.h"

#include <catch2/catch.hpp>
#include <cmath>

namespace coracle::json {
namespace {

Value parsed(std::string_view text) {
  Result<Value> value = read(text);
  if (!value.ok()) FAIL(value.error().message());
  return *value;
}

std::string error_of(std::string_view text) {
  const Result<Value> value = read(text);
  REQUIRE_FALSE(value.ok());
  CHECK(value.error().reason() == Reason::BadRequest);
  return value.error().message();
}

bool says(const std::string& text, std::string_view part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

TEST_CASE("json reads every kind") {
  const Value value = parsed(R"({"a":[1,-2,1.5,true,false,null,"x\u00e9\n"],"b":{},"c":[]})");
  CHECK(value["a"].at(0).is_int());
  CHECK(value["a"].at(1).as_int() == -2);
  CHECK(value["a"].at(2).as_double() == 1.5);
  CHECK(value["a"].at(5).is_null());
  CHECK(value["a"].at(6).as_string() == "x\u00e9\n");
  CHECK(value["b"].is_object());
  CHECK(value["c"].is_array());
  CHECK(parsed(" 7 ").as_int() == 7);
}

TEST_CASE("json integers that do not fit 64 bits become doubles") {
  CHECK(parsed("9223372036854775807").as_int() == INT64_MAX);
  CHECK(parsed("-9223372036854775808").as_int() == INT64_MIN);
  CHECK(parsed("9223372036854775808").as_double() == 9223372036854775808.0);
  CHECK(parsed("123456789012345678901234567890").is_double());
  CHECK(parsed("1.0").is_double());
  CHECK(parsed("1e2").is_double());
}

TEST_CASE("json reads whatever the grammar allows between and inside tokens") {
  const Value value = parsed(" {\r\n\t\"a\" : [ ] , \"b\" :{ } ,\"c\": [ [ 0 , -0 ] , 1E+2, 5e-1 ] } \n");
  CHECK(value["a"].is_array());
  CHECK(value["b"].is_object());
  CHECK(value["c"].at(0).at(1).as_int() == 0);
  CHECK(value["c"].at(1).as_double() == 100);
  CHECK(value["c"].at(2).as_double() == 0.5);
  CHECK(parsed(R"("\"\\\/\b\f\n\r\t\u003c\u00e9\u20ac\ud83d\ude00")").as_string() ==
        "\"\\/\b\f\n\r\t<\u00e9\u20ac\U0001F600");
  CHECK(parsed("\"\u00e9\u20ac\U0001F600\"").as_string() == "\u00e9\u20ac\U0001F600");
  CHECK(parsed(R"("\u0000")").as_string() == std::string_view("\0", 1));
}

TEST_CASE("json refuses what only looks like it") {
  for (const std::string_view text :
       {"01", "-", "+1", ".5", "1.", "1e", "1e+", "0x1", "nul", "truex", "[1,]", "{\"a\":1,}", "{\"a\" 1}", "{1:2}",
        "[1}", "{\"a\":1]", "]", "[", "{", "\"", "\"\\x\"", "\"\\u12g4\"", "\"\\u+123\"", "\"\\ud800\"", "\"\n\"",
        "\"\xc0\x80\"", "\"\xe0\x80\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xe2\x82\"", "[] []"}) {
    INFO(text);
    CHECK_FALSE(read(text).ok());
  }
}

TEST_CASE("json ends where the text does, not at a NUL") {
  CHECK(says(error_of(std::string_view("{\"a\":1}\n\0x", 10)), "line 2, column 1: unexpected NUL"));
  CHECK(says(error_of(std::string_view("1\0", 2)), "line 1, column 2: unexpected NUL"));
}

TEST_CASE("json errors tell line, column and what was expected") {
  CHECK(says(error_of("{\n  \"a\": 1,\n  b\n}"), "line 3, column 3"));
  CHECK(says(error_of("{\"a\":1 \"b\":2}"), "expected '}'"));
  CHECK(says(error_of(""), "line 1, column 1"));
  CHECK(says(error_of("[1,"), "unexpected end of input"));
  CHECK(says(error_of("1 2"), "expected end of input"));
  CHECK(says(error_of("\"\xff\""), "invalid string"));
  CHECK(says(error_of("1e999"), "line 1"));
  CHECK_FALSE(says(error_of("{\"password\":\"secret\" x"), "secret"));
}

TEST_CASE("json depth is limited") {
  const std::string deep = std::string(200, '[') + std::string(200, ']');
  CHECK(read(deep).ok());
  CHECK(says(error_of("\n" + std::string(201, '[')), "line 2, column 201: nested deeper than 200 levels"));
  const Result<Value> shallow = read(R"({"a":"{[","b":{}})", {.max_depth = 1});
  REQUIRE_FALSE(shallow.ok());
  CHECK(says(shallow.error().message(), "column 15"));
}

TEST_CASE("json reports repeated keys by path, in document order, once each") {
  std::vector<std::string> duplicates;
  std::string text =
      R"({"data":{"a":1,"b":2,"a":3,"a":4},"spec":{"containers":[{"name":"x"},{"name":"y","name":"z"}]},)"
      R"("data":{"c":1}})";
  const Result<Value> value = read(text, {.duplicates = &duplicates});
  REQUIRE(value.ok());
  CHECK(duplicates == std::vector<std::string>{"data.a", "spec.containers[1].name", "data"});
  CHECK((*value)["data"]["c"].as_int() == 1);
  CHECK((*value)["spec"]["containers"].at(1)["name"].as_string() == "z");

  duplicates.clear();
  text = "{";
  for (int i = 0; i < 50; ++i) text += "\"k" + std::to_string(i) + "\":" + std::to_string(i) + ",";
  text += R"("k40":1,"k2":2})";
  REQUIRE(read(text, {.duplicates = &duplicates}).ok());
  CHECK(duplicates == std::vector<std::string>{"k40", "k2"});
}

TEST_CASE("json leaves out what is at a path, wherever arrays stand on the way") {
  const auto without = [](std::string_view text, std::string_view path) {
    const auto read = json::read(text, {.omit = path});
    return read.ok() ? json::write(*read) : read.error().message();
  };
  CHECK(without(R"({"a":{"m":[1,{"x":"y","m":{}}],"n":2},"m":3})", "a.m") == R"({"a":{"n":2},"m":3})");
  CHECK(without(R"({"items":[{"a":{"m":{"a":{"m":1}},"b":1}},{"a":null},[[{"a":{"m":"s"}}]]]})", "items.a.m") ==
        R"({"items":[{"a":{"b":1}},{"a":null},[[{"a":{}}]]]})");
  CHECK(without(R"({"x":{"a":{"m":1}},"data":{"m":1},"a":5})", "a.m") == R"({"x":{"a":{"m":1}},"data":{"m":1},"a":5})");
  CHECK(without(R"({"m":1,"m":{"m":2},"n":3})", "m") == R"({"n":3})");
  // Still checked, by either parser.
  CHECK(without(R"({"m":[1,}]})", "m").starts_with("invalid JSON at line 1, column 9"));
  CHECK(without("{\"m\":{\"k\":\"\\ud83d\\ude00\",\"l\":[{}]},\"n\":1}", "m") == R"({"n":1})");
}

TEST_CASE("json strings are escaped as Go does") {
  CHECK(write("<a href=\"x\">&</a>") == R"("\u003ca href=\"x\"\u003e\u0026\u003c/a\u003e")");
  CHECK(write_raw("<&>\u2028") == R"("<&>\u2028")");
  CHECK(write("\b\f\n\r\t\\\x01\x1f\x7f") == "\"\\b\\f\\n\\r\\t\\\\\\u0001\\u001f\x7f\"");
  CHECK(write("a\u2028b\u2029c") == R"("a\u2028b\u2029c")");
  CHECK(write("\u00e9\u20ac\U0001F600") == "\"\u00e9\u20ac\U0001F600\"");
  CHECK(write("a\xff\xc0\x80z") == R"("a\ufffd\ufffd\ufffdz")");
  CHECK(write("\xed\xa0\x80") == R"("\ufffd\ufffd\ufffd")");  // a surrogate
  CHECK(write("\xe2\x82") == R"("\ufffd\ufffd")");            // cut short
  CHECK(write(std::string_view("\0", 1)) == R"("\u0000")");
}

TEST_CASE("json finds what needs an escape wherever it stands") {
  for (std::size_t length = 1; length <= 20; ++length) {
    for (std::size_t at = 0; at < length; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(length, 'a');
        text[at] = static_cast<char>(byte);
        const std::string bare = "\"" + text + "\"";
        const bool unescaped = byte >= ' ' && byte < 0x80 && byte != '"' && byte != '\\';
        const bool html = byte == '<' || byte == '>' || byte == '&';
        if ((write(text) == bare) != (unescaped && !html) || (write_raw(text) == bare) != unescaped ||
            read(bare).ok() != unescaped || (byte < 0x80 && read(write(text)).value_or(Value()) != Value(text))) {
          FAIL("byte " << byte << " at " << at << " of " << length);
        }
      }
    }
  }
}

TEST_CASE("json numbers are printed as Go does") {
  CHECK(format_double(0) == "0");
  CHECK(format_double(-0.0) == "-0");
  CHECK(format_double(1) == "1");
  CHECK(format_double(-2.5) == "-2.5");
  CHECK(format_double(0.1) == "0.1");
  CHECK(format_double(100) == "100");
  CHECK(format_double(1e-6) == "0.000001");
  CHECK(format_double(9.5e-7) == "9.5e-7");
  CHECK(format_double(1e-10) == "1e-10");
  CHECK(format_double(1e20) == "100000000000000000000");
  CHECK(format_double(123456789012345680000.0) == "123456789012345680000");
  CHECK(format_double(1e21) == "1e+21");
  CHECK(format_double(1.5e300) == "1.5e+300");
  CHECK(format_double(5e-324) == "5e-324");
  CHECK(format_double(1.7976931348623157e308) == "1.7976931348623157e+308");
  CHECK(format_double(3.141592653589793) == "3.141592653589793");
  CHECK(write(INT64_MIN) == "-9223372036854775808");
}

TEST_CASE("json layouts") {
  const Value value = parsed(R"({"b":[1,{"z":1,"y":[]}],"a":{}})");
  CHECK(write(value) == R"({"b":[1,{"z":1,"y":[]}],"a":{}})");
  CHECK(write_sorted(value) == R"({"a":{},"b":[1,{"y":[],"z":1}]})");
  CHECK(write_pretty(value) ==
        "{\n  \"b\": [\n    1,\n    {\n      \"z\": 1,\n      \"y\": []\n    }\n  ],\n  \"a\": {}\n}");
  CHECK(write_pretty(Value::array({1}), 4) == "[\n    1\n]");
  std::string out = "x=";
  write_to(out, value["b"].at(0));
  CHECK(out == "x=1");
}

TEST_CASE("json takes no byte for an end but the right one") {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    INFO(byte);
    CHECK(read(std::string("[") + c).ok() == (c == ']'));
    CHECK(read(std::string("\"") + c).ok() == (c == '"'));
    CHECK_FALSE(read(std::string("{\"a\":") + c).ok());
    CHECK(read(std::string(1, c)).ok() == (c >= '0' && c <= '9'));
  }
}

}  // namespace
}  // namespace coracle::json
