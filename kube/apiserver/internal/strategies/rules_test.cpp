#include <catch2/catch.hpp>
#include <string>

#include "kube/apiserver/internal/strategies/workloads/cron_schedule.h"
#include "kube/apiserver/testing/test_server.h"

// The rules of single kinds: what is refused and in which words, and what the server adds.
namespace coracle::kube::apiserver::testing {

namespace {

constexpr const char* kDeployments = "/apis/apps/v1/namespaces/default/deployments";
constexpr const char* kStatefulSets = "/apis/apps/v1/namespaces/default/statefulsets";
constexpr const char* kDaemonSets = "/apis/apps/v1/namespaces/default/daemonsets";
constexpr const char* kJobs = "/apis/batch/v1/namespaces/default/jobs";
constexpr const char* kCronJobs = "/apis/batch/v1/namespaces/default/cronjobs";
constexpr const char* kConfigMaps = "/api/v1/namespaces/default/configmaps";
constexpr const char* kSecrets = "/api/v1/namespaces/default/secrets";
constexpr const char* kIngresses = "/apis/networking.k8s.io/v1/namespaces/default/ingresses";
constexpr const char* kClaims = "/api/v1/namespaces/default/persistentvolumeclaims";

const std::string kPodTemplate =
    R"("template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}})";
// A whole spec of a workload, or the end of one.
const std::string kSelected = R"("selector":{"matchLabels":{"a":"b"}},)" + kPodTemplate;

std::string named(const std::string& rest) {
  return R"({"metadata":{"name":"x"},)" + rest + "}";
}

TestServer::Answer merge(TestServer& server, const std::string& path, const std::string& body) {
  http::Headers headers;
  headers.set("Content-Type", "application/merge-patch+json");
  return server.request("PATCH", path, body, std::move(headers));
}

std::string text_of(const TestServer::Answer& answer) {
  return std::string(answer.tree["message"].as_string());
}

}  // namespace

TEST_CASE("cron schedules", "[strategies]") {
  for (const char* good :
       {"* * * * *", "*/5 0 1,15 * 1-5", "0 0 * jan-mar sun", "@daily", "@every 1h30m", "? * * * *"}) {
    CHECK(cron_schedule_fault(good).empty());
  }
  CHECK(cron_schedule_fault("* * *") == "expected exactly 5 fields, found 3: [* * *]");
  CHECK(cron_schedule_fault("60 * * * *") == "end of range (60) above maximum (59): 60");
  CHECK(cron_schedule_fault("* * 0 * *") == "beginning of range (0) below minimum (1): 0");
  CHECK(cron_schedule_fault("5-1 * * * *") == "beginning of range (5) beyond end of range (1): 5-1");
  CHECK(cron_schedule_fault("*/0 * * * *") == "step of range should be a positive number: */0");
  CHECK(cron_schedule_fault("@often") == "unrecognized descriptor: @often");
  CHECK(cron_schedule_fault("x * * * *") == "failed to parse int from x: strconv.Atoi: parsing \"x\": invalid syntax");
}

TEST_CASE("what kinds refuse when they are new", "[strategies]") {
  struct Row {
    const char* path;
    std::string body;
    const char* message;
  };
  const Row rows[] = {
      {kDeployments, R"("spec":{"selector":{"matchLabels":{"a":"c"}},)" + kPodTemplate,
       "Deployment.apps \"x\" is invalid: spec.template.metadata.labels: Invalid value: {\"a\":\"b\"}: `selector` does "
       "not match template `labels`"},
      {kDeployments, R"("spec":{"replicas":-1,)" + kSelected,
       "Deployment.apps \"x\" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0"},
      {kDeployments,
       R"("spec":{"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxUnavailable":0,"maxSurge":0}},)" + kSelected,
       "Deployment.apps \"x\" is invalid: spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 "
       "when `maxSurge` is 0"},
      {kJobs, R"("spec":{)" + kPodTemplate,
       "Job.batch \"x\" is invalid: spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", "
       "\"Never\""},
      {kCronJobs,
       R"("spec":{"schedule":"bad","jobTemplate":{"spec":{"template":{"spec":{"restartPolicy":"Never",
          "containers":[{"name":"c","image":"i"}]}}}}})",
       "CronJob.batch \"x\" is invalid: spec.schedule: Invalid value: \"bad\": expected exactly 5 fields, found 1: "
       "[bad]"},
      {kConfigMaps, R"("data":{"a b":"c"})", nullptr},
      {kConfigMaps, R"("data":{"a":"c"},"binaryData":{"a":"eA=="})",
       "ConfigMap \"x\" is invalid: data[a]: Invalid value: \"a\": duplicate of key present in binaryData"},
      {kSecrets, R"("type":"kubernetes.io/tls","data":{"tls.crt":""})",
       "Secret \"x\" is invalid: data[tls.key]: Required value"},
      {kIngresses, R"("spec":{})",
       "Ingress.networking.k8s.io \"x\" is invalid: spec: Invalid value: null: either `defaultBackend` or `rules` must "
       "be "
       "specified"},
      {kIngresses,
       R"("spec":{"rules":[{"http":{"paths":[{"path":"a","pathType":"Prefix","backend":{"service":{"name":"s",
          "port":{"number":80}}}}]}}]})",
       "Ingress.networking.k8s.io \"x\" is invalid: spec.rules[0].http.paths[0].path: Invalid value: \"a\": must be an "
       "absolute path"},
      {kClaims, R"("spec":{"resources":{"requests":{"storage":"1Gi"}}})",
       "PersistentVolumeClaim \"x\" is invalid: spec.accessModes: Required value: at least 1 access mode is required"},
      {"/api/v1/persistentvolumes", R"("spec":{"accessModes":["ReadWriteOnce"],"capacity":{"storage":"1Gi"}})",
       "PersistentVolume \"x\" is invalid: spec: Required value: must specify a volume type"},
      {"/apis/policy/v1/namespaces/default/poddisruptionbudgets", R"("spec":{"minAvailable":"x"})", nullptr},
      {"/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers",
       R"("spec":{"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"d"},)"
       R"("minReplicas":3,"maxReplicas":2})",
       "HorizontalPodAutoscaler.autoscaling \"x\" is invalid: spec.maxReplicas: Invalid value: 2: must be greater than "
       "or equal to `minReplicas`"},
      {"/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles", R"("rules":[{"verbs":["get"]}])", nullptr},
  };
  TestServer::run([&](TestServer& server) {
    for (const Row& row : rows) {
      const auto answer = server.request("POST", row.path, named(row.body));
      CHECK(answer.status == 422);
      if (row.message != nullptr) CHECK(text_of(answer) == row.message);
    }
  });
}

TEST_CASE("what kinds refuse to change", "[strategies]") {
  struct Row {
    const char* path;
    std::string body;
    const char* patch;
    const char* message;
  };
  const Row rows[] = {
      {kStatefulSets, R"("spec":{"serviceName":"s",)" + kSelected, R"({"spec":{"serviceName":"t"}})",
       "StatefulSet.apps \"x\" is invalid: spec: Forbidden: updates to statefulset spec for fields other than "
       "'replicas', "
       "'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
       "'minReadySeconds' are forbidden"},
      {kConfigMaps, R"("data":{"a":"b"},"immutable":true)", R"({"data":{"a":"c"}})",
       "ConfigMap \"x\" is invalid: data: Forbidden: field is immutable when `immutable` is set"},
      {kSecrets, R"("data":{"a":"eA=="},"immutable":true)", R"({"immutable":false})",
       "Secret \"x\" is invalid: immutable: Forbidden: field is immutable when `immutable` is set"},
      {"/apis/storage.k8s.io/v1/storageclasses", R"("provisioner":"p","parameters":{"a":"b"})",
       R"({"parameters":{"a":"c"}})",
       "StorageClass.storage.k8s.io \"x\" is invalid: parameters: Invalid value: {\"a\":\"c\"}: field is immutable"},
      {"/apis/scheduling.k8s.io/v1/priorityclasses", R"("value":7)", R"({"value":8})",
       "PriorityClass.scheduling.k8s.io \"x\" is invalid: value: Forbidden: may not be changed in an update."},
      {"/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
       R"("roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"view"})",
       R"({"roleRef":{"name":"edit"}})",
       "ClusterRoleBinding.rbac.authorization.k8s.io \"x\" is invalid: roleRef: Invalid value: {\"APIGroup\":\""
       "rbac.authorization.k8s.io\",\"Kind\":\"ClusterRole\",\"Name\":\"edit\"}: cannot change roleRef"},
      {kClaims, R"("spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}})",
       R"({"spec":{"accessModes":["ReadOnlyMany"]}})",
       "PersistentVolumeClaim \"x\" is invalid: spec: Forbidden: spec is immutable after creation except "
       "resources.requests and volumeAttributesClassName for bound claims\n@@ -1,6 +1,6 @@\n {\n  \"AccessModes\": "
       "[\n-  "
       "\"ReadWriteOnce\"\n+  \"ReadOnlyMany\"\n  ],\n  \"Selector\": null,\n  \"Resources\": {\n"},
  };
  TestServer::run([&](TestServer& server) {
    for (const Row& row : rows) {
      REQUIRE(server.request("POST", row.path, named(row.body)).status == 201);
      const auto answer = merge(server, std::string(row.path) + "/x", row.patch);
      CHECK(answer.status == 422);
      CHECK(text_of(answer) == row.message);
    }
  });
}

TEST_CASE("system priority classes stay", "[strategies]") {
  TestServer::run([](TestServer& server) {
    const std::string classes = "/apis/scheduling.k8s.io/v1/priorityclasses";
    for (const std::string name : {"system-node-critical", "system-cluster-critical"}) {
      for (const char* query : {"", "?dryRun=All"}) {
        const auto refused = server.request("DELETE", classes + "/" + name + query);
        CHECK(refused.status == 403);
        CHECK(refused.tree["reason"].as_string() == "Forbidden");
        CHECK(text_of(refused) == "priorityclasses.scheduling.k8s.io \"" + name +
                                      "\" is forbidden: this is a system priority class and cannot be deleted");
        CHECK(refused.tree["details"] ==
              Value::object({{"name", name}, {"group", "scheduling.k8s.io"}, {"kind", "priorityclasses"}}));
      }
      CHECK(server.request("GET", classes + "/" + name).status == 200);
    }
    REQUIRE(server.request("POST", classes, named(R"("value":7)")).status == 201);
    CHECK(server.request("DELETE", classes + "/x").status == 200);
    // Upstream refuses by name only.
    CHECK(server.request("DELETE", classes).status == 200);
    CHECK(server.request("GET", classes + "/system-node-critical").status == 404);
    CHECK(server.request("DELETE", classes + "/system-node-critical").status == 403);
  });
}

TEST_CASE("generations count what each kind says", "[strategies]") {
  TestServer::run([](TestServer& server) {
    const std::string path = std::string(kDeployments) + "/x";
    REQUIRE(server.request("POST", kDeployments, named(R"("spec":{)" + kSelected)).status == 201);
    const auto generation = [](const TestServer::Answer& answer) {
      return answer.tree["metadata"]["generation"].as_int();
    };
    CHECK(generation(merge(server, path, R"({"metadata":{"labels":{"l":"m"}}})")) == 1);
    CHECK(generation(merge(server, path, R"({"metadata":{"annotations":{"l":"m"}}})")) == 2);
    CHECK(generation(merge(server, path, R"({"spec":{"replicas":4}})")) == 3);
    const auto status = merge(server, path + "/status", R"({"metadata":{"labels":{"l":"n"}},"status":{"replicas":2}})");
    CHECK(status.status == 200);
    CHECK(status.tree["metadata"]["labels"]["l"].as_string() == "m");
    CHECK(generation(status) == 3);

    const std::string daemon = std::string(kDaemonSets) + "/x";
    const auto made = server.request("POST", kDaemonSets, named(R"("spec":{)" + kSelected));
    REQUIRE(made.status == 201);
    constexpr const char* kAnnotation = "deprecated.daemonset.template.generation";
    CHECK(made.tree["metadata"]["annotations"][kAnnotation].as_string() == "1");
    const auto changed = merge(server, daemon, R"({"spec":{"template":{"metadata":{"labels":{"n":"m"}}}}})");
    CHECK(changed.tree["metadata"]["annotations"][kAnnotation].as_string() == "2");
    CHECK(generation(changed) == 2);
  });
}

TEST_CASE("events of the newer API say who saw what", "[strategies]") {
  TestServer::run([](TestServer& server) {
    const std::string path = "/apis/events.k8s.io/v1/namespaces/default/events";
    const auto bare = server.request("POST", path, named(R"("type":"Normal","note":"n")"));
    CHECK(bare.status == 422);
    CHECK(text_of(bare).find("eventTime: Required value") != std::string::npos);
    const auto whole = server.request(
        "POST", path, named(R"("type":"Normal","eventTime":"2026-01-01T00:00:00.000001Z","reportingController":"a.b/c",
                 "reportingInstance":"i","action":"Ran","reason":"Ready","regarding":{"namespace":"default"})"));
    CHECK(whole.status == 201);
    const auto elsewhere = server.request("POST", "/api/v1/namespaces/default/events",
                                          R"({"metadata":{"name":"y"},"involvedObject":{"namespace":"other"}})");
    CHECK(text_of(elsewhere) ==
          "Event \"y\" is invalid: involvedObject.namespace: Invalid value: \"other\": does not match event.namespace");
  });
}

TEST_CASE("a job selects its own pods", "[strategies]") {
  TestServer::run([](TestServer& server) {
    const auto job = server.request(
        "POST", kJobs,
        named(R"("spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"i"}]}}})"));
    REQUIRE(job.status == 201);
    const std::string uid(job.tree["metadata"]["uid"].as_string());
    CHECK(job.tree["spec"]["selector"]["matchLabels"] == Value::object({{"batch.kubernetes.io/controller-uid", uid}}));
    const Value& labels = job.tree["spec"]["template"]["metadata"]["labels"];
    CHECK(labels["batch.kubernetes.io/job-name"].as_string() == "x");
    CHECK(labels["job-name"].as_string() == "x");
    CHECK(labels["controller-uid"].as_string() == uid);
    CHECK(merge(server, std::string(kJobs) + "/x", R"({"spec":{"parallelism":3}})").status == 200);
    CHECK(text_of(merge(server, std::string(kJobs) + "/x", R"({"spec":{"completions":3}})"))
              .find("spec.completions: Invalid value: 3: field is immutable") != std::string::npos);
    // Without a policy the pods of a job stay.
    const auto deleted = server.request("DELETE", std::string(kJobs) + "/x");
    CHECK(deleted.tree["metadata"]["finalizers"] == Value::array({"orphan"}));
  });
}

TEST_CASE("nodes come with their status, volumes with a phase", "[strategies]") {
  TestServer::run([](TestServer& server) {
    const auto node =
        server.request("POST", "/api/v1/nodes", R"({"metadata":{"name":"n"},"status":{"capacity":{"cpu":"2"}}})");
    REQUIRE(node.status == 201);
    CHECK(node.tree["status"]["capacity"]["cpu"].as_string() == "2");
    const auto volume = server.request(
        "POST", "/api/v1/persistentvolumes",
        named(R"("spec":{"accessModes":["ReadWriteOnce"],"capacity":{"storage":"1Gi"},"hostPath":{"path":"/d"}})"));
    REQUIRE(volume.status == 201);
    CHECK(volume.tree["status"]["phase"].as_string() == "Pending");
    CHECK(volume.tree["status"].contains("lastPhaseTransitionTime"));
    CHECK(
        text_of(merge(server, "/api/v1/persistentvolumes/x", R"({"spec":{"hostPath":{"path":"/e"}}})"))
            .find("spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation") !=
        std::string::npos);
    const auto limits = server.request("POST", "/api/v1/namespaces/default/limitranges", R"({"spec":{"limits":[]}})");
    CHECK(limits.status == 201);
    CHECK_FALSE(limits.tree["metadata"]["name"].as_string().empty());
  });
}

}  // namespace coracle::kube::apiserver::testing
