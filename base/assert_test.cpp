#include <catch2/catch.hpp>

// Here the name belongs to base/assert.h.
#undef CHECK
#include "base/assert.h"
#include "base/testing/standard_error.h"

namespace coracle {
namespace {

std::string divide(int a, int b) {
  if (BUG_IF(b == 0)) return "bug";
  return std::to_string(a / b);
}

TEST_CASE("BUG_IF fails the work at hand, is counted and printed") {
  const std::uint64_t before = bug_count();
  REQUIRE(divide(6, 3) == "2");
  REQUIRE(bug_count() == before);
  const testing::StandardErrorCapture capture;
  REQUIRE(divide(6, 0) == "bug");
  REQUIRE(bug_count() == before + 1);
  REQUIRE(capture.text().starts_with("error BUG_IF(b == 0) at assert_test.cpp:"));
}

TEST_CASE("CHECK ends the process") {
  const int stored = 1;
  CHECK(stored == 1);
  REQUIRE(testing::output_of_abort([&] { CHECK(stored == 2); }).find("CHECK(stored == 2)") == 0);
  REQUIRE(testing::output_of_abort([&] { CHECK(stored == 1); }).empty());
}

}  // namespace
}  // namespace coracle
