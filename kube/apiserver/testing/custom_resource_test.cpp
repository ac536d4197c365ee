#include <catch2/catch.hpp>

#include "base/json/json.h"
#include "base/yaml/yaml.h"
#include "kube/apiserver/testing/test_server.h"
#include "kube/object/conditions.h"

namespace coracle::kube::apiserver::testing {

namespace {

constexpr const char* kDefinitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
constexpr const char* kMergePatch = "application/merge-patch+json";

std::string definition_json(std::string_view plural, std::string_view kind, std::string_view versions) {
  return R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":")" +
         std::string(plural) +
         R"(.test.example.com"},"spec":{"group":"test.example.com","scope":"Cluster","names":{"plural":")" +
         std::string(plural) + R"(","kind":")" + std::string(kind) + R"("},"versions":)" + std::string(versions) + "}}";
}

constexpr const char* kOpenVersion =
    R"([{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object",
        "x-kubernetes-preserve-unknown-fields":true}}}])";

Value conditions_of(TestServer& server, const std::string& name) {
  return server.request("GET", std::string(kDefinitions) + "/" + name).tree["status"]["conditions"];
}

}  // namespace

TEST_CASE("a definition is established and its objects can be made at once") {
  TestServer::run([](TestServer& server) {
    REQUIRE(server.request("POST", kDefinitions, definition_json("gadgets", "Gadget", kOpenVersion)).status == 201);
    const auto made =
        server.request("POST", "/apis/test.example.com/v1/gadgets",
                       R"({"apiVersion":"test.example.com/v1","kind":"Gadget","metadata":{"name":"g"},"x":1})");
    CHECK(made.status == 201);
    CHECK(made.tree["x"].as_int() == 1);
    server.settle();
    const Value conditions = conditions_of(server, "gadgets.test.example.com");
    CHECK(condition_is_true(conditions, "NamesAccepted"));
    CHECK(condition_is_true(conditions, "Established"));
    CHECK(find_condition(conditions, "Established")["reason"].as_string() == "InitialNamesAccepted");
  });
}

TEST_CASE("two definitions cannot have one kind") {
  TestServer::run([](TestServer& server) {
    REQUIRE(server.request("POST", kDefinitions, definition_json("gadgets", "Gadget", kOpenVersion)).status == 201);
    server.settle();
    REQUIRE(server.request("POST", kDefinitions, definition_json("others", "Gadget", kOpenVersion)).status == 201);
    server.settle();
    const Value conditions = conditions_of(server, "others.test.example.com");
    CHECK(find_condition(conditions, "NamesAccepted")["status"].as_string() == "False");
    CHECK(find_condition(conditions, "NamesAccepted")["reason"].as_string() == "ListKindConflict");
    CHECK(find_condition(conditions, "Established")["status"].as_string() == "False");
    CHECK(server.request("GET", "/apis/test.example.com/v1/others").status == 404);
    CHECK(server.request("GET", "/apis/test.example.com/v1/gadgets").status == 200);
  });
}

TEST_CASE("a deleted definition takes its objects along and is gone") {
  TestServer::run([](TestServer& server) {
    REQUIRE(server.request("POST", kDefinitions, definition_json("gadgets", "Gadget", kOpenVersion)).status == 201);
    const std::string body = R"({"apiVersion":"test.example.com/v1","kind":"Gadget","metadata":{"name":"g"}})";
    REQUIRE(server.request("POST", "/apis/test.example.com/v1/gadgets", body).status == 201);
    const std::string held =
        R"({"apiVersion":"test.example.com/v1","kind":"Gadget","metadata":{"name":"h","finalizers":["a.b/c"]}})";
    REQUIRE(server.request("POST", "/apis/test.example.com/v1/gadgets", held).status == 201);
    server.settle();
    const std::string path = std::string(kDefinitions) + "/gadgets.test.example.com";
    REQUIRE(server.request("DELETE", path).status == 200);
    server.settle();
    CHECK(server.request("GET", "/apis/test.example.com/v1/gadgets/g").status == 404);
    CHECK(server.request("GET", "/apis/test.example.com/v1/gadgets/h").status == 200);
    CHECK(server.request("GET", path).status == 200);
    REQUIRE(server
                .request("PATCH", "/apis/test.example.com/v1/gadgets/h", R"({"metadata":{"finalizers":null}})",
                         {{"Content-Type", kMergePatch}})
                .status == 200);
    server.advance(std::chrono::seconds(5));
    server.settle();
    CHECK(server.request("GET", path).status == 404);
    CHECK(server.request("GET", "/apis/test.example.com/v1/gadgets").status == 404);
    CHECK(server.request("GET", "/apis/test.example.com/v1").status == 404);
  });
}

TEST_CASE("defaults of the written version show on write and on read, also new ones on old objects") {
  TestServer::run([](TestServer& server) {
    const std::string plain =
        R"([{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":
            {"spec":{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}}}}}}}])";
    REQUIRE(server.request("POST", kDefinitions, definition_json("gadgets", "Gadget", plain)).status == 201);
    REQUIRE(
        server
            .request("POST", "/apis/test.example.com/v1/gadgets",
                     R"({"apiVersion":"test.example.com/v1","kind":"Gadget","metadata":{"name":"g"},"spec":{"a":"x"}})")
            .status == 201);
    const std::string patch =
        R"({"spec":{"versions":[
          {"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":
            {"spec":{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string","default":"one"}}}}}}},
          {"name":"v2","served":true,"storage":false,"schema":{"openAPIV3Schema":{"type":"object","properties":
            {"spec":{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"},
             "c":{"type":"string","default":"two"}}}}}}}]}})";
    REQUIRE(server
                .request("PATCH", std::string(kDefinitions) + "/gadgets.test.example.com", patch,
                         {{"Content-Type", kMergePatch}})
                .status == 200);
    const auto v1 = server.request("GET", "/apis/test.example.com/v1/gadgets/g").tree;
    CHECK(v1["spec"]["b"].as_string() == "one");
    const auto v2 = server.request("GET", "/apis/test.example.com/v2/gadgets").tree["items"].at(0);
    CHECK(v2["apiVersion"].as_string() == "test.example.com/v2");
    CHECK(v2["spec"]["b"].as_string() == "one");
    CHECK_FALSE(v2["spec"].contains("c"));
  });
}

namespace {

// Two versions of one shape whose defaults differ.
constexpr const char* kTwoVersions =
    R"([{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":
        {"spec":{"type":"object","properties":{"a":{"type":"string","default":"one"},"b":{"type":"string"},
          "any":{"x-kubernetes-preserve-unknown-fields":true},
          "m":{"type":"object","additionalProperties":{"type":"string","default":"in"}}}}}}}},
        {"name":"v2","served":true,"storage":false,"schema":{"openAPIV3Schema":{"type":"object","properties":
        {"spec":{"type":"object","properties":{"a":{"type":"string","default":"two"},"b":{"type":"string"},
          "m":{"type":"object","additionalProperties":{"type":"string","default":"in"}}}}}}}}])";

TestServer::Answer apply_gadget(TestServer& server, const std::string& version, const std::string& manager,
                                const std::string& spec) {
  return server.request("PATCH", "/apis/test.example.com/" + version + "/gadgets/g?force=true&fieldManager=" + manager,
                        R"({"apiVersion":"test.example.com/)" + version +
                            R"(","kind":"Gadget","metadata":{"name":"g"},"spec":)" + spec + "}",
                        {{"Content-Type", "application/apply-patch+yaml"}});
}

}  // namespace

TEST_CASE("a field with a default that its applier drops goes back to it, whoever else wrote in another version") {
  TestServer::run([](TestServer& server) {
    REQUIRE(server.request("POST", kDefinitions, definition_json("gadgets", "Gadget", kTwoVersions)).status == 201);
    REQUIRE(apply_gadget(server, "v1", "first", R"({"a":"mine"})").status == 201);
    REQUIRE(apply_gadget(server, "v2", "second", R"({"b":"x"})").status == 200);
    const auto dropped = apply_gadget(server, "v1", "first", "{}");
    CHECK(dropped.tree["spec"]["a"].as_string() == "one");
    CHECK(dropped.tree["spec"]["b"].as_string() == "x");
    CHECK(apply_gadget(server, "v2", "first", R"({"a":"again"})").tree["spec"]["a"].as_string() == "again");
    CHECK(apply_gadget(server, "v1", "first", "{}").tree["spec"]["a"].as_string() == "one");
  });
}

TEST_CASE("an applied null takes the default, or is an error where null is not allowed") {
  TestServer::run([](TestServer& server) {
    REQUIRE(server.request("POST", kDefinitions, definition_json("gadgets", "Gadget", kTwoVersions)).status == 201);
    const auto filled = apply_gadget(server, "v1", "first", R"({"a":null,"m":{"k":null}})");
    CHECK(filled.status == 201);
    CHECK(filled.tree["spec"]["a"].as_string() == "one");
    CHECK(filled.tree["spec"]["m"]["k"].as_string() == "in");
    const auto refused = apply_gadget(server, "v1", "first", R"({"b":null})");
    CHECK(refused.status == 422);
    CHECK(refused.tree["details"]["causes"].at(0)["field"].as_string() == "spec.b");
    CHECK_FALSE(apply_gadget(server, "v1", "first", R"({"b":"x","any":null})").tree["spec"].contains("any"));
  });
}

TEST_CASE("what was invalid already and does not change may be updated") {
  TestServer::run([](TestServer& server) {
    const auto versions = [](const char* maximum) {
      return std::string(R"([{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object",
        "properties":{"spec":{"type":"object","properties":{"a":{"type":"integer","maximum":)") +
             maximum + R"(},"b":{"type":"integer"}}}}}}}])";
    };
    REQUIRE(server.request("POST", kDefinitions, definition_json("gadgets", "Gadget", versions("10"))).status == 201);
    REQUIRE(
        server
            .request("POST", "/apis/test.example.com/v1/gadgets",
                     R"({"apiVersion":"test.example.com/v1","kind":"Gadget","metadata":{"name":"g"},"spec":{"a":9}})")
            .status == 201);
    REQUIRE(server
                .request("PATCH", std::string(kDefinitions) + "/gadgets.test.example.com",
                         R"({"spec":{"versions":)" + versions("5") + "}}", {{"Content-Type", kMergePatch}})
                .status == 200);
    CHECK(server
              .request("PATCH", "/apis/test.example.com/v1/gadgets/g", R"({"spec":{"b":1}})",
                       {{"Content-Type", kMergePatch}})
              .status == 200);
    CHECK(server
              .request("PATCH", "/apis/test.example.com/v1/gadgets/g", R"({"spec":{"a":8}})",
                       {{"Content-Type", kMergePatch}})
              .status == 422);
  });
}

TEST_CASE("rules are stored, and a warning says that they are not evaluated") {
  TestServer::run([](TestServer& server) {
    const std::string versions =
        R"([{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":
            {"spec":{"type":"object","x-kubernetes-validations":[{"rule":"self.a > 1"}],
             "properties":{"a":{"type":"integer"}}}}}}}])";
    const auto made = server.request("POST", kDefinitions, definition_json("gadgets", "Gadget", versions));
    REQUIRE(made.status == 201);
    CHECK(std::string(made.headers.get("Warning")).find("x-kubernetes-validations") != std::string::npos);
    const Value& spec = made.tree["spec"]["versions"].at(0)["schema"]["openAPIV3Schema"]["properties"]["spec"];
    CHECK(spec["x-kubernetes-validations"].at(0)["rule"].as_string() == "self.a > 1");
  });
}

TEST_CASE("a conversion webhook is an error that says so") {
  TestServer::run([](TestServer& server) {
    const std::string versions =
        R"([{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object"}}},
            {"name":"v2","served":true,"storage":false,"schema":{"openAPIV3Schema":{"type":"object"}}}])";
    const Value definition = json::read(definition_json("gadgets", "Gadget", versions)).value();
    const Value conversion = json::read(R"({"strategy":"Webhook","webhook":{"conversionReviewVersions":["v1"],
        "clientConfig":{"url":"https://127.0.0.1:9/convert"}}})")
                                 .value();
    const Value sent = definition.with("spec", definition["spec"].with("conversion", conversion));
    REQUIRE(server.request("POST", kDefinitions, json::write(sent)).status == 201);
    const auto stored =
        server.request("POST", "/apis/test.example.com/v1/gadgets",
                       R"({"apiVersion":"test.example.com/v1","kind":"Gadget","metadata":{"name":"g"}})");
    CHECK(stored.status == 201);
    const auto read = server.request("GET", "/apis/test.example.com/v2/gadgets/g");
    CHECK(read.status == 500);
    CHECK(read.tree["message"].as_string().find("conversion webhook for test.example.com/v1, Kind=Gadget failed") !=
          std::string_view::npos);
  });
}

TEST_CASE("a definition that an older server has stored is read and served") {
  TestServer::run([](TestServer& server) {
    const std::string stored = R"({"kind":"CustomResourceDefinition","apiVersion":"apiextensions.k8s.io/v1beta1",
      "metadata":{"name":"gadgets.test.example.com","uid":"u-1","creationTimestamp":"2026-01-01T00:00:00Z"},
      "spec":{"group":"test.example.com","version":"v1","scope":"Cluster",
      "names":{"plural":"gadgets","singular":"gadget","kind":"Gadget","listKind":"GadgetList"},
      "validation":{"openAPIV3Schema":{"type":"object","properties":{"size":{"type":"integer","default":7}}}},
      "additionalPrinterColumns":[{"name":"Size","type":"integer","JSONPath":".size"}],
      "conversion":{"strategy":"None"}},
      "status":{"conditions":[{"type":"Established","status":"True"}],"storedVersions":["v1"],
      "acceptedNames":{"plural":"gadgets","singular":"gadget","kind":"Gadget","listKind":"GadgetList"}}})";
    auto written = server.store().create(
        server.context(), "/registry/apiextensions.k8s.io/customresourcedefinitions/gadgets.test.example.com",
        std::make_shared<const std::string>(stored));
    REQUIRE(written.ok());
    server.settle();
    const Value read = server.request("GET", std::string(kDefinitions) + "/gadgets.test.example.com").tree;
    CHECK(read["apiVersion"].as_string() == "apiextensions.k8s.io/v1");
    const Value& version = read["spec"]["versions"].at(0);
    CHECK(version["schema"]["openAPIV3Schema"]["properties"]["size"]["default"].as_int() == 7);
    CHECK(version["additionalPrinterColumns"].at(0)["jsonPath"].as_string() == ".size");
    const auto made = server.request("POST", "/apis/test.example.com/v1/gadgets",
                                     R"({"apiVersion":"test.example.com/v1","kind":"Gadget","metadata":{"name":"g"}})");
    CHECK(made.status == 201);
    CHECK(made.tree["size"].as_int() == 7);
  });
}

}  // namespace coracle::kube::apiserver::testing
