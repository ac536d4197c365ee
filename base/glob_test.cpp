#include "base/glob.h"

#include <catch2/catch.hpp>

namespace coracle {
namespace {

bool plain(std::string_view pattern, std::string_view text) {
  return glob_matches(pattern, text, DoubleStar::Star);
}
bool folders(std::string_view pattern, std::string_view text) {
  return glob_matches(pattern, text, DoubleStar::Folders);
}
bool anything(std::string_view pattern, std::string_view text) {
  return glob_matches(pattern, text, DoubleStar::Anything);
}

TEST_CASE("stars, question marks and classes stay between slashes") {
  for (const auto matches : {plain, folders, anything}) {
    CHECK(matches("*.yaml", "a.yaml"));
    CHECK(matches("*.yaml", ".yaml"));
    CHECK_FALSE(matches("*.yaml", "a/b.yaml"));
    CHECK_FALSE(matches("*", "a/b"));
    CHECK(matches("*/*", "a/b"));
    CHECK_FALSE(matches("a?b", "a/b"));
    CHECK_FALSE(matches("a[!x]b", "a/b"));
    CHECK(matches("[a-c]?.[!x]", "b1.y"));
    CHECK_FALSE(matches("[a-c]?.[!x]", "b1.x"));
    CHECK_FALSE(matches("[^a]", "a"));
    CHECK(matches("[]a]", "]"));
    CHECK(matches("[a-]", "-"));
    CHECK(matches("[\\]]", "]"));
    CHECK_FALSE(matches("[a", "a"));
    CHECK(matches("\\*", "*"));
    CHECK_FALSE(matches("\\*", "a"));
    CHECK(matches("a\\", "a\\"));
    CHECK(matches("?[\u00e0-\u00ff]", "\u00fc\u00e9"));
    CHECK_FALSE(matches("??", "\u00e9"));
    CHECK_FALSE(matches("*???", "\u20ac"));
    CHECK(matches("", ""));
    CHECK_FALSE(matches("", "a"));
    CHECK_FALSE(matches("a", ""));
    CHECK(matches("*", ""));
    CHECK(matches("*a*b*", "xaxaxbx"));
    CHECK_FALSE(matches("*a*b", "xaxbx"));
  }
}

TEST_CASE("two stars are as much as the dialect says") {
  CHECK_FALSE(plain("a/**", "a/b/c"));
  CHECK(plain("a/**", "a/b"));
  CHECK(folders("**/b.yaml", "a/x/b.yaml"));
  CHECK(folders("**/b.yaml", "b.yaml"));
  CHECK_FALSE(folders("**/b.yaml", "ab.yaml"));
  CHECK(folders("a/**", "a/b/c"));
  CHECK(folders("**", "a/b/c"));
  CHECK(folders("a/**/c", "a/c"));
  CHECK(folders("a/**/c", "a/b/b/c"));
  CHECK_FALSE(folders("a/**/c", "a/bc"));
  CHECK(folders("a/**/b/*.c", "a/b/x/b/y.c"));
  CHECK(folders("a/**/b/**/*c", "a/x/b/y/z/abc"));
  CHECK_FALSE(folders("a**c", "a/b/c"));
  CHECK(folders("a**c", "abc"));
  CHECK(anything("config/**.yaml", "config/x/a.yaml"));
  CHECK(anything("**/a.yaml", "x/y/a.yaml"));
  CHECK_FALSE(anything("**/a.yaml", "a.yaml"));
  CHECK(anything("a**c", "a/b/c"));
  CHECK(anything("**", ""));
  CHECK(anything("a/**/*.c", "a/b/c/d.c"));
  CHECK_FALSE(anything("**b*c", "a/b/c"));
  CHECK(anything("**b*c", "b/xbyc"));
}

TEST_CASE("many stars take no longer than a few") {
  const std::string name(40, 'a');
  std::string stars;
  for (int i = 0; i < 11; ++i) stars += "*a";
  const std::string path(20'000, 'a');
  for (const auto matches : {plain, folders, anything}) {
    CHECK_FALSE(matches(stars + "*b", name));
    CHECK_FALSE(matches("**/" + stars + "*b", name));
    CHECK_FALSE(matches(stars + "*b", path));
    CHECK_FALSE(matches("**" + stars + "*b", path));
    CHECK(matches(stars + "*", path));
  }
  std::string deep;
  for (int i = 0; i < 500; ++i) deep += "a/";
  CHECK_FALSE(folders("**/a/**/a/**/a/**/a/**/a/**/b", deep + "a"));
  CHECK_FALSE(anything("**a**a**a**a**a**a**a**b", deep + "a"));
  CHECK(folders("**/a/**/a/**/a/**/a/**/a/**/b", deep + "b"));
}

TEST_CASE("alternatives are patterns of their own") {
  const auto expanded = [](std::string_view pattern) { return expand_alternatives(pattern).value(); };
  using Patterns = std::vector<std::string>;
  CHECK(expanded("a*") == Patterns{"a*"});
  CHECK(expanded("{a,b}/{1,}") == Patterns{"a/1", "a/", "b/1", "b/"});
  CHECK(expanded("x{a,{b,c}d}") == Patterns{"xa", "xbd", "xcd"});
  CHECK(expanded("\\{a,b}[{]{c}") == Patterns{"\\{a,b}[{]c"});
  CHECK(expanded("{a,b").empty());
  std::string many;
  for (int i = 0; i < 40; ++i) many += "{a,b}";
  CHECK(expand_alternatives(many).error().message() == "the pattern has more than 1024 alternatives");
  CHECK_FALSE(expand_alternatives(std::string(5000, 'a')).ok());
}

}  // namespace
}  // namespace coracle
