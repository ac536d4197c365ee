#include "kube/schema/validation.h"

#include <catch2/catch.hpp>

#include "base/json/json.h"
#include "kube/schema/crd_schema.h"
#include "kube/schema/internal/formats.h"

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
  CHECK(problems_of(kSchema, "true").size() == 1);
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

TEST_CASE("formats") {
  struct {
    std::string_view format, good, bad;
  } const rows[] = {
      {"ipv6", "::1", "1.2.3.4"},
      {"cidr", "10.0.0.0/8", "10.0.0.0/33"},
      {"mac", "00:1b:63:84:45:e6", "00:1b:63"},
      {"uuid", "A5D2B6E0-1c3b-4f6e-9d1a-0123456789ab", "a5d2"},
      {"date", "2026-02-28", "2026-02-30"},
      {"date-time", "2026-02-28T01:02:03.5Z", "2026-02-28"},
      {"duration", "1h30m", "soon"},
      {"email", "a@b.c", "a.b.c"},
      {"hostname", "a.example.com", "-a..b"},
      {"uri", "https://a/b", "a b"},
      {"byte", "AAEC", "?"},
      {"hexcolor", "#fff", "#ff"},
      {"isbn", "978-0321751041", "978-0321751042"},
      {"isbn10", "0321751043", "0321751044"},
      {"creditcard", "4111 1111 1111 1111", "4111 1111 1111 1112"},
      {"k8s-short-name", "abc-1", "Abc"},
      {"k8s-long-name", "abc.d-1", "abc..d"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.format);
    CHECK(internal::matches_format(row.format, row.good));
    CHECK_FALSE(internal::matches_format(row.format, row.bad));
  }
  CHECK(internal::matches_format("something-else", "anything"));
}

}  // namespace coracle::kube
