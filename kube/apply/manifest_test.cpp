#include "kube/apply/manifest.h"

#include <catch2/catch.hpp>

namespace coracle::kube {
namespace {

std::string names(const std::vector<Object>& objects) {
  std::string text;
  for (const Object& object : objects) text += std::string(object.kind()) + "/" + std::string(object.name()) + " ";
  return text;
}

}  // namespace

TEST_CASE("documents, lists and JSON become objects") {
  const std::string text =
      "# only a comment\n---\n"
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n"
      "apiVersion: v1\nkind: List\nitems:\n"
      "- {apiVersion: v1, kind: Secret, metadata: {name: b}}\n"
      "- {apiVersion: v1, kind: Service, metadata: {name: c}}\n---\n";
  CHECK(names(parse_manifest(text).value()) == "ConfigMap/a Secret/b Service/c ");
  CHECK(names(parse_manifest(R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"n"}})").value()) ==
        "Namespace/n ");
  CHECK(parse_manifest("").value().empty());
}

TEST_CASE("a document that says nothing is left out, tabs or not") {
  const std::string map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  t: |\n    x\n    \t# kept\n";
  for (const char* nothing : {"\t\n", "  \n\t  \n", "\t# only a comment\n", "# a\n \t# b\n\t\n"}) {
    INFO(nothing);
    CHECK(parse_manifest(nothing).value().empty());
    const auto objects = parse_manifest(nothing + ("---\n" + map) + "---\n" + nothing + "--- \n" + map);
    REQUIRE(objects.ok());
    CHECK(names(*objects) == "ConfigMap/a ConfigMap/a ");
    CHECK(objects->front()["data"]["t"].as_string() == "x\n\t# kept\n");
  }
  CHECK_FALSE(parse_manifest("\tkind: ConfigMap\n").ok());
}

TEST_CASE("a list without items is empty") {
  CHECK(parse_manifest("apiVersion: v1\nkind: List\nitems: null\n").value().empty());
  CHECK(parse_manifest("apiVersion: v1\nkind: ConfigMapList\nitems:\n").value().empty());
  CHECK_FALSE(parse_manifest("apiVersion: v1\nkind: List\n").ok());
}

TEST_CASE("items of a typed list are of its kind") {
  const auto objects = parse_manifest(R"({"apiVersion":"v1","kind":"ConfigMapList","items":[{"metadata":{"name":"a"}},)"
                                      R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"b"}}]})");
  CHECK(names(objects.value()) == "ConfigMap/a Secret/b ");
  CHECK(objects.value().front().api_version() == "v1");
  CHECK_FALSE(parse_manifest(R"({"apiVersion":"v1","kind":"List","items":[{"metadata":{"name":"a"}}]})").ok());
}

TEST_CASE("a list may have a name, and what only ends like one is an object") {
  constexpr std::string_view kItems = R"("metadata":{"name":"l"},"items":[{"apiVersion":"v1","kind":"Secret",)"
                                      R"("metadata":{"name":"b"}}]})";
  CHECK(names(parse_manifest(R"({"apiVersion":"v1","kind":"List",)" + std::string(kItems)).value()) == "Secret/b ");
  CHECK(names(parse_manifest(R"({"apiVersion":"ex.io/v1","kind":"AllowList",)" + std::string(kItems)).value()) ==
        "AllowList/l ");
}

TEST_CASE("a key that is given twice is an error, or the last counts") {
  constexpr std::string_view kTwice = "apiVersion: v1\nkind: Secret\nkind: ConfigMap\nmetadata: {name: a}\n";
  CHECK_FALSE(parse_manifest(kTwice).ok());
  CHECK(names(parse_manifest(kTwice, {.strict = false}).value()) == "ConfigMap/a ");
}

TEST_CASE("a bad document fails the text and is named") {
  const Result<std::vector<Object>> objects = parse_manifest(
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\nkind: ConfigMap\nmetadata: {name: b}\n");
  REQUIRE_FALSE(objects.ok());
  CHECK(objects.error().message() == "document 2 (line 5): apiVersion: expected a group and version such as \"v1\"");
  CHECK_FALSE(parse_manifest("a: [").ok());
  CHECK_FALSE(parse_manifest("just text").ok());
  CHECK_FALSE(parse_manifest("apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n").ok());
}

TEST_CASE("objects are applied definitions first and webhooks last") {
  std::vector<Object> objects;
  for (const auto& [version, kind] : std::initializer_list<std::pair<const char*, const char*>>{
           {"admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"},
           {"ex.io/v1", "Widget"},
           {"apps/v1", "Deployment"},
           {"v1", "Namespace"},
           {"apiextensions.k8s.io/v1", "CustomResourceDefinition"}}) {
    objects.emplace_back(
        Value::object({{"apiVersion", version}, {"kind", kind}, {"metadata", Value::object({{"name", "x"}})}}));
  }
  sort_for_apply(objects);
  CHECK(names(objects) ==
        "CustomResourceDefinition/x Namespace/x Deployment/x Widget/x ValidatingWebhookConfiguration/x ");
  CHECK(apply_stage("", "Namespace") == 1);
  CHECK(apply_stage("storage.k8s.io", "StorageClass") == 2);
  CHECK(apply_stage("apps", "Deployment") == 3);
}

}  // namespace coracle::kube
