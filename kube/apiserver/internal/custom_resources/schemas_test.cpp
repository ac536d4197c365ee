#include <catch2/catch.hpp>

#include "base/json/json.h"
#include "kube/apiserver/internal/custom_resources/schemas.h"
#include "kube/apiserver/internal/custom_resources/stored_text.h"

namespace coracle::kube::apiserver {
namespace {

StoredObjectPtr definition_with(std::string_view property, store::Revision revision) {
  const std::string text =
      R"({"kind":"CustomResourceDefinition","apiVersion":"apiextensions.k8s.io/v1",)"
      R"("metadata":{"name":"w.example.com"},)"
      R"("spec":{"group":"example.com","versions":[{"name":"v1","served":true,"storage":true,"schema":)"
      R"({"openAPIV3Schema":{"type":"object","description":"A widget.","properties":{")" +
      std::string(property) +
      R"(":{"type":"string"}}}}},{"name":"v2","served":true},{"name":"v0","served":false,"storage":false}]}})";
  return StoredObject::make(std::make_shared<const std::string>(text), revision).value();
}

}  // namespace

TEST_CASE("schemas of a definition are compiled when they are asked for", "[crd]") {
  const StoredObjectPtr stored = definition_with("size", 1);
  DefinitionSchemas schemas(stored->object().value(), stored);
  const Schema* first = schemas.find("example.com/v1");
  REQUIRE(first != nullptr);
  CHECK(first->find("size") != nullptr);
  CHECK(schemas.find("example.com/v1") == first);
  CHECK(schemas.find("example.com/v2")->preserve_unknown_fields);
  CHECK(schemas.find("example.com/v0") == nullptr);
  CHECK(schemas.find("example.org/v1") == nullptr);
  CHECK(schemas.published("v1")["description"].as_string() == "A widget.");
  CHECK(schemas.published("v2").is_null());
}

TEST_CASE("schemas of a definition are read from its latest bytes", "[crd]") {
  const StoredObjectPtr stored = definition_with("size", 1);
  DefinitionSchemas schemas(stored->object().value(), stored);
  schemas.set_source(definition_with("colour", 2));
  CHECK(schemas.find("example.com/v1")->find("colour") != nullptr);
}

TEST_CASE("stored text that its schema would leave as it is is told from other text", "[crd]") {
  const auto source = json::read(R"({"type":"object","properties":{"spec":{"type":"object","properties":{
      "a":{"type":"string"},"n":{"type":"string","nullable":true},"open":{"type":"object",
      "x-kubernetes-preserve-unknown-fields":true},"map":{"type":"object","additionalProperties":{"type":"object",
      "properties":{"x":{"type":"integer"}}}},"list":{"type":"array","items":{"type":"object",
      "properties":{"y":{"type":"string"}}}}}}}})");
  REQUIRE(source.ok());
  const auto compiled = CompiledSchema::compile(*source);
  REQUIRE(compiled.ok());
  const auto fits = [&](std::string_view metadata, std::string_view spec) {
    const std::string text = R"({"apiVersion":"e/v1","kind":"W","metadata":{)" + std::string(metadata) +
                             R"(},"spec":)" + std::string(spec) + "}";
    return fits_schema(text, (*compiled)->root());
  };
  const std::string_view usual = R"("name":"g","uid":"u","generation":1,"labels":{"l":""})";
  for (const char* spec : {"{}", R"({"a":"x"})", R"({"a":"}\"","open":{"b":{"c":[null,1]}}})", R"({"n":null})",
                           R"({ "map" : { "k" : { "x" : 1 } } , "list" : [ { "y" : "z" }, {} ] })",
                           R"({"list":[],"map":{}})", R"({"a":[1]})"}) {
    INFO(spec);
    CHECK(fits(usual, spec));
  }
  for (const char* spec : {R"({"b":1})", R"({"a":null})", R"({"map":{"k":{"y":1}}})", R"({"map":{"k":null}})",
                           R"({"list":[{"y":"z"},{"x":1}]})", R"({"list":{"y":1}})", R"({"\u0061":"x"})", R"({"a":"x")",
                           R"({"a":"x)", "{"}) {
    INFO(spec);
    CHECK_FALSE(fits(usual, spec));
  }
  for (const char* metadata :
       {R"("name":"g","uid":"u")", R"("name":"g","generation":0)", R"("name":"g","generation":1,"clusterName":"c")",
        R"("name":"g","generation":1,"labels":{})", R"("name":"g","generation":1,"creationTimestamp":null)"}) {
    INFO(metadata);
    CHECK_FALSE(fits(metadata, "{}"));
  }
  CHECK_FALSE(fits_schema(R"({"apiVersion":"e/v1","kind":"W","spec":{}})", (*compiled)->root()));
}

}  // namespace coracle::kube::apiserver
