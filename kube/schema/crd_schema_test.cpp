#include "kube/schema/crd_schema.h"

#include <catch2/catch.hpp>

#include "base/json/json.h"
#include "kube/schema/defaulting.h"

namespace coracle::kube {
namespace {

Value source_of(std::string_view text) {
  auto value = json::read(text);
  REQUIRE(value.ok());
  return *value;
}

std::shared_ptr<const CompiledSchema> compiled_of(std::string_view text) {
  auto compiled = CompiledSchema::compile(source_of(text));
  REQUIRE(compiled.ok());
  return *compiled;
}

// Each problem as "path: message", the path without its common beginning.
std::vector<std::string> schema_problems(std::string_view text, bool status = false) {
  std::vector<std::string> texts;
  for (const Cause& cause : validate_crd_schema(source_of(text), "s", status))
    texts.push_back(cause.field + ": " + cause.message);
  return texts;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("an OpenAPI schema becomes nodes of the table") {
  const auto compiled =
      compiled_of(R"({"type":"object","properties":{"spec":{"type":"object","required":["size"],)"
                  R"("properties":{)"
                  R"("size":{"type":"integer","format":"int32","default":3,"minimum":1},"port":{)"
                  R"("x-kubernetes-int-or-string":true},)"
                  R"("tags":{"type":"object","additionalProperties":{"type":"string"}},"parts":{"type":"array",)"
                  R"("x-kubernetes-list-type":"map",)"
                  R"("x-kubernetes-list-map-keys":["name"],"items":{"type":"object","properties":{"name":{"type":)"
                  R"("string"}}}}}}}})");
  const Schema& root = compiled->root();
  CHECK(root.kind == SchemaKind::Struct);
  CHECK(root.find("metadata")->schema == find_builtin_type("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"));
  CHECK(root.find("kind")->schema->kind == SchemaKind::String);
  const Schema& spec = *root.find("spec")->schema;
  const Field& size = *spec.find("size");
  CHECK(size.required);
  CHECK(size.pointer);
  CHECK(size.default_json == "3");
  CHECK(size.schema->format == Format::Int32);
  CHECK(size.schema->constraints->has_minimum);
  CHECK(spec.find("port")->schema->kind == SchemaKind::IntOrString);
  CHECK(spec.find("tags")->schema->kind == SchemaKind::Map);
  CHECK(spec.find("parts")->schema->list_type == ListType::Map);
  CHECK(spec.find("parts")->schema->list_map_keys.front() == "name");
  CHECK(root.has_defaults);
}

TEST_CASE("a member is found in every schema of a schema, but not among names of properties") {
  const Value schema = source_of(
      R"({"type":"object","properties":{"default":{"type":"array","items":{"type":"object","additionalProperties":)"
      R"({"type":"string","x-kubernetes-validations":[{"rule":"true"}]}}}}})");
  CHECK(schema_mentions(schema, "x-kubernetes-validations"));
  CHECK_FALSE(schema_mentions(schema, "default"));
}

TEST_CASE("defaults of a custom resource fill what is absent, and null where null is not allowed") {
  const auto compiled = compiled_of(
      R"({"type":"object","properties":{"spec":{"type":"object","default":{},"properties":{"a":{"type":"string",)"
      R"("default":"x"},)"
      R"("b":{"type":"string","nullable":true,"default":"y"},"n":{"type":"integer","default":5},"o":{"type":)"
      R"("object","properties":)"
      R"({"p":{"type":"boolean","default":true}}},"l":{"type":"array","items":{"type":"object","properties":{)"
      R"("q":{"type":"string",)"
      R"("default":"z"}}}},"m":{"type":"object","additionalProperties":{"type":"object","properties":{"r":{)"
      R"("type":"string",)"
      R"("default":"w"}}}}}}}})");
  const auto filled = [&](std::string_view text) {
    return json::write(apply_defaults(source_of(text), compiled->root(), WallTime()));
  };
  CHECK(filled("{}") == R"({"spec":{"a":"x","b":"y","n":5}})");
  CHECK(filled(R"({"spec":{"a":"","n":0}})") == R"({"spec":{"a":"","b":"y","n":0}})");
  CHECK(filled(R"({"spec":{"a":null,"b":null,"n":1}})") == R"({"spec":{"a":"x","b":null,"n":1}})");
  CHECK(filled(R"({"spec":{"a":"1","b":"2","n":3,"o":{},"l":[{},{"q":"k"}],"m":{"k":{}}}})") ==
        R"({"spec":{"a":"1","b":"2","n":3,"o":{"p":true},"l":[{"q":"z"},{"q":"k"}],"m":{"k":{"r":"w"}}}})");
}

TEST_CASE("good schemas are accepted") {
  CHECK(schema_problems(
            R"({"type":"object","properties":{"spec":{"type":"object","properties":{"a":{"type":"string",)"
            R"("pattern":"^a$",)"
            R"("default":"a"},"p":{"anyOf":[{"type":"integer"},{"type":"string"}],"x-kubernetes-int-or-string":true}},)"
            R"("oneOf":[{"required":["a"]},{"properties":{"p":{"minimum":1}}}]},"status":{"type":"object",)"
            R"("x-kubernetes-preserve-unknown-fields":true}},"required":["spec"]})",
            true) == Texts{});
}

TEST_CASE("schemas that are not structural are refused") {
  CHECK(schema_problems(R"({"properties":{"a":{},"l":{"type":"array"}}})") ==
        Texts{"s.properties[a].type: Required value: must not be empty for specified object fields",
              "s.properties[l].items: Required value: must be specified",
              "s.type: Required value: must not be empty at the root"});
  CHECK(schema_problems(R"({"type":"object","properties":{"l":{"type":"array","items":{}}}})") ==
        Texts{"s.properties[l].items.type: Required value: must not be empty for specified array items"});
  CHECK(schema_problems(R"({"type":"object","anyOf":[{"type":"object","properties":{"a":{"minimum":1}}}]})") ==
        Texts{"s.anyOf[0].type: Forbidden: must be empty to be structural",
              "s.properties[a]: Required value: because it is defined in s.anyOf[0].properties[a]"});
  CHECK(schema_problems(R"({"type":"string"})") ==
        Texts{"s.type: Invalid value: \"string\": must be object at the root"});
  CHECK(schema_problems(R"({"type":"object","nullable":true})") ==
        Texts{"s.nullable: Forbidden: nullable cannot be true at the root"});
  CHECK(schema_problems(R"({"type":"object","additionalProperties":{"type":"string"}})") ==
        Texts{"s.additionalProperties: Forbidden: must not be used at the root"});
  CHECK(schema_problems(R"({"type":"object","properties":{"metadata":{"type":"object","properties":{"labels":{"type":)"
                        R"("object"}}}}})") ==
        Texts{"s.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but "
              "metadata is "
              "implicitly specified"});
}

TEST_CASE("constructs without support are refused") {
  CHECK(
      schema_problems(
          R"({"type":"object","properties":{"a":{"type":"string","$ref":"#/x"},"b":{"type":"array","uniqueItems":true,)"
          R"("items":{"type":"string"}},"c":{"type":"object","properties":{"d":{"type":"string"}},)"
          R"("additionalProperties":{"type":"string"}},"e":{"type":"strange"}}})") ==
      Texts{"s.properties[a].$ref: Forbidden: $ref is not supported",
            "s.properties[b].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity "
            "becomes quadratic",
            "s.properties[c].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive",
            "s.properties[e].type: Unsupported value: \"strange\": supported values: \"array\", \"boolean\", "
            "\"integer\", "
            "\"number\", \"object\", \"string\""});
  CHECK(schema_problems(R"({"type":"object","properties":{"a":{"type":"string","pattern":"("}}})").size() == 1);
}

TEST_CASE("list types ask for fitting items") {
  CHECK(schema_problems(R"({"type":"object","properties":{"l":{"type":"array","x-kubernetes-list-type":"map",)"
                        R"("x-kubernetes-list-map-keys":["k","z"],"items":{"type":"object","properties":{"k":{"type":)"
                        R"("string"}}}}}})") ==
        Texts{"s.properties[l].items.properties[k].default: Required value: this property is in "
              "x-kubernetes-list-map-keys, so it "
              "must have a default or be a required property",
              "s.properties[l].x-kubernetes-list-map-keys: Invalid value: [\"k\",\"z\"]: entries must all be names of "
              "item properties"});
  CHECK(schema_problems(
            R"({"type":"object","properties":{"l":{"type":"array","x-kubernetes-list-type":"set","items":{"type":)"
            R"("object"}}}})") ==
        Texts{"s.properties[l].items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with "
              "x-kubernetes-list-type=set"});
}

TEST_CASE("defaults must fit their schema") {
  CHECK(
      schema_problems(R"({"type":"object","properties":{"a":{"type":"integer","default":"x"},"b":{"type":"object",)"
                      R"("default":{"c":1},"properties":{"d":{"type":"string"}}},"l":{"type":"array","default":[1],)"
                      R"("items":{"type":"string"}},"n":{"type":"string","default":null}}})") ==
      Texts{"s.properties[a].default: Invalid value: \"string\":  in body must be of type integer: \"string\"",
            "s.properties[b].default: Invalid value: {\"c\":1}: must not have unknown fields",
            "s.properties[l].default[0]: Invalid value: \"integer\": [0] in body must be of type string: \"integer\""});
}

TEST_CASE("a schema that is nested too deep is refused") {
  std::string text = R"({"type":"string"})";
  for (int i = 0; i < 90; ++i) text = R"({"type":"object","properties":{"a":)" + text + "}}";
  CHECK(CompiledSchema::compile(source_of(text)).ok());
  Value deep = source_of(text);
  for (int i = 0; i < 40; ++i) deep = Value::object({{"type", "object"}, {"properties", Value::object({{"a", deep}})}});
  const auto compiled = CompiledSchema::compile(deep);
  REQUIRE_FALSE(compiled.ok());
  CHECK(compiled.error().message().find("nested deeper") != std::string::npos);
  CHECK_FALSE(validate_crd_schema(deep, "s").empty());
}

TEST_CASE("formats that nobody knows are told, each once") {
  CHECK(unknown_formats(source_of(
            R"({"type":"object","properties":{"a":{"type":"string","format":"date-time"},"b":{"type":"string",)"
            R"("format":"ulid"},"c":{"type":"array","items":{"type":"integer","format":"int16"}},)"
            R"("d":{"type":"string","format":"ulid"},"e":{"type":"number","format":"double"},)"
            R"("f":{"anyOf":[{"format":"quantity"}]}}})")) == Texts{"ulid", "int16", "quantity"});
}

}  // namespace coracle::kube
