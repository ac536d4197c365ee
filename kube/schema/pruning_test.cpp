#include "kube/schema/pruning.h"

#include <catch2/catch.hpp>

#include "base/json/json.h"
#include "kube/schema/crd_schema.h"

namespace coracle::kube {
namespace {

std::string pruned(std::string_view schema, std::string_view object, std::vector<std::string>* unknown = nullptr) {
  const auto source = json::read(schema);
  const auto value = json::read(object);
  REQUIRE(source.ok());
  REQUIRE(value.ok());
  const auto compiled = CompiledSchema::compile(*source);
  REQUIRE(compiled.ok());
  return json::write(prune(*value, (*compiled)->root(), unknown));
}

}  // namespace

TEST_CASE("unknown fields are dropped and told in document order") {
  std::vector<std::string> unknown;
  CHECK(
      pruned(R"({"type":"object","properties":{"spec":{"type":"object","properties":{"a":{"type":"string"},)"
             R"("list":{"type":"array","items":{"type":"object","properties":{"b":{"type":"integer"}}}},)"
             R"("map":{"type":"object","additionalProperties":{"type":"object","properties":{"c":{"type":)"
             R"("string"}}}}}}}})",
             R"({"zzz":1,"apiVersion":"v1","kind":"K","metadata":{"name":"n","nope":1},"spec":{"list":[{"b":1,"x":2}],)"
             R"("y":1,"a":"t","map":{"k":{"c":"d","e":"f"}}}})",
             &unknown) ==
      R"({"apiVersion":"v1","kind":"K","metadata":{"name":"n"},"spec":{"list":[{"b":1}],"a":"t","map":{"k":{"c":)"
      R"("d"}}}})");
  CHECK(unknown == std::vector<std::string>{"zzz", "metadata.nope", "spec.list[0].x", "spec.y", "spec.map.k.e"});
}

TEST_CASE("unknown fields are kept where the schema says so") {
  CHECK(pruned(R"({"type":"object","x-kubernetes-preserve-unknown-fields":true,"properties":{"a":{"type":"object",)"
               R"("properties":{"b":{"type":"string"}}}}})",
               R"({"x":{"y":1},"a":{"b":"c","d":"e"}})") == R"({"x":{"y":1},"a":{"b":"c"}})");
  CHECK(pruned(R"({"type":"object","properties":{"any":{"x-kubernetes-preserve-unknown-fields":true},"none":{"type":)"
               R"("object"}}})",
               R"({"any":{"y":[1]},"none":{"z":1}})") == R"({"any":{"y":[1]},"none":{}})");
  CHECK(pruned(R"({"type":"object","properties":{"t":{"type":"object","x-kubernetes-embedded-resource":true,)"
               R"("properties":{"spec":{"type":"object"}}}}})",
               R"({"t":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","bad":1},"spec":{"x":1},"other":1}})") ==
        R"({"t":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{}}})");
}

TEST_CASE("an object in place of a list has no known fields, a list in place of a map no known items") {
  std::vector<std::string> unknown;
  CHECK(pruned(R"({"type":"object","properties":{"l":{"type":"array","items":{"type":"string"}},"m":{"type":"object",)"
               R"("additionalProperties":{"type":"object","properties":{"a":{"type":"string"}}}}}})",
               R"({"l":{"q":1},"m":[{"q":1}]})", &unknown) == R"({"l":{},"m":[{"q":1}]})");
  CHECK(unknown == std::vector<std::string>{"l.q"});
}

TEST_CASE("what is complete is shared") {
  const auto value = json::read(R"({"a":{"b":"c"}})");
  const auto compiled = CompiledSchema::compile(
      *json::read(R"({"type":"object","properties":{"a":{"type":"object","properties":{"b":{"type":"string"}}}}})"));
  REQUIRE(compiled.ok());
  CHECK(prune(*value, (*compiled)->root()).same_tree(*value));
  const auto anything = CompiledSchema::anything();
  CHECK(prune(*value, anything->root()).same_tree(*value));
}

TEST_CASE("nulls of fields that are not nullable are dropped unless a default takes their place") {
  const auto compiled = CompiledSchema::compile(*json::read(
      R"({"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string","nullable":true},)"
      R"("c":{"type":"string","default":"x"},"m":{"type":"object","additionalProperties":{"type":"string"}}}})"));
  REQUIRE(compiled.ok());
  const auto value = json::read(R"({"a":null,"b":null,"c":null,"m":{"k":null,"l":"v"}})");
  CHECK(json::write(drop_nulls(*value, (*compiled)->root())) == R"({"b":null,"c":null,"m":{"l":"v"}})");
}

}  // namespace coracle::kube
