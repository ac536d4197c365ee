#include "kube/patch/field_set.h"

#include <catch2/catch.hpp>

#include "base/json/json.h"

namespace coracle::kube::patch {
namespace {

FieldSet fields(std::string_view json_text) {
  Result<Value> value = json::read(json_text);
  REQUIRE(value.ok());
  Result<FieldSet> set = FieldSet::from_fields_v1(*value);
  REQUIRE(set.ok());
  return *set;
}

std::string text_of(const FieldSet& set) {
  return json::write(set.to_fields_v1());
}

constexpr std::string_view kPod =
    R"({"f:metadata":{"f:labels":{".":{},"f:a":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"c\"}":{".":{},)"
    R"("f:image":{},"f:ports":{".":{},"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{"f:containerPort":{}}}}}}})";

}  // namespace

TEST_CASE("field sets read and write fieldsV1") {
  CHECK(text_of(fields(kPod)) == kPod);
  CHECK(text_of(fields("{}")) == "{}");
  CHECK(fields(R"({"f:a":{"f:b":{}}})") == FieldSet::of_fields({"a.b"}));
  // Keys in another order and with blanks are the same key.
  CHECK(text_of(fields(R"({"k:{\"b\":1, \"a\":2}":{}})")) == R"({"k:{\"a\":2,\"b\":1}":{}})");
  CHECK_FALSE(FieldSet::from_fields_v1(Value::object({{"spec", Value::object()}})).ok());
  CHECK_FALSE(FieldSet::from_fields_v1(Value("x")).ok());
  CHECK(FieldSet::from_fields_v1(Value())->empty());
}

TEST_CASE("field sets are written in upstream's order") {
  CHECK(text_of(
            fields(R"({"v:\"b\"":{},"f:z":{},"k:{\"p\":443}":{},"f:a":{},"k:{\"p\":80}":{},"i:1":{},"v:\"a\"":{}})")) ==
        R"({"f:a":{},"f:z":{},"k:{\"p\":80}":{},"k:{\"p\":443}":{},"v:\"a\"":{},"v:\"b\"":{},"i:1":{}})");
}

TEST_CASE("field sets combine") {
  const FieldSet a = fields(R"({"f:x":{".":{},"f:y":{}},"f:z":{}})");
  const FieldSet b = fields(R"({"f:x":{"f:y":{},"f:w":{}},"f:q":{}})");
  CHECK(text_of(a.united(b)) == R"({"f:q":{},"f:x":{".":{},"f:w":{},"f:y":{}},"f:z":{}})");
  CHECK(text_of(a.intersection(b)) == R"({"f:x":{"f:y":{}}})");
  CHECK(text_of(a.difference(b)) == R"({"f:x":{},"f:z":{}})");
  // Removing a parent keeps what lies below it, unless it is removed with everything.
  const FieldSet parent = fields(R"({"f:x":{}})");
  CHECK(text_of(a.difference(parent)) == R"({"f:x":{"f:y":{}},"f:z":{}})");
  CHECK(text_of(a.recursive_difference(parent)) == R"({"f:z":{}})");
  CHECK(text_of(a.leaves()) == R"({"f:x":{"f:y":{}},"f:z":{}})");
  CHECK(a.intersects(b));
  CHECK_FALSE(parent.intersects(b));
}

TEST_CASE("field sets name their paths") {
  std::vector<std::string> paths;
  fields(kPod).for_each([&](std::span<const PathElement> path) { paths.push_back(readable_path(path)); });
  CHECK(paths ==
        std::vector<std::string>{".metadata.labels", ".metadata.labels.a", R"(.spec.containers[name="c"])",
                                 R"(.spec.containers[name="c"].image)", R"(.spec.containers[name="c"].ports)",
                                 R"(.spec.containers[name="c"].ports[containerPort=80,protocol="TCP"].containerPort)"});
  FieldSet set;
  const PathElement path[] = {PathElement::field("a"), PathElement::value(Value("x"))};
  set.insert(path);
  CHECK(set.contains(path));
  CHECK_FALSE(set.contains(std::span(path).first(1)));
  CHECK(text_of(set) == R"({"f:a":{"v:\"x\"":{}}})");
}

}  // namespace coracle::kube::patch
