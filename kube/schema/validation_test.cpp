#include "kube/schema/validation.h"

#include <catch2/catch.hpp>

#include "base/json/json.h"
#include "kube/schema/crd_schema.h"

namespace coracle::kube {
namespace {

Value value_of(std::string_view text) {
  auto value = json::read(text);
  REQUIRE(value.ok());
  return *value;
}

// Each problem as "field: message (reason)".
std::vector<std::string> problems_of(std::string_view spec_schema, std::string_view spec, std::string_view old = {}) {
  const Value source =
      Value::object({{"type", "object"}, {"properties", Value::object({{"spec", value_of(spec_schema)}})}});
  const auto compiled = CompiledSchema::compile(source);
  REQUIRE(compiled.ok());
  const Value object = Value::object({{"spec", value_of(spec)}});
  const Value before = old.empty() ? Value() : Value::object({{"spec", value_of(old)}});
  std::vector<std::string> texts;
  for (const Cause& cause : validate(object, (*compiled)->root(), {}, old.empty() ? nullptr : &before)) {
    texts.push_back(cause.field + ": " + cause.message + " (" + cause.reason + ")");
  }
  return texts;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("problems are worded as upstream words them") {
  CHECK(problems_of(R"({"type":"object","properties":{"replicas":{"type":"integer","minimum":0}}})",
                    R"({"replicas":-1})") == Texts{"spec.replicas: Invalid value: -1: spec.replicas in body should be "
                                                   "greater than or equal to 0 (FieldValueInvalid)"});
  CHECK(problems_of(R"({"type":"object","properties":{"replicas":{"type":"integer"}}})", R"({"replicas":"x"})") ==
        Texts{"spec.replicas: Invalid value: \"string\": spec.replicas in body must be of type integer: \"string\" "
              "(FieldValueTypeInvalid)"});
  CHECK(problems_of(R"({"type":"object","required":["mode"],"properties":{"mode":{"type":"string"}}})", "{}") ==
        Texts{"spec.mode: Required value (FieldValueRequired)"});
  CHECK(problems_of(R"({"type":"string","enum":["a","b"]})", R"("z")") ==
        Texts{"spec: Unsupported value: \"z\": supported values: \"a\", \"b\" (FieldValueNotSupported)"});
  CHECK(problems_of(R"({"type":"string","maxLength":5})", R"("abcdef")") ==
        Texts{"spec: Too long: may not be more than 5 bytes (FieldValueTooLong)"});
  CHECK(problems_of(R"({"type":"string","minLength":2})", R"("é")") ==
        Texts{"spec: Invalid value: \"é\": spec in body should be at least 2 chars long (FieldValueInvalid)"});
  CHECK(problems_of(R"({"type":"string","pattern":"^x$"})", R"("y")") ==
        Texts{"spec: Invalid value: \"y\": spec in body should match '^x$' (FieldValueInvalid)"});
  CHECK(problems_of(R"({"type":"array","maxItems":8,"items":{"type":"integer"}})", "[1,2,3,4,5,6,7,8,9]") ==
        Texts{"spec: Too many: 9: must have at most 8 items (FieldValueTooMany)"});
  CHECK(problems_of(R"({"type":"array","minItems":1,"items":{"type":"integer"}})", "[]") ==
        Texts{"spec: Invalid value: 0: spec in body should have at least 1 items (FieldValueInvalid)"});
  CHECK(problems_of(R"({"type":"string","format":"ipv4"})", R"("1.2.3")") ==
        Texts{"spec: Invalid value: \"1.2.3\": spec in body must be of type ipv4: \"1.2.3\" (FieldValueTypeInvalid)"});
  CHECK(problems_of(R"({"type":"integer","format":"int32"})", "3000000000") ==
        Texts{"<nil>: Invalid value: \"\": Checked value must be of type integer with format int32 in spec "
              "(FieldValueInvalid)"});
  CHECK(problems_of(R"({"type":"number","multipleOf":0.5,"maximum":2,"exclusiveMaximum":true})", "2.25").size() == 2);
  CHECK(problems_of(R"({"type":"object","maxProperties":1,"additionalProperties":{"type":"string"}})",
                    R"({"a":"b","c":1})") == Texts{"spec: Too many: 2: must have at most 1 item (FieldValueTooMany)",
                                                   "spec.c: Invalid value: \"integer\": spec.c in body must be of type "
                                                   "string: \"integer\" (FieldValueTypeInvalid)"});
}

TEST_CASE("of a text's length and pattern the first problem is told; a fraction is no integer in any width") {
  CHECK(problems_of(R"({"type":"string","minLength":2,"pattern":"^[a-z]+$"})", R"("A")").size() == 1);
  CHECK(
      problems_of(R"({"type":"integer"})", "1.5") ==
      Texts{"spec: Invalid value: \"number\": spec in body must be of type integer: \"number\" (FieldValueTypeInvalid)",
            "<nil>: Invalid value: \"\": Checked value must be of type integer (default format) in spec "
            "(FieldValueInvalid)"});
}

TEST_CASE("null is a value of nullable fields only") {
  CHECK(problems_of(R"({"type":"string","nullable":true})", "null").empty());
  CHECK(problems_of(R"({"type":"string"})", "null") ==
        Texts{"spec: Invalid value: \"null\": spec in body must be of type string: \"null\" (FieldValueTypeInvalid)"});
}

TEST_CASE("numbers and texts of an int-or-string") {
  constexpr std::string_view kSchema =
      R"({"x-kubernetes-int-or-string":true,"anyOf":[{"type":"integer"},{"type":"string"}]})";
  CHECK(problems_of(kSchema, "1").empty());
  CHECK(problems_of(kSchema, R"("1%")").empty());
  CHECK(problems_of(kSchema, "true").size() == 3);
  CHECK(problems_of(R"({"type":"integer"})", "2.0").empty());
  CHECK(problems_of(R"({"type":"number"})", "2").empty());
}

TEST_CASE("alternatives") {
  constexpr std::string_view kOneOf =
      R"({"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"oneOf":[{"required":[)"
      R"("a"]},{"required":["b"]}]})";
  CHECK(problems_of(kOneOf, R"({"a":"x"})").empty());
  CHECK(problems_of(kOneOf, R"({"a":"x","b":"y"})") == Texts{"<nil>: Invalid value: \"\": \"spec\" must validate one "
                                                             "and only one schema (oneOf). Found 2 valid alternatives "
                                                             "(FieldValueInvalid)"});
  const Texts none = problems_of(kOneOf, "{}");
  REQUIRE(none.size() == 2);
  CHECK(none[0] ==
        "<nil>: Invalid value: \"\": \"spec\" must validate one and only one schema (oneOf). Found none valid "
        "(FieldValueInvalid)");
  CHECK(none[1] == "spec.a: Required value (FieldValueRequired)");
  CHECK(problems_of(R"({"type":"integer","anyOf":[{"maximum":1},{"minimum":5}]})", "3").size() == 2);
  CHECK(problems_of(R"({"type":"integer","not":{"enum":[3]}})", "3") ==
        Texts{"<nil>: Invalid value: \"\": \"spec\" must not validate the schema (not) (FieldValueInvalid)"});
  CHECK(problems_of(R"({"type":"integer","allOf":[{"maximum":1},{"minimum":0}]})", "2").size() == 2);
}

TEST_CASE("set and map lists hold nothing twice") {
  CHECK(problems_of(R"({"type":"array","x-kubernetes-list-type":"set","items":{"type":"string"}})",
                    R"(["a","b","a"])") == Texts{"spec[2]: Duplicate value: \"a\" (FieldValueDuplicate)"});
  constexpr std::string_view kMap =
      R"({"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["k"],"items":{"type":"object",)"
      R"("required":["k"],"properties":{"k":{"type":"string"},"v":{"type":"integer","maximum":1}}}})";
  CHECK(problems_of(kMap, R"([{"k":"a"},{"k":"a","v":1}])") ==
        Texts{R"(spec[1]: Duplicate value: {"k":"a"} (FieldValueDuplicate))"});

  // Unchanged parts were accepted before and are not complained about.
  CHECK(problems_of(kMap, R"([{"k":"b","v":9},{"k":"a","v":1}])", R"([{"k":"b","v":9}])").empty());
  CHECK(problems_of(kMap, R"([{"k":"b","v":8}])", R"([{"k":"b","v":9}])").size() == 1);
  CHECK(problems_of(R"({"type":"array","x-kubernetes-list-type":"set","items":{"type":"string"}})", R"(["a","a","b"])",
                    R"(["a","a"])")
            .empty());
}

TEST_CASE("built-in types validate by the same rules") {
  const Schema* deployment = find_builtin_type("io.k8s.api.apps.v1.DeploymentSpec");
  REQUIRE(deployment != nullptr);
  const auto problems =
      validate(value_of(R"({"selector":null,"template":{"spec":{"containers":[{"name":"a"},{"name":"a"}]}}})"),
               *deployment, "spec");
  REQUIRE(problems.size() == 2);
  CHECK(problems[0].field == "spec.selector");
  CHECK(problems[1].field == "spec.template.spec.containers[1]");
  // A node without drivers is a good one, and so is a condition without a time.
  CHECK(validate(value_of(R"({"drivers":null})"), *find_builtin_type("io.k8s.api.storage.v1.CSINodeSpec")).empty());
  CHECK(validate(value_of(R"({"type":"A","status":"True","lastTransitionTime":null,"reason":"R","message":""})"),
                 *find_builtin_type("io.k8s.apimachinery.pkg.apis.meta.v1.Condition"))
            .empty());
  const auto changed = validate_immutable(value_of(R"({"selector":{"matchLabels":{"a":"b"}}})"),
                                          value_of(R"({"selector":{"matchLabels":{"a":"c"}}})"), *deployment, "spec");
  REQUIRE(changed.size() == 1);
  CHECK(changed[0].message == R"(Invalid value: {"matchLabels":{"a":"b"}}: field is immutable)");
}

TEST_CASE("multiples and bounds of integers and of fractions") {
  constexpr const char* kTenth = R"({"type":"number","multipleOf":0.1})";
  for (const char* good : {"0.1", "0.3", "0.7", "3.3", "1.0"}) {
    CAPTURE(good);
    CHECK(problems_of(kTenth, good).empty());
  }
  CHECK(problems_of(kTenth, "0.15") == Texts{"spec: Invalid value: 0.15: spec in body should be a multiple of 0.1 "
                                             "(FieldValueInvalid)"});
  // An integer is divided by an integer, which nothing is left of here.
  CHECK(problems_of(kTenth, "1") == Texts{"spec: Invalid value: 0: factor MultipleOf declared for spec must be "
                                          "positive: 0 (FieldValueInvalid)"});
  CHECK(problems_of(R"({"type":"number","multipleOf":10000000000})", "1.5e300") ==
        Texts{"spec: Invalid value: 1.5e+300: spec in body should be a multiple of 1e+10 (FieldValueInvalid)"});
  CHECK(problems_of(R"({"type":"integer","multipleOf":5})", "9223372036854775807").size() == 1);
  CHECK(problems_of(R"({"type":"number","maximum":2.5,"exclusiveMaximum":true})", "2") ==
        Texts{"spec: Invalid value: 2: spec in body should be less than 2 (FieldValueInvalid)"});
  CHECK(problems_of(R"({"type":"number","minimum":1})", "-1e-9") ==
        Texts{"spec: Invalid value: -1e-09: spec in body should be greater than or equal to 1 (FieldValueInvalid)"});
  CHECK(problems_of(R"({"type":"integer","minimum":-3.5})", "1") ==
        Texts{"<nil>: Invalid value: \"\": Minimum boundary value must be of type integer (default format) in spec "
              "(FieldValueInvalid)"});
}

TEST_CASE("what is no integer, and what does not fit its format") {
  CHECK(problems_of(R"({"type":"integer"})", "1e18").size() == 1);
  CHECK(problems_of(R"({"type":"integer"})", "-9223372036854775809").size() == 2);
  CHECK(problems_of(R"({"x-kubernetes-int-or-string":true,"anyOf":[{"type":"integer"},{"type":"string"}]})", "true") ==
        Texts{"spec: Invalid value: \"boolean\": spec in body must be of type integer,string: \"boolean\" "
              "(FieldValueTypeInvalid)",
              "<nil>: Invalid value: \"\": \"spec\" must validate at least one schema (anyOf) (FieldValueInvalid)",
              "spec: Invalid value: \"boolean\": spec in body must be of type integer: \"boolean\" "
              "(FieldValueTypeInvalid)"});
  CHECK(problems_of(R"({"type":"integer"})", "1.0").empty());
  CHECK(problems_of(R"({"x-kubernetes-int-or-string":true})", "1e19").size() == 1);
  CHECK(problems_of(R"({"type":"integer","format":"int32"})", "1.5") ==
        Texts{"spec: Invalid value: \"float64\": spec in body must be of type int32: \"float64\" "
              "(FieldValueTypeInvalid)",
              "<nil>: Invalid value: \"\": Checked value must be of type integer with format int32 in spec "
              "(FieldValueInvalid)"});
  CHECK(problems_of(R"({"type":"number","format":"float"})", "1e39") ==
        Texts{"<nil>: Invalid value: \"\": Checked value must be of type number with format float in spec "
              "(FieldValueInvalid)"});
  CHECK(problems_of(R"({"type":"number","format":"float"})", "true") ==
        Texts{"spec: Invalid value: \"\": spec in body must be of type float: \"\" (FieldValueTypeInvalid)"});
  CHECK(problems_of(R"({"type":"string","format":"mac"})", "1") ==
        Texts{"spec: Invalid value: \"int64\": spec in body must be of type mac: \"int64\" (FieldValueTypeInvalid)"});
}

TEST_CASE("choices are compared as the type that they have") {
  CHECK(problems_of(R"({"type":"integer","enum":[1,2]})", "1.0").empty());
  CHECK(problems_of(R"({"type":"number","enum":[1.5,2]})", "2.5").empty());
  CHECK(problems_of(R"({"type":"string","nullable":true,"enum":["a",null]})", "null").size() == 1);
}

TEST_CASE("items are told before what is wrong with their list, a repeated one once") {
  CHECK(problems_of(R"({"type":"array","maxItems":1,"items":{"type":"integer"}})", R"(["a",1])") ==
        Texts{"spec[0]: Invalid value: \"string\": spec[0] in body must be of type integer: \"string\" "
              "(FieldValueTypeInvalid)",
              "spec: Too many: 2: must have at most 1 item (FieldValueTooMany)"});
  constexpr const char* kSet = R"({"type":"array","x-kubernetes-list-type":"set","items":{"type":"number"}})";
  CHECK(problems_of(kSet, "[1,1.0]").empty());
  CHECK(problems_of(kSet, "[1,2,1,1]") == Texts{"spec[2]: Duplicate value: 1 (FieldValueDuplicate)"});
  CHECK(problems_of(R"({"type":"object","additionalProperties":)" + std::string(kSet) + "}", R"({"x":[1,1]})") ==
        Texts{"spec[x][1]: Duplicate value: 1 (FieldValueDuplicate)"});
}

TEST_CASE("values are shown as Go shows them") {
  CHECK(problems_of(R"({"type":"string","maxLength":1})", R"("ab")") ==
        Texts{"spec: Too long: may not be more than 1 byte (FieldValueTooLong)"});
  CHECK(problems_of(R"({"type":"string","pattern":"^a$"})", R"("a\u0000\u007f")") ==
        Texts{R"(spec: Invalid value: "a\x00\x7f": spec in body should match '^a$' (FieldValueInvalid))"});
  CHECK(problems_of(R"({"type":"object","x-kubernetes-preserve-unknown-fields":true,"enum":[{"a":1}]})",
                    R"({"z":1,"b":{"y":1,"x":2}})") ==
        Texts{R"(spec: Unsupported value: {"b":{"x":2,"y":1},"z":1}: supported values: "{\"a\":1}" )"
              "(FieldValueNotSupported)"});
}

TEST_CASE("an enum of a definition's schema may name null") {
  const Schema* props = find_builtin_type("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps");
  REQUIRE(props != nullptr);
  const Value value = json::read(R"({"type":"string","nullable":true,"enum":["a",null]})").value();
  CHECK(validate(value, *props).empty());
}

}  // namespace coracle::kube
