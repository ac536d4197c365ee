#include <catch2/catch.hpp>
#include <functional>
#include <set>

#include "base/json/json.h"
#include "kube/apiserver/internal/discovery/openapi_protobuf.h"
#include "kube/apiserver/testing/test_server.h"

namespace coracle::kube::apiserver {

namespace {

using testing::TestServer;

constexpr const char* kWidgets = R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
  "metadata":{"name":"widgets.test.example.com"},"spec":{"group":"test.example.com","scope":"Namespaced",
  "names":{"plural":"widgets","kind":"Widget"},"versions":[
  {"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":
    {"type":"object","properties":{"port":{"x-kubernetes-int-or-string":true},"text":{"type":"string","nullable":true,
     "default":"x"},"inner":{"type":"object","x-kubernetes-embedded-resource":true,"required":["kind"],
     "properties":{"spec":{"type":"string"}}},"open":{"type":"object","x-kubernetes-embedded-resource":true,
     "x-kubernetes-preserve-unknown-fields":true},"list":{"type":"array","items":{"type":"object",
     "x-kubernetes-preserve-unknown-fields":true}}}}}}}},
  {"name":"v2","served":true,"storage":false,"schema":{"openAPIV3Schema":{"type":"object",
    "x-kubernetes-preserve-unknown-fields":true}}}]}})";

// Every $ref of a document that leads nowhere.
std::set<std::string> dangling_references(const Value& tree, const Value& types, std::string_view base) {
  std::set<std::string> dangling;
  const std::function<void(const Value&)> walk = [&](const Value& value) {
    for (const Value& item : value.items()) walk(item);
    for (const Value::Member& member : value.members()) {
      if (member.key == "$ref" && member.value.is_string()) {
        const std::string_view target = member.value.as_string();
        if (!target.starts_with(base) || !types.contains(target.substr(base.size()))) dangling.emplace(target);
      } else {
        walk(member.value);
      }
    }
  };
  walk(tree);
  return dangling;
}

std::size_t count_nulls(const Value& tree) {
  std::size_t nulls = tree.is_null() ? 1 : 0;
  for (const Value& item : tree.items()) nulls += count_nulls(item);
  for (const Value::Member& member : tree.members()) nulls += count_nulls(member.value);
  return nulls;
}

std::string location(TestServer& server, const std::string& part) {
  const Value index = server.request("GET", "/openapi/v3").tree;
  return std::string(index["paths"][part]["serverRelativeURL"].as_string());
}

}  // namespace

TEST_CASE("the index names every group version by its hash, and documents answer by it") {
  TestServer::run([](TestServer& server) {
    const std::string apps = location(server, "apis/apps/v1");
    REQUIRE(apps.starts_with("/openapi/v3/apis/apps/v1?hash="));
    const auto document = server.request("GET", apps);
    REQUIRE(document.status == 200);
    CHECK(document.headers.get("Cache-Control") == "public, immutable");
    const auto known = server.request("GET", apps, {}, {{"If-None-Match", std::string(document.headers.get("ETag"))}});
    CHECK(known.status == 304);
    const auto moved = server.request("GET", "/openapi/v3/apis/apps/v1?hash=OLD");
    CHECK(moved.status == 301);
    CHECK(moved.headers.get("Location") == apps);
    CHECK(server.request("GET", "/openapi/v3/apis/apps/v9").status == 404);
  });
}

TEST_CASE("documents are complete: no reference dangles and nothing is null") {
  TestServer::run([](TestServer& server) {
    REQUIRE(server.request("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", kWidgets).status == 201);
    const Value index = server.request("GET", "/openapi/v3").tree;
    CHECK(index["paths"].contains("apis/test.example.com/v2"));
    for (const Value::Member& part : index["paths"].members()) {
      INFO(part.key);
      const Value document = server.request("GET", part.value["serverRelativeURL"].as_string()).tree;
      CHECK(dangling_references(document, document["components"]["schemas"], "#/components/schemas/").empty());
      CHECK(count_nulls(document) == 0);
      CHECK(document["paths"].size() > 0);
    }
    const Value all = server.request("GET", "/openapi/v2").tree;
    CHECK(all["swagger"].as_string() == "2.0");
    CHECK(dangling_references(all, all["definitions"], "#/definitions/").empty());
    CHECK(count_nulls(all) == 0);
  });
}

TEST_CASE("operations tell their kind, action and the parameters that clients look for") {
  TestServer::run([](TestServer& server) {
    const Value document = server.request("GET", "/openapi/v3/apis/apps/v1").tree;
    const Value& item = document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"];
    CHECK(item["patch"]["x-kubernetes-action"].as_string() == "patch");
    CHECK(item["patch"]["x-kubernetes-group-version-kind"] ==
          Value::object({{"group", "apps"}, {"version", "v1"}, {"kind", "Deployment"}}));
    std::set<std::string_view> parameters;
    for (const Value& parameter : item["patch"]["parameters"].items()) parameters.insert(parameter["name"].as_string());
    CHECK(parameters == std::set<std::string_view>{"dryRun", "fieldManager", "fieldValidation", "force"});
    const Value& type = document["components"]["schemas"]["io.k8s.api.apps.v1.Deployment"];
    CHECK(type["x-kubernetes-group-version-kind"].at(0)["kind"].as_string() == "Deployment");
    const Value& containers =
        document["components"]["schemas"]["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"];
    CHECK(containers["x-kubernetes-patch-merge-key"].as_string() == "name");
    CHECK(containers["x-kubernetes-patch-strategy"].as_string() == "merge");
  });
}

TEST_CASE("custom resources are published as they are, and to older clients as far as they understand") {
  TestServer::run([](TestServer& server) {
    REQUIRE(server.request("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", kWidgets).status == 201);
    const Value types = server.request("GET", "/openapi/v3/apis/test.example.com/v1").tree["components"]["schemas"];
    const Value& widget = types["com.example.test.v1.Widget"];
    const Value& metadata = widget["properties"]["metadata"];
    CHECK(metadata["allOf"].at(0)["$ref"].as_string().ends_with("v1.ObjectMeta"));
    // Texts that users of kubectl explain look for.
    CHECK(metadata["description"].as_string().starts_with("Standard object's metadata"));
    CHECK(widget["properties"]["apiVersion"]["description"].as_string().starts_with("APIVersion defines"));
    const Value& meta = types["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"]["properties"];
    CHECK(meta["creationTimestamp"]["description"].as_string().starts_with("CreationTimestamp is a timestamp"));
    CHECK(widget["properties"]["spec"]["properties"]["text"]["default"].as_string() == "x");
    for (const char* embedded : {"inner", "open"}) {
      const Value& object = widget["properties"]["spec"]["properties"][embedded];
      CHECK(object["properties"]["metadata"] == metadata);
      CHECK(object["properties"]["kind"] == widget["properties"]["kind"]);
      CHECK(object["required"] == Value::array({"kind", "apiVersion"}));
    }
    CHECK(widget["properties"]["spec"]["properties"]["inner"]["properties"].contains("spec"));
    CHECK(types["com.example.test.v1.WidgetList"]["properties"]["items"]["type"].as_string() == "array");

    const Value old = server.request("GET", "/openapi/v2").tree["definitions"];
    const Value paths = server.request("GET", "/openapi/v2").tree["paths"];
    const Value& item = paths["/apis/test.example.com/v1/namespaces/{namespace}/widgets/{name}"];
    CHECK(item["patch"]["consumes"].size() == 3);
    const Value& fields = old["com.example.test.v1.Widget"]["properties"]["spec"]["properties"];
    CHECK(!fields["port"].contains("type"));
    CHECK(!fields["text"].contains("type"));
    CHECK(!fields["text"].contains("default"));
    CHECK(!fields["list"]["items"].contains("type"));
    CHECK(fields["inner"]["properties"]["metadata"]["$ref"].as_string().ends_with("v1.ObjectMeta"));
    CHECK(!fields["open"].contains("properties"));
    // kubectl would refuse every field if an open type named some, and its explain shows "<empty>" only for a bare one.
    const Value kind = Value::object({{"group", "test.example.com"}, {"kind", "Widget"}, {"version", "v2"}});
    CHECK(old["com.example.test.v2.Widget"] ==
          Value::object({{"type", "object"}, {"x-kubernetes-group-version-kind", Value::array({kind})}}));
  });
}

TEST_CASE("a version that is withdrawn vanishes, and the others keep their document") {
  TestServer::run([](TestServer& server) {
    const std::string definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    REQUIRE(server.request("POST", definitions, kWidgets).status == 201);
    const std::string before = location(server, "apis/test.example.com/v1");
    const std::string patch = R"([{"op":"replace","path":"/spec/versions/1/served","value":false}])";
    REQUIRE(server
                .request("PATCH", definitions + "/widgets.test.example.com", patch,
                         {{"Content-Type", "application/json-patch+json"}})
                .status == 200);
    CHECK(location(server, "apis/test.example.com/v1") == before);
    CHECK(location(server, "apis/test.example.com/v2").empty());
  });
}

TEST_CASE("the older document in protobuf") {
  const Value document = json::read(R"({"swagger":"2.0","info":{"title":"t","version":"v"},
    "paths":{"/x":{"get":{"parameters":[{"name":"dryRun","in":"query","type":"string"}]}}},
    "definitions":{"T":{"type":"object","properties":{"a":{"$ref":"#/definitions/T"}},"x-k":[1]}}})")
                             .value();
  const std::string bytes = openapi_v2_protobuf(document);
  const auto field = [](unsigned number, const std::string& text) {
    return std::string(1, static_cast<char>(number * 8 + 2)) + static_cast<char>(text.size()) + text;
  };
  CHECK(bytes.starts_with(field(1, "2.0") + field(2, field(1, "t") + field(2, "v"))));
  const std::string inner = field(1, "#/definitions/T");
  CHECK(bytes.find(field(1, field(1, "a") + field(2, inner))) != std::string::npos);
  const std::string query = field(2, "query") + field(4, "dryRun") + field(6, "string");
  CHECK(bytes.find(field(1, field(2, field(3, query)))) != std::string::npos);
  CHECK(bytes.find("[1]\n") != std::string::npos);

  TestServer::run([](TestServer& server) {
    const auto answer = server.request("GET", "/openapi/v2", {},
                                       {{"Accept", "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"}});
    CHECK(answer.headers.get("Content-Type") == "application/com.github.proto-openapi.spec.v2.v1.0+protobuf");
    CHECK(
        answer.body.starts_with("\n\x03"
                                "2.0"));
  });
}

}  // namespace coracle::kube::apiserver
