#include <catch2/catch.hpp>

#include "base/executor.h"
#include "base/json/json.h"
#include "base/yaml/yaml.h"
#include "kube/apiserver/testing/test_server.h"
#include "kube/object/conditions.h"
#include "store/memory.h"

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

TEST_CASE("what a definition no longer knows is not shown of objects that were stored before") {
  TestServer::run([](TestServer& server) {
    const auto versions = [](std::string_view properties) {
      return R"([{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":
            {"spec":{"type":"object","properties":{)" +
             std::string(properties) + "}}}}}}]";
    };
    const std::string path = "/apis/test.example.com/v1/gadgets";
    const std::string both = R"("a":{"type":"string"},"b":{"type":"string"})";
    REQUIRE(server.request("POST", kDefinitions, definition_json("gadgets", "Gadget", versions(both))).status == 201);
    const std::string gadget =
        R"({"apiVersion":"test.example.com/v1","kind":"Gadget","metadata":{"name":"g"},"spec":{"a":"x","b":"y"}})";
    REQUIRE(server.request("POST", path, gadget).status == 201);
    CHECK(server.request("GET", path + "/g").tree["spec"]["b"].as_string() == "y");
    const std::string fewer = R"({"spec":{"versions":)" + versions(R"("a":{"type":"string"})") + "}}";
    REQUIRE(server
                .request("PATCH", std::string(kDefinitions) + "/gadgets.test.example.com", fewer,
                         {{"Content-Type", kMergePatch}})
                .status == 200);
    server.settle();
    CHECK(server.request("GET", path + "/g").tree["spec"] == Value::object({{"a", "x"}}));
    CHECK(server.request("GET", path).tree["items"].at(0)["spec"] == Value::object({{"a", "x"}}));
    auto watch = server.watch(path + "?watch=true");
    CHECK(watch->next()["object"]["spec"] == Value::object({{"a", "x"}}));
  });
}

TEST_CASE("custom resources of the first servers get a generation and lose what metadata no longer has") {
  TestServer::run([](TestServer& server) {
    REQUIRE(server.request("POST", kDefinitions, definition_json("gadgets", "Gadget", kOpenVersion)).status == 201);
    server.settle();
    const std::string old =
        R"({"apiVersion":"test.example.com/v1","kind":"Gadget","metadata":{"clusterName":"","name":"g","uid":"u",)"
        R"("creationTimestamp":"2019-01-01T00:00:00Z","selfLink":"/x"},"kept":{"x":[1,null]}})"
        "\n";
    REQUIRE(
        server.store()
            .create(server.context(), "/registry/test.example.com/gadgets/g", std::make_shared<const std::string>(old))
            .ok());
    const Value got = server.request("GET", "/apis/test.example.com/v1/gadgets/g").tree;
    CHECK(got["metadata"]["generation"].as_int() == 1);
    CHECK_FALSE(got["metadata"].contains("clusterName"));
    CHECK_FALSE(got["metadata"].contains("selfLink"));
    CHECK(got["kept"]["x"].size() == 2);
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

TEST_CASE("a write is judged by its own version, also of what the stored one does not know") {
  TestServer::run([](TestServer& server) {
    const std::string versions =
        R"([{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":
            {"spec":{"type":"object","properties":{"a":{"type":"string","default":"one"},"n":{"type":"integer"}}}}}}},
            {"name":"v2","served":true,"storage":false,"schema":{"openAPIV3Schema":{"type":"object","properties":
            {"spec":{"type":"object","required":["b"],"properties":{"b":{"type":"string","minLength":2},
             "n":{"type":"integer"}}}}}}}])";
    REQUIRE(server.request("POST", kDefinitions, definition_json("gadgets", "Gadget", versions)).status == 201);
    const auto post = [&](const std::string& name, const std::string& spec) {
      return server.request("POST", "/apis/test.example.com/v2/gadgets",
                            R"({"apiVersion":"test.example.com/v2","kind":"Gadget","metadata":{"name":")" + name +
                                R"("},"spec":)" + spec + "}");
    };
    const auto made = post("g", R"({"b":"bb","n":1})");
    CHECK(made.status == 201);
    CHECK(json::write(made.tree["spec"]) == R"({"n":1})");
    CHECK(post("h", R"({"b":"b"})").tree["message"].as_string().ends_with("should be at least 2 chars long"));
    CHECK(post("h", "{}").tree["message"].as_string().ends_with("spec.b: Required value"));
    CHECK(json::write(server.request("GET", "/apis/test.example.com/v1/gadgets/g").tree["spec"]) ==
          R"({"a":"one","n":1})");
    const auto patch = [&](const std::string& body) {
      return server.request("PATCH", "/apis/test.example.com/v2/gadgets/g", body, {{"Content-Type", kMergePatch}}).tree;
    };
    CHECK(patch(R"({"spec":{"b":"cc","n":2}})")["metadata"]["generation"].as_int() == 2);
    CHECK(patch(R"({"spec":{"n":2}})")["message"].as_string().ends_with("spec.b: Required value"));
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

TEST_CASE("a definition that preserves unknown fields, as the first ones did, loses none") {
  TestServer::run([](TestServer& server) {
    const std::string stored = R"({"kind":"CustomResourceDefinition","apiVersion":"apiextensions.k8s.io/v1beta1",
      "metadata":{"name":"gadgets.test.example.com","uid":"u-1"},"spec":{"group":"test.example.com","version":"v1",
      "scope":"Cluster","names":{"plural":"gadgets","singular":"gadget","kind":"Gadget","listKind":"GadgetList"},
      "validation":{"openAPIV3Schema":{"properties":{"spec":{"properties":{"n":{"type":"integer"}}}}}},
      "preserveUnknownFields":true},
      "status":{"conditions":[{"type":"Established","status":"True"}],"storedVersions":["v1"],
      "acceptedNames":{"plural":"gadgets","singular":"gadget","kind":"Gadget","listKind":"GadgetList"}}})";
    REQUIRE(server.store()
                .create(server.context(),
                        "/registry/apiextensions.k8s.io/customresourcedefinitions/gadgets.test.example.com",
                        std::make_shared<const std::string>(stored))
                .ok());
    const std::string old = R"({"apiVersion":"test.example.com/v1","kind":"Gadget","metadata":{"name":"g","uid":"u"},)"
                            R"("spec":{"n":1,"unknown":{"x":[1]}},"top":"level"})";
    REQUIRE(
        server.store()
            .create(server.context(), "/registry/test.example.com/gadgets/g", std::make_shared<const std::string>(old))
            .ok());
    server.settle();
    const std::string path = "/apis/test.example.com/v1/gadgets/g";
    for (int written = 0; written < 2; ++written) {
      const Value got = server.request("GET", path).tree;
      CHECK(got["spec"]["unknown"]["x"].size() == 1);
      CHECK(got["top"].as_string() == "level");
      CHECK(server.request("PATCH", path, R"({"spec":{"other":2}})", {{"Content-Type", kMergePatch}}).status == 200);
    }
    CHECK(server.request("GET", path).tree["spec"]["other"].as_int() == 2);
  });
}

namespace {

constexpr const char* kSized =
    R"("schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","properties":
        {"a":{"type":"string"},"m":{"type":"object","additionalProperties":{"type":"string"}},"f":{"type":"number"}}},
        "status":{"type":"object"}}}})";

// The messages with which a definition of one version with `more` is refused; empty where it is taken.
std::string refusal(TestServer& server, std::string_view more) {
  const std::string versions =
      R"([{"name":"v1","served":true,"storage":true,)" + std::string(kSized) + "," + std::string(more) + "}]";
  const auto answer =
      server.request("POST", std::string(kDefinitions) + "?dryRun=All", definition_json("gadgets", "Gadget", versions));
  std::string text;
  for (const Value& cause : answer.tree["details"]["causes"].items()) {
    text += std::string(cause["field"].as_string()) + ": " + std::string(cause["message"].as_string()) + "\n";
  }
  return answer.status == 201 ? "" : text;
}

}  // namespace

TEST_CASE("of a column's path no more is asked than that it begins with a dot") {
  TestServer::run([](TestServer& server) {
    const auto column = [&](const std::string& path) {
      return refusal(server, R"("additionalPrinterColumns":[{"name":"A","type":"string","jsonPath":")" + path + "\"}]");
    };
    for (const char* good : {".spec.a", ".spec.a[", ".spec.(a)", ".spec.a[?(@.b=='c'].d"}) {
      CAPTURE(good);
      CHECK(column(good).empty());
    }
    CHECK(column("spec.a") ==
          "spec.additionalPrinterColumns[0].JSONPath: Invalid value: \"spec.a\": must be a simple "
          "json path starting with .\n");
    CHECK(refusal(server, R"("additionalPrinterColumns":[{"name":"A"}])") ==
          "spec.additionalPrinterColumns[0].type: Required value: must be one of boolean,date,integer,number,string\n"
          "spec.additionalPrinterColumns[0].JSONPath: Required value\n");
  });
}

TEST_CASE("a column whose path cannot be read leaves a table with the usual columns") {
  TestServer::run([](TestServer& server) {
    const std::string versions =
        R"([{"name":"v1","served":true,"storage":true,)" + std::string(kSized) +
        R"(,"additionalPrinterColumns":[{"name":"A","type":"string","jsonPath":".spec.a["}]}])";
    REQUIRE(server.request("POST", kDefinitions, definition_json("gadgets", "Gadget", versions)).status == 201);
    const auto table = server.request("GET", "/apis/test.example.com/v1/gadgets", {},
                                      {{"Accept", "application/json;as=Table;v=v1;g=meta.k8s.io"}});
    REQUIRE(table.tree["columnDefinitions"].size() == 2);
    CHECK(table.tree["columnDefinitions"].at(1)["name"].as_string() == "Age");
  });
}

TEST_CASE("paths of scale and of selectable fields") {
  TestServer::run([](TestServer& server) {
    const auto scale = [&](const std::string& spec) {
      return refusal(
          server, R"("subresources":{"scale":{"statusReplicasPath":".status.r","specReplicasPath":")" + spec + "\"}}");
    };
    CHECK(scale(".spec.r[0].x").empty());
    CHECK(scale("spec.r") ==
          "spec.subresources.scale.specReplicasPath: Invalid value: \"spec.r\": must be a simple json "
          "path starting with .\n");
    CHECK(
        scale(".status.r") ==
        "spec.subresources.scale.specReplicasPath: Invalid value: \".status.r\": should be a json path under .spec\n");
    const auto selectable = [&](const std::string& path) {
      std::string text = refusal(server, R"("selectableFields":[{"jsonPath":")" + path + "\"}]");
      const std::string start = "spec.selectableFields[0].jsonPath: Invalid value: \"" + path + "\": ";
      return text.starts_with(start) ? text.substr(start.size()) : text;
    };
    CHECK(selectable(".spec.a").empty());
    CHECK(selectable(".spec.m.k").empty());
    CHECK(selectable("spec.a") == "is an invalid path: expected [ or . but got: spec\n");
    CHECK(selectable(".spec.a.") == "is an invalid path: unexpected end of JSON path\n");
    CHECK(selectable(".spec['a']") == "is an invalid path: array notation is not allowed\n");
    CHECK(selectable(".spec.none") == "is an invalid path: does not refer to a valid field\n");
    CHECK(selectable(".metadata.name") == "is an invalid path: does not refer to a valid field\n");
    CHECK(selectable(".spec.f").starts_with("must point to a field of type string, boolean or integer."));
  });
}

TEST_CASE("a conversion webhook says where it is and what it understands") {
  TestServer::run([](TestServer& server) {
    const auto conversion = [&](const std::string& text) {
      const Value definition = json::read(definition_json("gadgets", "Gadget", kOpenVersion)).value();
      const Value sent = definition.with("spec", definition["spec"].with("conversion", json::read(text).value()));
      return server.request("POST", std::string(kDefinitions) + "?dryRun=All", json::write(sent)).tree["message"];
    };
    const auto ends = [](const Value& message, std::string_view end) {
      CAPTURE(message.as_string());
      return message.as_string().ends_with(end);
    };
    CHECK(ends(conversion(R"({"strategy":"Webhook","webhook":{"conversionReviewVersions":["v2"],
                              "clientConfig":{"url":"https://a"}}})"),
               R"(conversionReviewVersions: Invalid value: ["v2"]: must include at least one of v1, v1beta1)"));
    CHECK(ends(conversion(R"({"strategy":"Webhook","webhook":{"conversionReviewVersions":["v1"],"clientConfig":{}}})"),
               "spec.conversion.webhookClientConfig: Required value: exactly one of url or service is required"));
    CHECK(ends(conversion(R"({"strategy":"Webhook"})"),
               "[spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook, "
               "spec.conversion.conversionReviewVersions: Required value]"));
    CHECK(ends(conversion(R"({"strategy":"None","webhook":{"conversionReviewVersions":["v1"]}})"),
               "spec.conversion.conversionReviewVersions: Forbidden: should not be set when strategy is not set to "
               "Webhook"));
  });
}

TEST_CASE("a status write judges accepted names only, and the name is judged on create only") {
  TestServer::run([](TestServer& server) {
    REQUIRE(server.request("POST", kDefinitions, definition_json("gadgets", "Gadget", kOpenVersion)).status == 201);
    server.settle();
    const std::string path = std::string(kDefinitions) + "/gadgets.test.example.com";
    const auto patch = [&](const std::string& target, std::string_view body) {
      return server.request("PATCH", target, body, {{"Content-Type", kMergePatch}});
    };
    CHECK(patch(path + "/status", R"({"status":{"storedVersions":["v0"]}})").status == 200);
    CHECK(patch(path, R"({"metadata":{"labels":{"a":"b"}}})").status == 422);
    CHECK(patch(path + "/status", R"({"status":{"storedVersions":["v1"]}})").status == 200);
    const auto odd = patch(path + "/status", R"({"status":{"acceptedNames":{"plural":"X_"}}})");
    CHECK(odd.status == 422);
    CHECK(odd.tree["details"]["causes"].at(0)["field"].as_string() == "status.acceptedNames.plural");
    const auto renamed = patch(path, R"({"spec":{"names":{"plural":"others"}}})");
    CHECK(renamed.tree["details"]["causes"].size() == 1);
    CHECK(renamed.tree["message"].as_string().ends_with(
        "spec.names.plural: Invalid value: \"others\": field is immutable"));
  });
}

TEST_CASE("of several names that are taken the last one is told, short names together") {
  TestServer::run([](TestServer& server) {
    const auto create = [&](std::string_view plural, std::string_view kind, std::string_view more) {
      std::string text = definition_json(plural, kind, kOpenVersion);
      const std::size_t at = text.find("},\"versions\"");
      REQUIRE(server.request("POST", kDefinitions, text.insert(at, more)).status == 201);
      server.settle();
      return find_condition(conditions_of(server, std::string(plural) + ".test.example.com"), "NamesAccepted");
    };
    create("gadgets", "Gadget", R"(,"shortNames":["ga","gb"])");
    const Value both = create("others", "Other", R"(,"shortNames":["ga","gb","gc"])");
    CHECK(both["reason"].as_string() == "ShortNamesConflict");
    CHECK(both["message"].as_string() == "[\"ga\" is already in use, \"gb\" is already in use]");
    CHECK(create("thirds", "Third", R"(,"shortNames":["ga"],"listKind":"GadgetList")")["reason"].as_string() ==
          "ListKindConflict");
  });
}

// On real threads: under virtual time nothing runs between the steps in which a definition is taken up.
TEST_CASE("a server may stop while it takes up a definition") {
  const auto executor = make_thread_executor();
  const auto store = store::make_memory_backend(*executor);
  for (int i = 0; i < 50; ++i) {
    const auto server = TestServer::start(*executor, *store);
    REQUIRE(server.ok());
    const std::string plural = "gadgets" + std::to_string(i);
    const std::string key = "/registry/apiextensions.k8s.io/customresourcedefinitions/" + plural + ".test.example.com";
    const std::string text = definition_json(plural, "Gadget" + std::to_string(i), kOpenVersion);
    CHECK(store->create(Context(*executor), key, http::bytes(text)).ok());
  }
}

TEST_CASE("an unknown format restricts nothing, which a warning tells once") {
  TestServer::run([](TestServer& server) {
    const std::string versions =
        R"([{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":
            {"a":{"type":"string","format":"ulid"},"b":{"type":"string","format":"ulid"}}}}}])";
    const auto made = server.request("POST", kDefinitions, definition_json("gadgets", "Gadget", versions));
    REQUIRE(made.status == 201);
    CHECK(std::string(made.headers.get("Warning")).find(R"(unrecognized format \"ulid\")") != std::string::npos);
    const auto later = server.request("PATCH", std::string(kDefinitions) + "/gadgets.test.example.com",
                                      R"({"spec":{"names":{"shortNames":["ga"]}}})", {{"Content-Type", kMergePatch}});
    CHECK(later.headers.get("Warning").empty());
  });
}

}  // namespace coracle::kube::apiserver::testing
