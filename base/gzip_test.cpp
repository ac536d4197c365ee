#include "base/gzip.h"

#include <catch2/catch.hpp>

namespace coracle {

TEST_CASE("gzip is undone by gunzip within a limit") {
  std::string text;
  for (int i = 0; i < 50000; ++i) text += "line " + std::to_string(i) + "\n";
  const std::string packed = gzip(text);
  CHECK(packed.size() < text.size() / 2);
  CHECK(gunzip(packed, text.size()).value() == text);
  CHECK(gunzip(packed + gzip("more"), text.size() + 4).value() == text + "more");
  CHECK(gunzip(gzip(""), 0).value().empty());

  const auto large = gunzip(packed, text.size() - 1);
  REQUIRE_FALSE(large.ok());
  CHECK(large.error().reason() == Reason::RequestEntityTooLarge);
  for (const std::string& bad :
       {packed.substr(0, packed.size() / 2), packed + "x", std::string("no gzip"), std::string()}) {
    const auto result = gunzip(bad, text.size());
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().reason() == Reason::Corrupt);
  }
}

}  // namespace coracle
