#include <catch2/catch.hpp>

#include "base/json/json.h"
#include "kube/apiserver/internal/custom_resources/schemas.h"

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

}  // namespace coracle::kube::apiserver
