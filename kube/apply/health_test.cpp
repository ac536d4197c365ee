#include "kube/apply/health.h"

#include <catch2/catch.hpp>

#include "base/json/json.h"

namespace coracle::kube {
namespace {

std::string health(std::string_view json_text) {
  const Object object(json::read(json_text).value());
  return std::string(health_text(health_of(object, parse_time("2026-01-01T00:01:00Z").value()).state));
}

}  // namespace

TEST_CASE("deletion and observed generation come before everything") {
  CHECK(health(R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z"}})") ==
        "Terminating");
  CHECK(
      health(R"({"kind":"X","apiVersion":"ex.io/v1","metadata":{"generation":2},"status":{"observedGeneration":1}})") ==
      "InProgress");
  CHECK(
      health(R"({"kind":"X","apiVersion":"ex.io/v1","status":{"conditions":[{"type":"Stalled","status":"True"}]}})") ==
      "Failed");
}

TEST_CASE("kinds without rules go by their Ready condition") {
  CHECK(health(R"({"kind":"X","apiVersion":"ex.io/v1"})") == "Current");
  CHECK(health(R"({"kind":"X","apiVersion":"ex.io/v1","status":{"conditions":[{"type":"Ready","status":"True"}]}})") ==
        "Current");
  CHECK(health(R"({"kind":"X","apiVersion":"ex.io/v1","status":{"conditions":[{"type":"Ready","status":"False"}]}})") ==
        "InProgress");
}

TEST_CASE("workloads are current when their counters agree") {
  const std::string start = R"({"kind":"Deployment","apiVersion":"apps/v1","spec":{"replicas":2},"status":{)";
  CHECK(health(start + "}}") == "InProgress");
  CHECK(health(start + R"("replicas":2,"updatedReplicas":2,"availableReplicas":2,"readyReplicas":2,)"
                       R"("conditions":[{"type":"Available","status":"True"}]}})") == "Current");
  CHECK(health(start +
               R"("conditions":[{"type":"Progressing","status":"False","reason":"ProgressDeadlineExceeded"}]}})") ==
        "Failed");
  CHECK(health(R"({"kind":"DaemonSet","apiVersion":"apps/v1","status":{}})") == "InProgress");
  CHECK(health(R"({"kind":"StatefulSet","apiVersion":"apps/v1","spec":{"updateStrategy":{"type":"OnDelete"}}})") ==
        "Current");
}

TEST_CASE("pods, jobs and definitions have rules of their own") {
  CHECK(health(R"({"kind":"Pod","apiVersion":"v1","status":{"phase":"Succeeded"}})") == "Current");
  CHECK(health(R"({"kind":"Pod","apiVersion":"v1","metadata":{"creationTimestamp":"2026-01-01T00:00:00Z"},)"
               R"("status":{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False",)"
               R"("reason":"Unschedulable"}]}})") == "Failed");
  CHECK(health(R"({"kind":"Job","apiVersion":"batch/v1","status":{"startTime":"2026-01-01T00:00:00Z"}})") ==
        "InProgress");
  CHECK(
      health(
          R"({"kind":"Job","apiVersion":"batch/v1","status":{"conditions":[{"type":"Complete","status":"True"}]}})") ==
      "Current");
  CHECK(health(R"({"kind":"CustomResourceDefinition","apiVersion":"apiextensions.k8s.io/v1",)"
               R"("status":{"conditions":[{"type":"Established","status":"False","reason":"Installing"}]}})") ==
        "InProgress");
  CHECK(health(R"({"kind":"Service","apiVersion":"v1","spec":{"type":"LoadBalancer"}})") == "InProgress");
}

}  // namespace coracle::kube
