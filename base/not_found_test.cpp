#include "base/not_found.h"

#include <catch2/catch.hpp>
#include <string>

namespace coracle {
namespace {

const Error kMissing(Reason::NotFound, "no such thing");
const Error kBroken(Reason::Corrupt, "broken");

TEST_CASE("what is not there is nothing, other errors stay") {
  CHECK(if_there(Result<std::string>("here")).value() == "here");
  CHECK_FALSE(if_there(Result<std::string>(kMissing)).value().has_value());
  CHECK(if_there(Result<std::string>(kBroken)).error().reason() == Reason::Corrupt);
}

TEST_CASE("what is gone already counts as done, other errors stay") {
  CHECK(even_if_gone(Result<int>(1)).ok());
  CHECK(even_if_gone(Result<void>()).ok());
  CHECK(even_if_gone(Result<void>(kMissing)).ok());
  CHECK(even_if_gone(Result<int>(kBroken)).error().reason() == Reason::Corrupt);
}

}  // namespace
}  // namespace coracle
