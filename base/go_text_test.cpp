#include "base/go_text.h"

#include <catch2/catch.hpp>

#include "base/json/json.h"

namespace coracle {
namespace {

const Value kMixed = json::read(R"({"b":[true,null,"x y",[]],"a":{"n":-1,"f":1.5}})").value();

TEST_CASE("values are printed as Go prints them, maps by key") {
  CHECK(go_text(kMixed) == "map[a:map[f:1.5 n:-1] b:[true <nil> x y []]]");
  CHECK(go_syntax(kMixed) == R"(map[string]interface {}{"a":map[string]interface {}{"f":1.5, "n":-1}, )"
                             R"("b":[]interface {}{true, interface {}(nil), "x y", []interface {}{}}})");
  CHECK(go_syntax(kMixed["a"], "map[interface {}]interface {}") == R"(map[interface {}]interface {}{"f":1.5, "n":-1})");
}

TEST_CASE("kinds of values have the names of Go's types and of its JSON reader") {
  CHECK(go_type_name(Value()) == "<nil>");
  CHECK(go_type_name(Value(true)) == "bool");
  CHECK(go_type_name(Value(1)) == "int64");
  CHECK(go_type_name(Value(1.5)) == "float64");
  CHECK(go_type_name(kMixed) == "map[string]interface {}");
  CHECK(go_type_name(kMixed["b"]) == "[]interface {}");
  CHECK(json_kind_name(Value()) == "null");
  CHECK(json_kind_name(Value(1.5)) == "number");
  CHECK(json_kind_name(kMixed) == "object");
}

}  // namespace
}  // namespace coracle
