#include <algorithm>
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
  {"name":"v1","served":true,"storage":true,"selectableFields":[{"jsonPath":".spec.colour"}],
   "schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":
    {"type":"object","required":["text","colour"],"properties":{"colour":{"type":"string"},
     "port":{"x-kubernetes-int-or-string":true},"text":{"type":"string","nullable":true,
     "default":"x"},"inner":{"type":"object","x-kubernetes-embedded-resource":true,"required":["kind"],
     "properties":{"spec":{"type":"string"}}},"open":{"type":"object","x-kubernetes-embedded-resource":true,
     "x-kubernetes-preserve-unknown-fields":true,"required":["kind"]},"list":{"type":"array","items":{"type":"object",
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
    CHECK(dangling_references(all["definitions"], all["definitions"], "#/definitions/").empty());
    for (const std::string& target : dangling_references(all["paths"], all["definitions"], "#/definitions/")) {
      constexpr std::string_view kShared = "#/parameters/";
      INFO(target);
      REQUIRE(target.starts_with(kShared));
      CHECK(all["parameters"].contains(target.substr(kShared.size())));
    }
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
    const Value& spec = widget["properties"]["spec"];
    CHECK(spec["properties"]["text"]["default"].as_string() == "x");
    CHECK(spec["properties"]["port"]["anyOf"] == json::read(R"([{"type":"integer"},{"type":"string"}])").value());
    CHECK(widget["x-kubernetes-selectable-fields"].at(0)["fieldPath"].as_string() == "spec.colour");
    for (const char* embedded : {"inner", "open"}) {
      const Value& object = widget["properties"]["spec"]["properties"][embedded];
      CHECK(object["properties"]["metadata"] == metadata);
      CHECK(object["properties"]["kind"] == widget["properties"]["kind"]);
      CHECK(object["required"] == Value::array({"kind", "apiVersion"}));
    }
    CHECK(widget["properties"]["spec"]["properties"]["inner"]["properties"].contains("spec"));
    const Value& list = types["com.example.test.v1.WidgetList"];
    CHECK(list["properties"]["items"]["type"].as_string() == "array");
    CHECK(list["properties"]["metadata"]["allOf"].at(0)["$ref"].as_string().ends_with("v1.ListMeta"));
    CHECK(list["x-kubernetes-selectable-fields"] == widget["x-kubernetes-selectable-fields"]);

    const Value old = server.request("GET", "/openapi/v2").tree["definitions"];
    const Value paths = server.request("GET", "/openapi/v2").tree["paths"];
    const Value& item = paths["/apis/test.example.com/v1/namespaces/{namespace}/widgets/{name}"];
    CHECK(item["patch"]["consumes"].size() == 3);
    const Value& fields = old["com.example.test.v1.Widget"]["properties"]["spec"]["properties"];
    // What may be null is not required: kubectl takes null for missing.
    CHECK(old["com.example.test.v1.Widget"]["properties"]["spec"]["required"] == Value::array({"colour"}));
    CHECK(fields["open"]["required"] == Value::array({"kind"}));
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

namespace {

bool shows_default(const Value& schema) {
  const auto properties = schema["properties"].members();
  return schema.contains("default") || (schema["items"].is_object() && shows_default(schema["items"])) ||
         std::any_of(properties.begin(), properties.end(),
                     [](const Value::Member& property) { return shows_default(property.value); });
}

// A parameter of an operation or a path by its name, the reference to it followed.
Value parameter_named(const Value& document, const Value& parameters, std::string_view name) {
  constexpr std::string_view kShared = "#/parameters/";
  for (const Value& one : parameters.items()) {
    const std::string_view reference = one["$ref"].as_string();
    const Value& parameter = reference.empty() ? one : document["parameters"][reference.substr(kShared.size())];
    if (parameter["name"].as_string() == name) return parameter;
  }
  return {};
}

}  // namespace

TEST_CASE("documents of version 3 show the defaults and the ways of merging that upstream's show") {
  TestServer::run([](TestServer& server) {
    const Value document = server.request("GET", "/openapi/v3/api/v1").tree;
    const Value& types = document["components"]["schemas"];
    const auto field = [&](std::string_view type, std::string_view name) {
      return types["io.k8s.api.core.v1." + std::string(type)]["properties"][name];
    };
    CHECK(field("Pod", "spec")["default"] == Value::object());
    CHECK(field("Pod", "spec")["allOf"].at(0)["$ref"].as_string().ends_with("v1.PodSpec"));
    CHECK(field("PodSpec", "containers")["items"]["default"] == Value::object());
    CHECK(field("ContainerPort", "containerPort")["default"] == Value(0));
    CHECK(field("ContainerPort", "protocol")["default"] == Value("TCP"));
    CHECK(field("Container", "args")["items"]["default"] == Value(""));
    CHECK_FALSE(field("ContainerPort", "hostPort").contains("default"));
    // Upstream's code fills this in; its documents do not say so.
    CHECK_FALSE(field("PodSpec", "restartPolicy").contains("default"));
    CHECK(field("Capabilities", "add")["x-kubernetes-list-type"] == Value("atomic"));
    CHECK(field("PersistentVolumeSpec", "claimRef")["x-kubernetes-map-type"] == Value("granular"));
    CHECK(types["io.k8s.api.core.v1.SeccompProfile"]["x-kubernetes-unions"].at(0)["discriminator"] == Value("type"));
    CHECK(document["components"]["securitySchemes"]["BearerToken"]["in"] == Value("header"));
    CHECK(document["info"]["version"] == Value("1.36"));
    const auto properties = types["io.k8s.api.core.v1.PodSpec"]["properties"].members();
    CHECK(std::is_sorted(properties.begin(), properties.end(),
                         [](const auto& a, const auto& b) { return a.key < b.key; }));
  });
}

TEST_CASE("the older document has no defaults, and its operations share their parameters") {
  TestServer::run([](TestServer& server) {
    const Value document = server.request("GET", "/openapi/v2").tree;
    for (const Value::Member& type : document["definitions"].members()) CHECK_FALSE(shows_default(type.value));
    const Value& atomic = document["definitions"]["io.k8s.api.core.v1.Capabilities"]["properties"]["add"];
    CHECK(atomic["x-kubernetes-list-type"] == Value("atomic"));
    CHECK(document["securityDefinitions"].contains("BearerToken"));

    const Value& pods = document["paths"]["/api/v1/namespaces/{namespace}/pods"];
    CHECK(parameter_named(document, pods["get"]["parameters"], "limit")["type"] == Value("integer"));
    CHECK(pods["get"]["parameters"].at(0)["$ref"].as_string().starts_with("#/parameters/allowWatchBookmarks-"));
    CHECK(parameter_named(document, pods["parameters"], "pretty")["in"] == Value("query"));
    // Selecting what is deleted at once.
    CHECK(parameter_named(document, pods["delete"]["parameters"], "labelSelector")["type"] == Value("string"));
    CHECK(parameter_named(document, pods["delete"]["parameters"], "watch").is_null());
    // By these kubectl before 1.28 learns what a server can do.
    bool dry_run = false;
    for (const Value& one : pods["post"]["parameters"].items()) dry_run = dry_run || one["name"] == Value("dryRun");
    CHECK(dry_run);
    CHECK(pods["post"]["consumes"] == Value::array({"*/*"}));
    CHECK(pods["get"]["produces"].size() == 5);
    CHECK(pods["post"]["responses"].contains("202"));
  });
}

TEST_CASE("operations have the names and the kinds that generated clients know") {
  TestServer::run([](TestServer& server) {
    const Value core = server.request("GET", "/openapi/v3/api/v1").tree;
    const auto id = [](const Value& document, const char* path, const char* method) {
      return std::string(document["paths"][path][method]["operationId"].as_string());
    };
    CHECK(id(core, "/api/v1/pods", "get") == "listCoreV1PodForAllNamespaces");
    CHECK(id(core, "/api/v1/namespaces/{namespace}/pods", "delete") == "deleteCoreV1CollectionNamespacedPod");
    CHECK(id(core, "/api/v1/watch/pods", "get") == "watchCoreV1PodListForAllNamespaces");
    CHECK(id(core, "/api/v1/watch/namespaces/{namespace}/pods/{name}", "get") == "watchCoreV1NamespacedPod");
    CHECK(id(core, "/api/v1/namespaces/{namespace}/pods/{name}/exec", "post") == "connectCoreV1PostNamespacedPodExec");
    CHECK(id(core, "/api/v1/nodes/{name}/proxy/{path}", "head") == "connectCoreV1HeadNodeProxyWithPath");
    CHECK(id(core, "/api/v1/", "get") == "getCoreV1APIResources");
    const Value& pod = core["paths"]["/api/v1/namespaces/{namespace}/pods/{name}"];
    const Value& deleted = pod["delete"]["responses"]["202"]["content"]["application/json"]["schema"];
    CHECK(deleted["$ref"].as_string().ends_with("core.v1.Pod"));
    const Value& exec = core["paths"]["/api/v1/namespaces/{namespace}/pods/{name}/exec"];
    CHECK(parameter_named(core, exec["parameters"], "command")["schema"]["type"] == Value("string"));

    const Value rbac = server.request("GET", "/openapi/v3/apis/rbac.authorization.k8s.io/v1").tree;
    const Value& roles = rbac["paths"]["/apis/rbac.authorization.k8s.io/v1/clusterroles"]["get"];
    CHECK(roles["operationId"] == Value("listRbacAuthorizationV1ClusterRole"));
    CHECK(roles["tags"] == Value::array({"rbacAuthorization_v1"}));
    const Value& options = rbac["components"]["schemas"]["io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"];
    const Value expected = json::read(R"([{"group":"","kind":"DeleteOptions","version":"v1"},
        {"group":"rbac.authorization.k8s.io","kind":"DeleteOptions","version":"v1"}])")
                               .value();
    CHECK(options["x-kubernetes-group-version-kind"] == expected);
    const Value old = server.request("GET", "/openapi/v2").tree["definitions"];
    CHECK(old["io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent"]["x-kubernetes-group-version-kind"].size() > 20);
    CHECK(old["io.k8s.apimachinery.pkg.apis.meta.v1.Status"]["x-kubernetes-group-version-kind"].size() == 1);
  });
}

TEST_CASE("the index tells of discovery, too") {
  TestServer::run([](TestServer& server) {
    const auto operation = [&](const std::string& part) {
      const std::string path = location(server, part);
      REQUIRE(!path.empty());
      return std::string(server.request("GET", path).tree["paths"]["/" + part + "/"]["get"]["operationId"].as_string());
    };
    CHECK(operation("api") == "getCoreAPIVersions");
    CHECK(operation("apis") == "getAPIVersions");
    CHECK(operation("apis/apps") == "getAppsAPIGroup");
    CHECK(operation("version") == "getCodeVersion");
    CHECK(operation("openid/v1/jwks") == "getServiceAccountIssuerOpenIDKeyset");
    CHECK(operation(".well-known/openid-configuration") == "getServiceAccountIssuerOpenIDConfiguration");
  });
}

TEST_CASE("the older document in protobuf") {
  const Value document = json::read(R"({"swagger":"2.0","info":{"title":"t","version":"v"},
    "paths":{"/x":{"get":{"parameters":[{"name":"dryRun","in":"query","type":"string"},{"$ref":"#/parameters/p"}]}}},
    "parameters":{"p":{"name":"limit","in":"query","type":"integer"}},
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
  CHECK(bytes.find(field(8, field(2, field(1, "#/parameters/p")))) != std::string::npos);
  const std::string limit = field(2, "query") + field(4, "limit") + field(6, "integer");
  CHECK(bytes.find(field(10, field(1, field(1, "p") + field(2, field(2, field(3, limit)))))) != std::string::npos);

  TestServer::run([](TestServer& server) {
    const auto answer = server.request("GET", "/openapi/v2", {},
                                       {{"Accept", "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"}});
    CHECK(answer.headers.get("Content-Type") == "application/com.github.proto-openapi.spec.v2.v1.0+protobuf");
    CHECK(
        answer.body.starts_with("\n\x03"
                                "2.0"));
  });
}

TEST_CASE("documents come in the first representation that a client accepts, or not at all") {
  TestServer::run([](TestServer& server) {
    const auto answer = [&](const char* path, const char* accept) {
      return server.request("GET", path, {}, {{"Accept", accept}});
    };
    const std::string protobuf = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
    CHECK(answer("/openapi/v2", protobuf.c_str()).headers.get("Content-Type") == protobuf);
    CHECK(answer("/openapi/v2", (protobuf + ", application/json").c_str()).headers.get("Content-Type") == protobuf);
    CHECK(answer("/openapi/v2", ("application/json, " + protobuf).c_str()).tree["swagger"] == Value("2.0"));
    CHECK(answer("/openapi/v2", "text/html, */*;q=0.1").tree["swagger"] == Value("2.0"));
    CHECK(answer("/openapi/v2", "application/yaml").status == 406);
    CHECK(answer("/openapi/v3/apis/apps/v1", "application/*").tree["openapi"] == Value("3.0.0"));
    CHECK(answer("/openapi/v3/apis/apps/v1", "application/com.github.proto-openapi.spec.v3.v1.0+protobuf").status ==
          406);
  });
}

}  // namespace coracle::kube::apiserver
