#include <catch2/catch.hpp>
#include <string>

#include "base/json/json.h"
#include "kube/apiserver/internal/strategies/pods/pod_strategy.h"
#include "kube/apiserver/testing/test_server.h"

// Pods from creation over binding and changes to their end.
namespace coracle::kube::apiserver::testing {

namespace {

constexpr const char* kPods = "/api/v1/namespaces/default/pods";

std::string pod_path(const std::string& name) {
  return std::string(kPods) + "/" + name;
}

std::string pod_body(const std::string& name, const std::string& more_spec = "", const std::string& more_meta = "") {
  return R"({"metadata":{"name":")" + name + R"(","labels":{"app":"web"})" + more_meta +
         R"(},"spec":{"containers":[{"name":"c","image":"i:1"}])" + more_spec + "}}";
}

// Pods need the default service account, which a controller makes in a cluster.
void make_account(TestServer& server) {
  server.request("POST", "/api/v1/namespaces/default/serviceaccounts", R"({"metadata":{"name":"default"}})");
}

TestServer::Answer make_pod(TestServer& server, const std::string& body) {
  return server.request("POST", kPods, body);
}

TestServer::Answer bind_pod(TestServer& server, const std::string& name, const std::string& node) {
  return server.request("POST", pod_path(name) + "/binding",
                        R"({"metadata":{"name":")" + name + R"("},"target":{"kind":"Node","name":")" + node + "\"}}");
}

TestServer::Answer patch_pod(TestServer& server, const std::string& path, const std::string& body) {
  http::Headers headers;
  headers.set("Content-Type", "application/strategic-merge-patch+json");
  return server.request("PATCH", path, body, std::move(headers));
}

void set_pod_status(TestServer& server, const std::string& name, const std::string& status) {
  REQUIRE(patch_pod(server, pod_path(name) + "/status", R"({"status":)" + status + "}").status == 200);
}

std::string message_of(const TestServer::Answer& answer) {
  return std::string(answer.tree["message"].as_string());
}

TestServer::Answer evict_pod(TestServer& server, const std::string& name) {
  return server.request("POST", pod_path(name) + "/eviction",
                        R"({"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":")" + name + "\"}}");
}

}  // namespace

TEST_CASE("quality of service classes", "[strategies]") {
  struct Row {
    const char* resources;
    const char* expected;
  };
  const Row rows[] = {
      {R"({})", "BestEffort"},
      {R"({"requests":{"cpu":"1"}})", "Burstable"},
      {R"({"requests":{"cpu":"1","memory":"1Gi"},"limits":{"cpu":"1000m","memory":"1024Mi"}})", "Guaranteed"},
      {R"({"requests":{"cpu":"1","memory":"1Gi"},"limits":{"cpu":"2","memory":"1Gi"}})", "Burstable"},
      {R"({"requests":{"example.com/gpu":"1"},"limits":{"example.com/gpu":"1"}})", "BestEffort"},
  };
  for (const Row& row : rows) {
    const auto spec = json::read(std::string(R"({"containers":[{"resources":)") + row.resources + "}]}");
    REQUIRE(spec.ok());
    CHECK(pod_qos_class(*spec) == row.expected);
  }
}

TEST_CASE("a new pod is pending whatever its status says", "[strategies]") {
  TestServer::run([](TestServer& server) {
    make_account(server);
    const auto made = make_pod(server, R"({"metadata":{"name":"p"},"status":{"phase":"Running","podIP":"1.2.3.4"},
                            "spec":{"containers":[{"name":"c","image":"i"}]}})");
    REQUIRE(made.status == 201);
    CHECK(made.tree["status"] == Value::object({{"phase", "Pending"}, {"qosClass", "BestEffort"}}));
    CHECK(made.tree["metadata"]["generation"].as_int() == 1);
    const auto gated = make_pod(server, pod_body("g", R"(,"schedulingGates":[{"name":"example.com/g"}])"));
    CHECK(gated.tree["status"]["conditions"].at(0)["reason"].as_string() == "SchedulingGated");
  });
}

TEST_CASE("a pod is bound once", "[strategies]") {
  TestServer::run([](TestServer& server) {
    make_account(server);
    REQUIRE(make_pod(server, pod_body("p")).status == 201);
    CHECK(server.request("POST", pod_path("p") + "/binding", R"({"metadata":{"name":"p"},"target":{}})").status == 500);
    const auto bound = bind_pod(server, "p", "n1");
    CHECK(bound.status == 201);
    CHECK(bound.tree["status"].as_string() == "Success");
    const auto pod = server.request("GET", pod_path("p"));
    CHECK(pod.tree["spec"]["nodeName"].as_string() == "n1");
    CHECK(pod.tree["status"]["conditions"].at(0)["type"].as_string() == "PodScheduled");
    CHECK(pod.tree["metadata"]["generation"].as_int() == 1);
    const auto again = bind_pod(server, "p", "n2");
    CHECK(again.status == 409);
    CHECK(message_of(again) ==
          "Operation cannot be fulfilled on pods/binding \"p\": pod p is already assigned to node \"n1\"");
    REQUIRE(make_pod(server, pod_body("g", R"(,"schedulingGates":[{"name":"example.com/g"}])")).status == 201);
    CHECK(message_of(bind_pod(server, "g", "n1")).find("has non-empty .spec.schedulingGates") != std::string::npos);
    CHECK(bind_pod(server, "missing", "n1").status == 404);
    REQUIRE(make_pod(server, pod_body("q")).status == 201);
    CHECK(server
              .request("POST", "/api/v1/namespaces/default/bindings",
                       R"({"metadata":{"name":"q"},"target":{"kind":"Node","name":"n1"}})")
              .status == 201);
  });
}

TEST_CASE("the pod's own labels are selected where it names their keys", "[strategies]") {
  TestServer::run([](TestServer& server) {
    make_account(server);
    const std::string keys =
        R"("topologyKey":"zone","matchLabelKeys":["app","absent"],"mismatchLabelKeys":["tenant"],"labelSelector":)";
    const std::string term = "{" + keys + R"({"matchExpressions":[{"key":"tenant","operator":"Exists"}]}})";
    const std::string terms = R"({"requiredDuringSchedulingIgnoredDuringExecution":[)" + term +
                              R"(],"preferredDuringSchedulingIgnoredDuringExecution":[{"weight":1,"podAffinityTerm":)" +
                              term + "}]}";
    const std::string spread =
        R"(,"topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"zone","whenUnsatisfiable":"ScheduleAnyway",
            "matchLabelKeys":["app"],"labelSelector":)";
    const auto pod = make_pod(
        server, R"({"metadata":{"name":"p","labels":{"app":"web","tenant":"t"}},"spec":{"containers":[{"name":"c",
            "image":"i"}],"affinity":{"podAffinity":)" +
                    terms + R"(,"podAntiAffinity":)" + terms + "}" + spread + R"({}}]}})");
    REQUIRE(pod.status == 201);
    const std::string both = R"([{"key":"tenant","operator":"Exists"},{"key":"app","operator":"In","values":["web"]},)"
                             R"({"key":"tenant","operator":"NotIn","values":["t"]}])";
    for (const char* kind : {"podAffinity", "podAntiAffinity"}) {
      const Value& affinity = pod.tree["spec"]["affinity"][kind];
      const Value& required = affinity["requiredDuringSchedulingIgnoredDuringExecution"].at(0);
      const Value& preferred = affinity["preferredDuringSchedulingIgnoredDuringExecution"].at(0)["podAffinityTerm"];
      CHECK(json::write(required["labelSelector"]["matchExpressions"]) == both);
      CHECK(json::write(preferred["labelSelector"]["matchExpressions"]) == both);
    }
    CHECK(json::write(pod.tree["spec"]["topologySpreadConstraints"].at(0)["labelSelector"]) ==
          R"({"matchExpressions":[{"key":"app","operator":"In","values":["web"]}]})");
    // The selector is the pod's from then on: other labels do not change it.
    const auto relabelled = patch_pod(server, pod_path("p"), R"({"metadata":{"labels":{"app":"other"}}})");
    REQUIRE(relabelled.status == 200);
    CHECK(relabelled.tree["spec"] == pod.tree["spec"]);

    const auto repeated = make_pod(server, pod_body("q", spread + R"({"matchLabels":{"app":"web"}}}])"));
    CHECK(repeated.status == 422);
    CHECK(message_of(repeated) ==
          "Pod \"q\" is invalid: spec.topologySpreadConstraints[0][0]: Invalid value: \"app\": exists in both "
          "matchLabelKeys and labelSelector");
    // Nothing is added to a selector that is not there.
    CHECK(
        message_of(make_pod(server, pod_body("q", spread + "null}]"))) ==
        "Pod \"q\" is invalid: spec.topologySpreadConstraints[0].matchLabelKeys: Forbidden: must not be specified when "
        "labelSelector is not set");
  });
}

TEST_CASE("who binds or evicts a pod does not own its fields", "[strategies]") {
  TestServer::run([](TestServer& server) {
    make_account(server);
    const auto pod = make_pod(server, pod_body("p", "", R"(,"finalizers":["example.com/f"])"));
    REQUIRE(pod.tree["metadata"]["managedFields"].size() == 1);
    const auto managed = [&] { return server.request("GET", pod_path("p")).tree["metadata"]["managedFields"]; };
    REQUIRE(bind_pod(server, "p", "n1").status == 201);
    CHECK(managed() == pod.tree["metadata"]["managedFields"]);
    REQUIRE(evict_pod(server, "p").status == 201);
    CHECK(managed() == pod.tree["metadata"]["managedFields"]);
    CHECK(server.request("GET", pod_path("p")).tree["status"]["conditions"].at(1)["type"].as_string() ==
          "DisruptionTarget");
  });
}

TEST_CASE("a pod is told where its node is", "[strategies]") {
  TestServer::run([](TestServer& server) {
    make_account(server);
    REQUIRE(server
                .request("POST", "/api/v1/nodes", R"({"metadata":{"name":"n1","labels":{
                    "topology.kubernetes.io/zone":"z1","topology.kubernetes.io/region":"r1","rack":"k1"}}})")
                .status == 201);
    const auto labels = [&](const std::string& name) {
      return server.request("GET", pod_path(name)).tree["metadata"]["labels"];
    };
    const Value there =
        Value::object({{"app", "web"}, {"topology.kubernetes.io/zone", "z1"}, {"topology.kubernetes.io/region", "r1"}});
    REQUIRE(make_pod(server, pod_body("bound")).status == 201);
    REQUIRE(bind_pod(server, "bound", "n1").status == 201);
    CHECK(labels("bound") == there);
    REQUIRE(make_pod(server, pod_body("placed", R"(,"nodeName":"n1")")).status == 201);
    CHECK(labels("placed") == there);
    REQUIRE(make_pod(server, pod_body("elsewhere", R"(,"nodeName":"n2")")).status == 201);
    CHECK(labels("elsewhere") == Value::object({{"app", "web"}}));
    // The older way to bind a pod is not about pods, for admission.
    REQUIRE(make_pod(server, pod_body("older")).status == 201);
    REQUIRE(server
                .request("POST", "/api/v1/namespaces/default/bindings",
                         R"({"metadata":{"name":"older"},"target":{"kind":"Node","name":"n1"}})")
                .status == 201);
    CHECK(labels("older") == Value::object({{"app", "web"}}));
  });
}

TEST_CASE("little of a pod's spec may change", "[strategies]") {
  TestServer::run([](TestServer& server) {
    make_account(server);
    REQUIRE(make_pod(server, pod_body("p", R"(,"activeDeadlineSeconds":100)")).status == 201);
    const auto image = patch_pod(server, pod_path("p"), R"({"spec":{"containers":[{"name":"c","image":"i:2"}]}})");
    CHECK(image.status == 200);
    CHECK(image.tree["metadata"]["generation"].as_int() == 2);
    const auto command = patch_pod(server, pod_path("p"), R"({"spec":{"containers":[{"name":"c","command":["sh"]}]}})");
    CHECK(command.status == 422);
    CHECK(message_of(command).find("spec: Forbidden: pod updates may not change fields other than `spec.containers[*]"
                                   ".image`,`spec.initContainers[*].image`") != std::string::npos);
    CHECK(message_of(patch_pod(server, pod_path("p"), R"({"spec":{"containers":[{"name":"d","image":"i"}]}})"))
              .find("spec.containers: Forbidden: pod updates may not add or remove containers") != std::string::npos);
    CHECK(patch_pod(server, pod_path("p"), R"({"spec":{"activeDeadlineSeconds":50}})").status == 200);
    CHECK(patch_pod(server, pod_path("p"), R"({"spec":{"activeDeadlineSeconds":60}})").status == 422);
    const auto more = patch_pod(server, pod_path("p"), R"({"metadata":{"labels":{"b":"c"}}})");
    CHECK(more.status == 200);
    CHECK(more.tree["metadata"]["generation"].as_int() == 3);
  });
}

TEST_CASE("ephemeral containers only come", "[strategies]") {
  TestServer::run([](TestServer& server) {
    make_account(server);
    REQUIRE(make_pod(server, pod_body("p")).status == 201);
    const std::string path = pod_path("p") + "/ephemeralcontainers";
    const auto added =
        patch_pod(server, path, R"({"spec":{"ephemeralContainers":[{"name":"debug","image":"busybox"}]}})");
    REQUIRE(added.status == 200);
    CHECK(added.tree["metadata"]["generation"].as_int() == 2);
    CHECK(added.tree["spec"]["ephemeralContainers"].size() == 1);
    CHECK(patch_pod(server, path, R"({"spec":{"ephemeralContainers":[{"name":"c","image":"b"}]}})").status == 422);
    const auto changed =
        patch_pod(server, path, R"({"spec":{"ephemeralContainers":[{"name":"debug","image":"other"}]}})");
    CHECK(message_of(changed).find("existing ephemeral containers \"debug\" may not be changed") != std::string::npos);
    // Nothing else of the pod is taken from such a request.
    const auto other = patch_pod(server, path, R"({"metadata":{"labels":{"x":"y"}},"spec":{"nodeName":"n"}})");
    CHECK(other.status == 200);
    CHECK_FALSE(other.tree["metadata"]["labels"].contains("x"));
    CHECK_FALSE(other.tree["spec"].contains("nodeName"));
  });
}

TEST_CASE("a resize changes amounts but not the class", "[strategies]") {
  TestServer::run([](TestServer& server) {
    make_account(server);
    REQUIRE(make_pod(server, R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i",
                                "resources":{"requests":{"cpu":"1"}}}]}})")
                .status == 201);
    const std::string path = pod_path("p") + "/resize";
    const auto resized = patch_pod(
        server, path, R"({"spec":{"containers":[{"name":"c","image":"x","resources":{"requests":{"cpu":"2"}}}]}})");
    REQUIRE(resized.status == 200);
    CHECK(resized.tree["spec"]["containers"].at(0)["image"].as_string() == "i");
    CHECK(resized.tree["spec"]["containers"].at(0)["resources"]["requests"]["cpu"].as_string() == "2");
    const auto best =
        patch_pod(server, path, R"({"spec":{"containers":[{"name":"c","resources":{"requests":null}}]}})");
    CHECK(message_of(best).find("Pod QOS Class may not change as a result of resizing") != std::string::npos);
  });
}

TEST_CASE("a pod on a node is deleted with grace", "[strategies]") {
  TestServer::run([](TestServer& server) {
    make_account(server);
    REQUIRE(make_pod(server, pod_body("free")).status == 201);
    REQUIRE(server.request("DELETE", pod_path("free")).status == 200);
    CHECK(server.request("GET", pod_path("free")).status == 404);

    REQUIRE(make_pod(server, pod_body("p", R"(,"nodeName":"n1")")).status == 201);
    const auto deleted = server.request("DELETE", pod_path("p"));
    CHECK(deleted.status == 200);
    CHECK(deleted.tree["metadata"]["deletionGracePeriodSeconds"].as_int() == 30);
    CHECK(deleted.tree["metadata"]["generation"].as_int() == 2);
    CHECK(server.request("GET", pod_path("p")).status == 200);
    CHECK(server.request("DELETE", pod_path("p") + "?gracePeriodSeconds=0").status == 200);
    CHECK(server.request("GET", pod_path("p")).status == 404);
  });
}

TEST_CASE("evictions ask the disruption budget", "[strategies]") {
  TestServer::run([](TestServer& server) {
    make_account(server);
    for (const char* name : {"a", "b"}) {
      REQUIRE(make_pod(server, pod_body(name, R"(,"nodeName":"n1")")).status == 201);
      set_pod_status(server, name, R"({"phase":"Running","conditions":[{"type":"Ready","status":"True"}]})");
    }
    const std::string budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
    const std::string budget = R"("spec":{"minAvailable":1,"selector":{"matchLabels":{"app":"web"}}}})";
    REQUIRE(server.request("POST", budgets, R"({"metadata":{"name":"pdb"},)" + budget).status == 201);
    const auto unseen = evict_pod(server, "a");
    CHECK(unseen.status == 429);
    CHECK(message_of(unseen) == "Cannot evict pod as it would violate the pod's disruption budget.");
    CHECK(unseen.tree["details"]["retryAfterSeconds"].as_int() == 10);
    REQUIRE(patch_pod(server, budgets + "/pdb/status",
                      R"({"status":{"observedGeneration":1,"disruptionsAllowed":1,"currentHealthy":2,"desiredHealthy":1,
                          "expectedPods":2}})")
                .status == 200);
    CHECK(evict_pod(server, "a").status == 201);
    const auto pod = server.request("GET", pod_path("a"));
    CHECK(pod.tree["metadata"].contains("deletionTimestamp"));
    const auto spent = server.request("GET", budgets + "/pdb");
    CHECK(spent.tree["status"]["disruptionsAllowed"].as_int() == 0);
    CHECK(spent.tree["status"]["disruptedPods"].contains("a"));
    const auto refused = evict_pod(server, "b");
    CHECK(refused.status == 429);
    CHECK(refused.tree["details"]["causes"].at(0)["message"].as_string() ==
          "The disruption budget pdb needs 1 healthy pods and has 2 currently");
    REQUIRE(server.request("POST", budgets, R"({"metadata":{"name":"second"},)" + budget).status == 201);
    CHECK(evict_pod(server, "b").status == 500);
    REQUIRE(make_pod(server, pod_body("pending")).status == 201);
    CHECK(evict_pod(server, "pending").status == 201);
    CHECK(server.request("GET", pod_path("pending")).status == 404);
  });
}

TEST_CASE("a pod that uses much of what there is", "[strategies]") {
  constexpr const char* kBody = R"({"metadata":{"name":"p","labels":{"app":"web"}},"spec":{
    "serviceAccountName":"default","hostNetwork":true,"priorityClassName":"system-cluster-critical",
    "dnsPolicy":"None","dnsConfig":{"nameservers":["1.1.1.1"],"options":[{"name":"ndots","value":"2"}]},
    "hostAliases":[{"ip":"10.0.0.1","hostnames":["a.example.com"]}],"nodeSelector":{"kubernetes.io/os":"linux"},
    "tolerations":[{"operator":"Exists"},{"key":"node-role.kubernetes.io/control-plane","operator":"Exists",
      "effect":"NoSchedule"},{"key":"a","value":"b","effect":"NoExecute","tolerationSeconds":5}],
    "topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"kubernetes.io/hostname",
      "whenUnsatisfiable":"DoNotSchedule","labelSelector":{"matchLabels":{"app":"web"}}}],
    "affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[
      {"matchExpressions":[{"key":"kubernetes.io/arch","operator":"In","values":["amd64"]}]}]}},
      "podAntiAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[{"weight":100,"podAffinityTerm":{
        "topologyKey":"kubernetes.io/hostname","labelSelector":{"matchLabels":{"app":"web"}}}}]}},
    "initContainers":[{"name":"i","image":"busybox","command":["true"]},
      {"name":"side","image":"busybox","restartPolicy":"Always","startupProbe":{"exec":{"command":["true"]}}}],
    "containers":[{"name":"c","image":"example.com:5000/i@sha256:aa","ports":[
        {"containerPort":53,"name":"dns","protocol":"UDP"},{"containerPort":53,"name":"dns-tcp","protocol":"TCP"}],
      "env":[{"name":"A","value":"1"},{"name":"A","value":"2"},{"name":"a.b-c","valueFrom":{"fieldRef":{
        "fieldPath":"status.podIP"}}},{"name":"S","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}}],
      "envFrom":[{"configMapRef":{"name":"c"}}],
      "resources":{"limits":{"memory":"170Mi"},"requests":{"cpu":"100m","memory":"70Mi"}},
      "livenessProbe":{"httpGet":{"path":"/health","port":8080,"scheme":"HTTP"},"initialDelaySeconds":60},
      "readinessProbe":{"httpGet":{"port":"dns-tcp"},"successThreshold":2},"startupProbe":{"grpc":{"port":9000}},
      "lifecycle":{"preStop":{"httpGet":{"port":80}},"postStart":{"exec":{"command":["true"]}}},
      "securityContext":{"capabilities":{"add":["NET_BIND_SERVICE"],"drop":["ALL"]}},
      "volumeMounts":[{"name":"cfg","mountPath":"/etc/c","readOnly":true},
        {"name":"cfg","mountPath":"/etc/d","subPath":"a/b"},{"name":"tmp","mountPath":"/tmp"}]}],
    "volumes":[{"name":"cfg","configMap":{"name":"coredns","items":[{"key":"Corefile","path":"Corefile"}]}},
      {"name":"tmp","emptyDir":{}},{"name":"none"},{"name":"h","hostPath":{"path":"/lib/modules"}},
      {"name":"s","secret":{"secretName":"s","optional":true}},
      {"name":"t","projected":{"sources":[{"serviceAccountToken":{"path":"token"}}]}},
      {"name":"e","ephemeral":{"volumeClaimTemplate":{"spec":{"accessModes":["ReadWriteOnce"],
        "resources":{"requests":{"storage":"1Gi"}}}}}}]}})";
  TestServer::run([&](TestServer& server) {
    make_account(server);
    const auto made = make_pod(server, kBody);
    CHECK(message_of(made).empty());
    CHECK(made.status == 201);
    // What was read can be written back.
    CHECK(server.request("PUT", pod_path("p"), made.body).status == 200);
  });
}

TEST_CASE("what a pod may not say", "[strategies]") {
  struct Row {
    const char* spec;
    const char* message;
  };
  const Row rows[] = {
      {R"("containers":[])", "spec.containers: Required value"},
      {R"("containers":[{"name":"c"}])", "spec.containers[0].image: Required value"},
      {R"("containers":[{"name":"c","image":"i"},{"name":"c","image":"i"}])",
       "spec.containers[1].name: Duplicate value: \"c\""},
      {R"("containers":[{"name":"C_","image":"i"}])", nullptr},
      {R"("containers":[{"name":"c","image":"i","ports":[{"containerPort":99999}]}])",
       "spec.containers[0].ports[0].containerPort: Invalid value: 99999: must be between 1 and 65535, inclusive"},
      {R"("containers":[{"name":"c","image":"i","volumeMounts":[{"name":"v","mountPath":"/v"}]}])",
       "spec.containers[0].volumeMounts[0].name: Not found: \"v\""},
      {R"("containers":[{"name":"c","image":"i","resources":{"requests":{"cpu":"2"},"limits":{"cpu":"1"}}}])",
       "spec.containers[0].resources.requests: Invalid value: \"2\": must be less than or equal to cpu limit of 1"},
      {R"("containers":[{"name":"c","image":"i","resources":{"requests":{"cpu":"-1"}}}])",
       "spec.containers[0].resources.requests[cpu]: Invalid value: \"-1\": must be greater than or equal to 0"},
      {R"("containers":[{"name":"c","image":"i","livenessProbe":{"periodSeconds":3}}])",
       "spec.containers[0].livenessProbe: Required value: must specify a handler type"},
      {R"("containers":[{"name":"c","image":"i"}],"initContainers":[{"name":"c","image":"i"}])",
       "spec.initContainers[0].name: Duplicate value: \"c\""},
      {R"("containers":[{"name":"c","image":"i"}],"volumes":[{"name":"v","hostPath":{"path":"/"},"emptyDir":{}}])",
       nullptr},
      {R"("containers":[{"name":"c","image":"i"}],"tolerations":[{"operator":"Equal","value":"x"}])",
       "spec.tolerations[0].operator: Invalid value: \"Equal\": operator must be Exists when `key` is empty, which "
       "means "
       "\"match all values and all keys\""},
      {R"("containers":[{"name":"c","image":"i"}],"securityContext":{"sysctls":[
            {"name":"kernel.shmmax","value":"1"},{"name":"net/ipv4/a_b","value":"1"},{"name":"bar..","value":"1"}]})",
       "spec.securityContext.sysctls[2].name: Invalid value: \"bar..\": must have at most 253 characters and match "
       "regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"},
      {R"("containers":[{"name":"c","image":"i"}],"securityContext":{"sysctls":[
            {"name":"a","value":"1"},{"name":"a","value":"2"}]})",
       "spec.securityContext.sysctls[1].name: Duplicate value: \"a\""},
      {R"("containers":[{"name":"c","image":"i"}],"hostNetwork":true,"securityContext":{"sysctls":[
            {"name":"net/ipv4.x","value":"1"}]})",
       "spec.securityContext.sysctls[0].name: Invalid value: \"net/ipv4.x\": may not be specified when 'hostNetwork' "
       "is true"},
      {R"("containers":[{"name":"c","image":"i"}],"hostIPC":true,"securityContext":{"sysctls":[
            {"name":"kernel.sem","value":"1"}]})",
       "spec.securityContext.sysctls[0].name: Invalid value: \"kernel.sem\": may not be specified when 'hostIPC' is "
       "true"},
      {R"("containers":[{"name":"c","image":"i"}],"securityContext":{"runAsUser":-1})",
       "spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive"},
      {R"("containers":[{"name":"c","image":"i"}],"hostPID":true,"shareProcessNamespace":true)",
       "spec.securityContext.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both "
       "be enabled"},
  };
  TestServer::run([&](TestServer& server) {
    make_account(server);
    for (const Row& row : rows) {
      const auto answer = make_pod(server, std::string(R"({"metadata":{"name":"p"},"spec":{)") + row.spec + "}}");
      CHECK(answer.status == 422);
      if (row.message != nullptr) CHECK(message_of(answer) == std::string("Pod \"p\" is invalid: ") + row.message);
    }
  });
}

}  // namespace coracle::kube::apiserver::testing
