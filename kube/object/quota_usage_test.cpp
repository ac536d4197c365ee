#include "kube/object/quota_usage.h"

#include <catch2/catch.hpp>

#include "base/json/json.h"

namespace coracle::kube {
namespace {

Object quota_object(std::string_view text) {
  return Object(json::read(text).value());
}

Object quota_pod(const std::string& spec) {
  return quota_object(R"({"apiVersion":"v1","kind":"Pod","spec":{)" + spec + "}}");
}

std::string containers(const std::string& resources) {
  return R"("containers":[{"name":"a","image":"x","resources":)" + resources + "}]";
}

}  // namespace

TEST_CASE("what an object counts towards a quota") {
  const auto usage = [](std::string_view resource, const Object& object) {
    return json::write(write_amounts(quota_usage(resource, object)));
  };
  CHECK(usage("services", quota_object(R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"s"},
          "spec":{"type":"LoadBalancer","ports":[{},{}]}})")) ==
        R"({"count/services":"1","services":"1","services.loadbalancers":"1","services.nodeports":"2"})");
  CHECK(usage("persistentvolumeclaims",
              quota_object(R"({"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"c"},
          "spec":{"storageClassName":"gold","resources":{"requests":{"storage":"5Gi"}}}})")) ==
        R"({"count/persistentvolumeclaims":"1","gold.storageclass.storage.k8s.io/persistentvolumeclaims":"1",)"
        R"("gold.storageclass.storage.k8s.io/requests.storage":"5Gi","persistentvolumeclaims":"1",)"
        R"("requests.storage":"5Gi"})");
  CHECK(usage("pods", quota_pod(containers(R"({"requests":{"cpu":"1","ex.io/gpu":"2"},"limits":{"cpu":"2"}})"))) ==
        R"({"count/pods":"1","cpu":"1","limits.cpu":"2","pods":"1","requests.cpu":"1","requests.ex.io/gpu":"2"})");
  Object ended =
      quota_pod(containers(R"({"requests":{"cpu":"1"}})")).with("status", Value::object({{"phase", "Failed"}}));
  CHECK(usage("pods", ended) == R"({"count/pods":"1"})");
}

TEST_CASE("a quota's scopes choose pods") {
  const auto takes = [](const std::string& spec, const Object& object) {
    return quota_takes_in(quota_object(R"({"spec":)" + spec + "}"), "pods", object);
  };
  Object best_effort = quota_pod(containers("{}"));
  Object burstable = quota_pod(containers(R"({"requests":{"cpu":"1"}})") + R"(,"activeDeadlineSeconds":5,
    "priorityClassName":"high")");
  CHECK(takes(R"({"scopes":["BestEffort","NotTerminating"]})", best_effort));
  CHECK_FALSE(takes(R"({"scopes":["BestEffort"]})", burstable));
  CHECK(takes(R"({"scopes":["NotBestEffort","Terminating"]})", burstable));
  std::string high = R"({"scopeSelector":{"matchExpressions":[
    {"scopeName":"PriorityClass","operator":"In","values":["high"]}]}})";
  CHECK(takes(high, burstable));
  CHECK_FALSE(takes(high, best_effort));
  CHECK_FALSE(quota_takes_in(quota_object(R"({"spec":{"scopes":["Terminating"]}})"), "secrets", quota_object("{}")));
}

TEST_CASE("a pod needs what its containers add up to, or more at its start") {
  Value spec =
      json::read(R"({"containers":[{"resources":{"requests":{"cpu":"1"}}},{"resources":{"requests":{"cpu":"1"}}}],
    "initContainers":[{"restartPolicy":"Always","resources":{"requests":{"cpu":"500m"}}},
      {"resources":{"requests":{"cpu":"3"}}}]})")
          .value();
  CHECK(pod_amounts(spec, "requests").at("cpu").text() == "3500m");
}

TEST_CASE("a quota counts by the names that it has, and each resource once") {
  const Object quota = quota_object(R"({"spec":{"hard":{"pods":"1","requests.cpu":"1"}}})");
  ResourceAmounts used = {{"pods", Quantity()}, {"requests.cpu", Quantity()}};
  for (int i = 0; i < 2; ++i) {
    add_quota_usage(quota, "pods", quota_pod(containers(R"({"requests":{"cpu":"300m","memory":"1Gi"}})")), used);
  }
  add_quota_usage(quota, "secrets", quota_object("{}"), used);
  CHECK(json::write(write_amounts(used)) == R"({"pods":"2","requests.cpu":"600m"})");
  CHECK(quota_counted_resources(read_amounts(
            json::read(R"({"pods":"1","limits.cpu":"1","count/deployments.apps":"1","services.nodeports":"1",
              "gold.storageclass.storage.k8s.io/requests.storage":"1","nonsense":"1"})")
                .value())) ==
        std::vector<std::string>{"deployments.apps", "persistentvolumeclaims", "pods", "services"});
}

}  // namespace coracle::kube
