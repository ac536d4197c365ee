#include <catch2/catch.hpp>

#include "kube/apiserver/internal/builtin_resources.h"
#include "kube/apiserver/internal/discovery/discovery_documents.h"
#include "kube/apiserver/testing/test_server.h"

namespace coracle::kube::apiserver {

namespace {

constexpr const char* kAggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

const Value& named(const Value& list, std::string_view field, std::string_view name) {
  static const Value kNone;
  for (const Value& item : list.items()) {
    if (item[field].as_string() == name) return item;
  }
  return kNone;
}

ResourcePtr custom_resource(std::string group, std::string version) {
  auto resource = std::make_shared<ResourceDescriptor>();
  resource->gvk = {std::move(group), std::move(version), "Widget"};
  resource->resource = "widgets";
  resource->custom = true;
  return resource;
}

}  // namespace

TEST_CASE("storage version hashes are upstream's") {
  CHECK(storage_version_hash({"", "v1", "ConfigMap"}) == "qFsyl6wFWjQ=");
  CHECK(storage_version_hash({"apps", "v1", "Deployment"}) == "8aSe+NMegvE=");
}

TEST_CASE("groups come by priority, versions by stability, remote ones between them") {
  const auto registry = make_registry(builtin_resources({}));
  registry->set_custom("example.com", "widgets",
                       {custom_resource("example.com", "v1beta1"), custom_resource("example.com", "v1")});
  const std::vector<RemoteVersion> remote = {{"metrics.k8s.io", "v1beta1", 100, 100}};
  const auto groups = discovery_groups(*registry->table(), remote);
  REQUIRE(groups.size() > 5);
  CHECK(groups[0].name.empty());
  CHECK(groups[1].name == "apiregistration.k8s.io");
  CHECK(groups[2].name == "apps");
  CHECK(groups[groups.size() - 2].name == "example.com");
  CHECK(groups[groups.size() - 2].versions.at(0).version == "v1");
  CHECK(groups[groups.size() - 2].versions.at(1).version == "v1beta1");
  CHECK(groups.back().name == "metrics.k8s.io");
  CHECK(groups.back().versions.at(0).remote);
}

TEST_CASE("aggregated discovery has kinds, scopes and subresources, and answers 304 to a known ETag") {
  testing::TestServer::run([](testing::TestServer& server) {
    const auto answer = server.request("GET", "/apis", {}, {{"Accept", kAggregated}});
    REQUIRE(answer.status == 200);
    CHECK(answer.headers.get("Content-Type") == kAggregated);
    CHECK(answer.headers.get("Vary") == "Accept");
    const Value& apps = answer.tree["items"].at(1);
    CHECK(apps["metadata"]["name"].as_string() == "apps");
    const Value& deployments = named(apps["versions"].at(0)["resources"], "resource", "deployments");
    CHECK(deployments["responseKind"] == Value::object({{"group", ""}, {"version", ""}, {"kind", "Deployment"}}));
    CHECK(deployments["scope"].as_string() == "Namespaced");
    CHECK(deployments["singularResource"].as_string() == "deployment");
    const Value& scale = named(deployments["subresources"], "subresource", "scale");
    CHECK(scale["responseKind"]["kind"].as_string() == "Scale");
    CHECK(scale["responseKind"]["group"].as_string() == "autoscaling");

    const std::string etag(answer.headers.get("ETag"));
    REQUIRE(etag.size() == 130);
    const auto again = server.request("GET", "/apis", {}, {{"Accept", kAggregated}, {"If-None-Match", etag}});
    CHECK(again.status == 304);
    CHECK(again.body.empty());
  });
}

TEST_CASE("aggregated discovery comes in protobuf and in YAML, too") {
  testing::TestServer::run([](testing::TestServer& server) {
    const std::string form = ";g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    const std::string protobuf = "application/vnd.kubernetes.protobuf" + form;
    const auto answer = server.request("GET", "/apis", {}, {{"Accept", protobuf}});
    CHECK(answer.status == 200);
    CHECK(answer.headers.get("Content-Type") == protobuf);
    CHECK(answer.body.substr(0, 4) == std::string("k8s\0", 4));
    CHECK(answer.body.find("deployments") != std::string::npos);
    const auto yaml = server.request("GET", "/api", {}, {{"Accept", "application/yaml" + form}});
    CHECK(yaml.headers.get("Content-Type") == "application/yaml" + form);
    CHECK(yaml.body.find("kind: APIGroupDiscoveryList") != std::string::npos);
    CHECK(yaml.headers.get("ETag") != server.request("GET", "/api", {}, {{"Accept", kAggregated}}).headers.get("ETag"));
    CHECK(server.request("POST", "/api", "{}").status == 405);
  });
}

TEST_CASE("definitions of custom resources have upstream's storage version hash") {
  testing::TestServer::run([](testing::TestServer& server) {
    const Value resources = server.request("GET", "/apis/apiextensions.k8s.io/v1").tree["resources"];
    CHECK(named(resources, "name", "customresourcedefinitions")["storageVersionHash"] == Value("jfWCUB31mvA="));
  });
}

TEST_CASE("every discovery document is also there with a slash at its end") {
  testing::TestServer::run([](testing::TestServer& server) {
    for (const char* path : {"/api/", "/apis/", "/apis/apps/", "/apis/apps/v1/", "/api/v1/"}) {
      INFO(path);
      CHECK(server.request("GET", path).status == 200);
    }
    CHECK(server.request("GET", "/apis/nothing.example.com/").status == 404);
  });
}

TEST_CASE("a client of protobuf gets discovery in protobuf") {
  testing::TestServer::run([](testing::TestServer& server) {
    const auto answer = server.request("GET", "/apis/apps/v1", {}, {{"Accept", "application/vnd.kubernetes.protobuf"}});
    CHECK(answer.headers.get("Content-Type") == "application/vnd.kubernetes.protobuf");
    CHECK(answer.body.substr(0, 4) == std::string("k8s\0", 4));
    CHECK(answer.body.find("APIResourceList") != std::string::npos);
  });
}

}  // namespace coracle::kube::apiserver
