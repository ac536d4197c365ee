#include <catch2/catch.hpp>

#include "kube/apiserver/internal/admission/test_support.h"

namespace coracle::kube::apiserver {
namespace {

using testing::AdmissionRequest;
using testing::admit;
using testing::Admitted;
using testing::object_of;
using testing::pod_object;
using testing::TestCluster;

std::string containers(const std::string& resources) {
  return R"("containers":[{"name":"a","image":"x","resources":)" + resources + "}]";
}

// A registry of the test table only.
class TestRegistry : public Registry {
 public:
  explicit TestRegistry(ResourceTablePtr table) : table_(std::move(table)) {}
  ResourceTablePtr table() const override { return table_; }
  void set_custom(std::string_view, std::string_view, std::vector<ResourcePtr>) override {}
  void on_change(std::function<void(const ResourceTablePtr&)>) override {}

 private:
  ResourceTablePtr table_;
};

struct QuotaFixture {
  TestCluster cluster;
  TestRegistry registry{cluster.table};
  AdmissionPluginPtr plugin = make_resource_quota(cluster.objects, registry);

  void put_quota(const std::string& spec, const std::string& status = "{}") {
    cluster.put(R"({"apiVersion":"v1","kind":"ResourceQuota","metadata":{"name":"rq","namespace":"a"},"spec":)" + spec +
                R"(,"status":)" + status + "}");
  }
  Value used() {
    return cluster.objects.find(cluster.context, KnownResource::ResourceQuotas, "a", "rq")
        .value()
        ->tree()["status"]["used"];
  }
  std::string create(const Object& object) { return admit(cluster, *plugin, object).fault; }
};

Object config_map(const std::string& name) {
  return object_of(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"namespace":"a","name":")" + name + "\"}}");
}

}  // namespace

TEST_CASE("LimitRanger fills in requests and limits and says so", "[admission]") {
  TestCluster cluster;
  cluster.put(R"({"apiVersion":"v1","kind":"LimitRange","metadata":{"name":"lr","namespace":"a"},"spec":{"limits":[
    {"type":"Container","default":{"cpu":"500m"},"defaultRequest":{"cpu":"200m","memory":"10Mi"}}]}})");
  AdmissionPluginPtr plugin = make_limit_ranger(cluster.objects);
  Admitted pod = admit(cluster, *plugin, pod_object(R"("initContainers":[{"name":"i"}],"containers":[{"name":"a"},
    {"name":"b","resources":{"limits":{"cpu":"300m"},"requests":{"cpu":"300m"}}}])"));
  CHECK(pod.fault.empty());
  CHECK(pod.object.annotation("kubernetes.io/limit-ranger") ==
        "LimitRanger plugin set: cpu, memory request for container a; cpu limit for container a; memory request for "
        "container b; cpu, memory request for init container i; cpu limit for init container i");
  CHECK(json::write(pod.object["spec"]["containers"].at(0)["resources"]) ==
        R"({"limits":{"cpu":"500m"},"requests":{"cpu":"200m","memory":"10Mi"}})");
  CHECK(json::write(pod.object["spec"]["containers"].at(1)["resources"]) ==
        R"({"limits":{"cpu":"300m"},"requests":{"cpu":"300m","memory":"10Mi"}})");
}

TEST_CASE("LimitRanger keeps pods and claims within their bounds", "[admission]") {
  TestCluster cluster;
  cluster.put(R"({"apiVersion":"v1","kind":"LimitRange","metadata":{"name":"lr","namespace":"a"},"spec":{"limits":[
    {"type":"Container","max":{"cpu":"1"},"min":{"cpu":"100m"}},
    {"type":"Pod","max":{"memory":"1Gi"},"maxLimitRequestRatio":{"cpu":"2"}},
    {"type":"PersistentVolumeClaim","max":{"storage":"2Gi"},"min":{"storage":"1Gi"}}]}})");
  AdmissionPluginPtr plugin = make_limit_ranger(cluster.objects);
  auto fault = [&](const std::string& resources) {
    return admit(cluster, *plugin, pod_object(containers(resources))).fault;
  };
  CHECK(fault(R"({"limits":{"cpu":"500m"},"requests":{"cpu":"200m","memory":"10Mi"}})") ==
        "pods \"q\" is forbidden: [maximum memory usage per Pod is 1Gi.  No limit is specified, cpu max limit to "
        "request "
        "ratio per Pod is 2, but provided ratio is 2.500000]");
  CHECK(fault(R"({"limits":{"cpu":"2","memory":"2Gi"},"requests":{"cpu":"500m"}})") ==
        "pods \"q\" is forbidden: [maximum cpu usage per Container is 1, but limit is 2, maximum memory usage "
        "per Pod is "
        "1Gi, but limit is 2Gi, cpu max limit to request ratio per Pod is 2, but provided ratio is 4.000000]");
  CHECK(fault(R"({"limits":{"cpu":"100m","memory":"1Gi"},"requests":{"cpu":"50m"}})") ==
        "pods \"q\" is forbidden: minimum cpu usage per Container is 100m, but request is 50m");
  CHECK(fault(R"({"limits":{"cpu":"200m","memory":"1Gi"},"requests":{"cpu":"200m"}})").empty());
  auto claim = [&](const std::string& size) {
    Object object = object_of(R"({"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"x",
    "namespace":"a"},
      "spec":{"resources":{"requests":{"storage":")" +
                              size + "\"}}}}");
    return admit(cluster, *plugin, object).fault;
  };
  CHECK(claim("5Gi") ==
        "persistentvolumeclaims \"x\" is forbidden: maximum storage usage per PersistentVolumeClaim is 2Gi, but "
        "request "
        "is 5Gi");
  CHECK(claim("1Gi").empty());
}

TEST_CASE("ResourceQuota counts before it admits", "[admission]") {
  QuotaFixture fixture;
  fixture.put_quota(R"({"hard":{"configmaps":"2","count/deployments.apps":"0"}})",
                    R"({"hard":{"configmaps":"2","count/deployments.apps":"0"},
                        "used":{"configmaps":"0","count/deployments.apps":"0"}})");
  CHECK(fixture.create(config_map("c1")).empty());
  CHECK(json::write(fixture.used()) == R"({"configmaps":"1","count/deployments.apps":"0"})");
  fixture.cluster.store.put(fixture.cluster.resource("", "configmaps"), config_map("c1"));
  CHECK(fixture.create(config_map("c2")).empty());
  fixture.cluster.store.put(fixture.cluster.resource("", "configmaps"), config_map("c2"));
  CHECK(fixture.create(config_map("c3")) ==
        "configmaps \"c3\" is forbidden: exceeded quota: rq, requested: configmaps=1, used: configmaps=2, limited: "
        "configmaps=2");
  CHECK(fixture.create(object_of(R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d",
    "namespace":"a"}})")) ==
        "deployments.apps \"d\" is forbidden: exceeded quota: rq, requested: count/deployments.apps=1, used: "
        "count/deployments.apps=0, limited: count/deployments.apps=0");
  CHECK(fixture
            .create(object_of(R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"s",
    "namespace":"a"}})"))
            .empty());
  // Fewer objects may also mean that some are charged and not stored yet: only the status tells.
  fixture.cluster.store.erase(fixture.cluster.resource("", "configmaps"), "a", "c1");
  CHECK_FALSE(fixture.create(config_map("c3")).empty());
}

TEST_CASE("a quota nobody has counted yet is counted first, and a dry run charges nothing", "[admission]") {
  QuotaFixture fixture;
  fixture.put_quota(R"({"hard":{"configmaps":"1"}})");
  AdmissionRequest dry;
  dry.dry_run = true;
  CHECK(admit(fixture.cluster, *fixture.plugin, config_map("c1"), dry).fault.empty());
  CHECK(fixture.used().is_null());
  fixture.cluster.store.put(fixture.cluster.resource("", "configmaps"), config_map("there"));
  CHECK(fixture.create(config_map("c1")) ==
        "configmaps \"c1\" is forbidden: exceeded quota: rq, requested: configmaps=1, used: configmaps=1, limited: "
        "configmaps=1");
}

TEST_CASE("ResourceQuota wants compute resources named", "[admission]") {
  QuotaFixture fixture;
  fixture.put_quota(R"({"hard":{"pods":"1","requests.cpu":"1","limits.memory":"1Gi"}})");
  CHECK(fixture.create(pod_object(R"("containers":[{"name":"a"},{"name":"b",
    "resources":{"requests":{"cpu":"1"}}}])")) ==
        "pods \"q\" is forbidden: failed quota: rq: must specify limits.memory for: a,b; requests.cpu for: a");
  CHECK(fixture.create(pod_object(containers(R"({"requests":{"cpu":"2"},"limits":{"memory":"2Gi"}})"))) ==
        "pods \"q\" is forbidden: exceeded quota: rq, requested: limits.memory=2Gi,requests.cpu=2, used: "
        "limits.memory=0,requests.cpu=0, limited: limits.memory=1Gi,requests.cpu=1");
  CHECK(fixture.create(pod_object(containers(R"({"requests":{"cpu":"1"},"limits":{"memory":"1Gi"}})"))).empty());
}

}  // namespace coracle::kube::apiserver
