#include <catch2/catch.hpp>

#include "kube/apiserver/testing/test_server.h"
#include "kube/object/conditions.h"

namespace coracle::kube::apiserver::testing {

namespace {

constexpr const char* kApiServicesPath = "/apis/apiregistration.k8s.io/v1/apiservices";
constexpr const char* kMetrics = R"({"apiVersion":"apiregistration.k8s.io/v1","kind":"APIService",
  "metadata":{"name":"v1beta1.metrics.k8s.io"},"spec":{"group":"metrics.k8s.io","version":"v1beta1",
  "groupPriorityMinimum":100,"versionPriority":100,"insecureSkipTLSVerify":true,
  "service":{"namespace":"kube-system","name":"metrics-server"}}})";
constexpr const char* kAggregatedList = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

const Value& last_group(const Value& discovery) {
  return discovery["items"].at(discovery["items"].size() - 1);
}

}  // namespace

TEST_CASE("every group version that is served here has an available API service") {
  TestServer::run([](TestServer& server) {
    server.settle();
    const Value apps = server.request("GET", std::string(kApiServicesPath) + "/v1.apps").tree;
    CHECK(apps["spec"]["groupPriorityMinimum"].as_int() == 17800);
    CHECK(apps["spec"]["versionPriority"].as_int() == 15);
    CHECK(apps["metadata"]["labels"]["kube-aggregator.kubernetes.io/automanaged"].as_string() == "onstart");
    CHECK(condition_is_true(apps["status"]["conditions"], "Available"));
    CHECK(server.request("GET", std::string(kApiServicesPath) + "/v1.").tree["spec"]["groupPriorityMinimum"].as_int() ==
          18000);
    // The aggregator's own group is none of the server behind it.
    CHECK(server.request("GET", std::string(kApiServicesPath) + "/v1.apiregistration.k8s.io").status == 404);
  });
}

TEST_CASE("API services of custom resources come and go with them") {
  TestServer::run([](TestServer& server) {
    const std::string definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    const char* gadgets = R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
      "metadata":{"name":"gadgets.test.example.com"},"spec":{"group":"test.example.com","scope":"Cluster",
      "names":{"plural":"gadgets","kind":"Gadget"},"versions":[{"name":"v1","served":true,"storage":true,
      "schema":{"openAPIV3Schema":{"type":"object"}}}]}})";
    REQUIRE(server.request("POST", definitions, gadgets).status == 201);
    server.settle();
    const auto made = server.request("GET", std::string(kApiServicesPath) + "/v1.test.example.com");
    REQUIRE(made.status == 200);
    CHECK(made.tree["spec"]["groupPriorityMinimum"].as_int() == 1000);
    CHECK(made.tree["metadata"]["labels"]["kube-aggregator.kubernetes.io/automanaged"].as_string() == "true");
    REQUIRE(server.request("DELETE", definitions + "/gadgets.test.example.com").status == 200);
    server.advance(std::chrono::seconds(3));
    server.settle();
    CHECK(server.request("GET", std::string(kApiServicesPath) + "/v1.test.example.com").status == 404);
  });
}

TEST_CASE("another server's group is stale in discovery and unavailable to requests") {
  TestServer::run([](TestServer& server) {
    REQUIRE(server.request("POST", kApiServicesPath, kMetrics).status == 201);
    server.settle();
    const auto answer = server.request("GET", "/apis/metrics.k8s.io/v1beta1/nodes");
    CHECK(answer.status == 503);
    CHECK(answer.body == "service unavailable\n");
    CHECK(server.request("GET", "/apis/metrics.k8s.io").tree["preferredVersion"]["version"].as_string() == "v1beta1");
    const Value groups = server.request("GET", "/apis", {}, {{"Accept", kAggregatedList}}).tree;
    CHECK(last_group(groups)["metadata"]["name"].as_string() == "metrics.k8s.io");
    CHECK(last_group(groups)["versions"].at(0)["freshness"].as_string() == "Stale");
    REQUIRE(server.request("DELETE", std::string(kApiServicesPath) + "/v1beta1.metrics.k8s.io").status == 200);
    server.settle();
    CHECK(server.request("GET", "/apis/metrics.k8s.io/v1beta1/nodes").status == 404);
    CHECK(server.request("GET", "/apis/metrics.k8s.io").status == 404);
  });
}

TEST_CASE("an API service is named after its version and group") {
  TestServer::run([](TestServer& server) {
    std::string wrong = kMetrics;
    wrong.replace(wrong.find("v1beta1.metrics"), 7, "v1beta2");
    const auto answer = server.request("POST", kApiServicesPath, wrong);
    CHECK(answer.status == 422);
    CHECK(answer.tree["details"]["causes"].at(0)["field"].as_string() == "metadata.name");
  });
}

}  // namespace coracle::kube::apiserver::testing
