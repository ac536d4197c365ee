#include "kube/schema/defaulting.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "base/json/json.h"
#include "kube/schema/internal/default_hooks.h"

namespace coracle::kube {
namespace {

Value parsed(std::string_view text) {
  auto value = json::read(text);
  REQUIRE(value.ok());
  return *value;
}

std::string defaulted(std::string_view group, std::string_view version, std::string_view kind, std::string_view text) {
  const KindSchema* found = find_builtin_kind(group, version, kind);
  REQUIRE(found != nullptr);
  const Value once = apply_defaults(parsed(text), *found->schema, WallTime(std::chrono::seconds(1767322985)));
  CHECK(apply_defaults(once, *found->schema, WallTime()).same_tree(once));  // nothing is left to do
  return json::write(once);
}

}  // namespace

TEST_CASE("a pod gets its defaults, a template only those of templates") {
  CHECK(
      defaulted("", "v1", "Pod",
                R"({"spec":{"containers":[{"name":"c","image":"nginx","resources":{"limits":)"
                R"({"cpu":"1"}},"ports":[{"containerPort":80}],"livenessProbe":{"httpGet":{"port":1}}}]}})") ==
      R"({"spec":{"containers":[{"name":"c","image":"nginx","ports":[{"containerPort":80,"protocol":"TCP"}],)"
      R"("resources":{"limits":{"cpu":"1"},"requests":{"cpu":"1"}},"livenessProbe":{"httpGet":{"path":"/","port":1,)"
      R"("scheme":"HTTP"},"timeoutSeconds":1,"periodSeconds":10,"successThreshold":1,"failureThreshold":3},)"
      R"("terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File","imagePullPolicy":)"
      R"("Always"}],)"
      R"("restartPolicy":"Always","terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst","securityContext":{},)"
      R"("schedulerName":"default-scheduler","enableServiceLinks":true}})");
  const std::string deployment =
      defaulted("apps", "v1", "Deployment",
                R"({"spec":{"template":{"spec":{"serviceAccountName":"s","containers":[{"image":"a:1","resources":{)"
                R"("limits":{"cpu":"1"}}}]}}}})");
  CHECK(deployment.find("enableServiceLinks") == std::string::npos);
  CHECK(deployment.find("requests") == std::string::npos);
  CHECK(deployment.find(R"("serviceAccountName":"s","serviceAccount":"s")") != std::string::npos);
  CHECK(deployment.find(R"("imagePullPolicy":"IfNotPresent")") != std::string::npos);
  CHECK(deployment.find(
            R"("strategy":{"type":"RollingUpdate","rollingUpdate":{"maxUnavailable":"25%","maxSurge":"25%"}},)"
            R"("revisionHistoryLimit":10,"progressDeadlineSeconds":600}})") != std::string::npos);
}

TEST_CASE("pull policy follows tag and digest") {
  CHECK(default_pull_policy("nginx") == "Always");
  CHECK(default_pull_policy("registry:5000/nginx") == "Always");
  CHECK(default_pull_policy("registry:5000/nginx:latest") == "Always");
  CHECK(default_pull_policy("registry:5000/nginx:1.2") == "IfNotPresent");
  CHECK(default_pull_policy("nginx@sha256:aa") == "IfNotPresent");
  CHECK(default_pull_policy("nginx:latest@sha256:aa") == "Always");
}

TEST_CASE("host network takes container ports; pod resources come from containers") {
  CHECK(defaulted("", "v1", "Pod", R"({"spec":{"containers":[{"ports":[{"containerPort":80}]}],"hostNetwork":true}})")
            .find(R"("hostPort":80)") != std::string::npos);
  CHECK(
      defaulted("", "v1", "Pod",
                R"({"spec":{"initContainers":[{"resources":{"requests":{"cpu":"3"}}}],"containers":[{"resources":{)"
                R"("requests":)"
                R"({"cpu":"1"}}},{"resources":{"requests":{"cpu":"500m"}}}],"resources":{"limits":{"cpu":"8","memory":)"
                R"("1Gi"}}}})")
          .find(R"("resources":{"limits":{"cpu":"8","memory":"1Gi"},"requests":{"cpu":"3","memory":"1Gi"}})") !=
      std::string::npos);
}

TEST_CASE("volumes") {
  const std::string pod =
      defaulted("", "v1", "Pod",
                R"({"spec":{"volumes":[{"name":"a"},{"name":"b","secret":{}},{"name":"c","hostPath":{"path":"/"}},)"
                R"({"name":"d","projected":{"sources":[{"serviceAccountToken":{"path":"t"}}]}}],"containers":[]}})");
  CHECK(pod.find(R"("volumes":[{"name":"a","emptyDir":{}},{"name":"b","secret":{"defaultMode":420}},)"
                 R"({"name":"c","hostPath":{"path":"/","type":""}},{"name":"d","projected":{"sources":[{)"
                 R"("serviceAccountToken":)"
                 R"({"expirationSeconds":3600,"path":"t"}}],"defaultMode":420}}])") != std::string::npos);
}

TEST_CASE("services") {
  CHECK(
      defaulted("", "v1", "Service", R"({"spec":{"ports":[{"port":80}]}})") ==
      R"({"spec":{"ports":[{"protocol":"TCP","port":80,"targetPort":80}],"type":"ClusterIP","sessionAffinity":"None",)"
      R"("internalTrafficPolicy":"Cluster"}})");
  CHECK(defaulted("", "v1", "Service",
                  R"({"spec":{"type":"LoadBalancer","sessionAffinity":"ClientIP"},"status":{"loadBalancer":)"
                  R"({"ingress":[{"ip":"1.2.3.4"},{"hostname":"h"}]}}})") ==
        R"({"spec":{"type":"LoadBalancer","sessionAffinity":"ClientIP","externalTrafficPolicy":"Cluster",)"
        R"("sessionAffinityConfig":{"clientIP":{"timeoutSeconds":10800}},"allocateLoadBalancerNodePorts":true,)"
        R"("internalTrafficPolicy":"Cluster"},"status":{"loadBalancer":{"ingress":[{"ip":"1.2.3.4","ipMode":"VIP"},)"
        R"({"hostname":"h"}]}}})");
  CHECK(defaulted("", "v1", "Service", R"({"spec":{"type":"ExternalName"}})") ==
        R"({"spec":{"type":"ExternalName","sessionAffinity":"None"}})");
}

TEST_CASE("workloads") {
  CHECK(defaulted("apps", "v1", "StatefulSet", R"({"spec":{"updateStrategy":{"type":"RollingUpdate"}}})")
            .find("partition") == std::string::npos);
  const std::string set =
      defaulted("apps", "v1", "StatefulSet", R"({"spec":{"volumeClaimTemplates":[{"metadata":{"name":"v"}}]}})");
  CHECK(set.find(R"("updateStrategy":{"type":"RollingUpdate","rollingUpdate":{"partition":0}})") != std::string::npos);
  CHECK(set.find(R"("volumeClaimTemplates":[{"kind":"PersistentVolumeClaim","apiVersion":"v1","metadata":{"name":"v"},)"
                 R"("spec":{"volumeMode":"Filesystem"},"status":{"phase":"Pending"}}])") != std::string::npos);
  CHECK(set.find(R"("persistentVolumeClaimRetentionPolicy":{"whenDeleted":"Retain","whenScaled":"Retain"})") !=
        std::string::npos);
  CHECK(
      defaulted("batch", "v1", "Job",
                R"({"metadata":{},"spec":{"backoffLimitPerIndex":1,"template":{"metadata":{"labels":{"a":"b"}}}}})")
          .find(R"({"metadata":{"labels":{"a":"b"}},"spec":{"parallelism":1,"completions":1,"backoffLimit":2147483647,)"
                R"("backoffLimitPerIndex":1,)") == 0);
  // The jobs of a cron job get theirs when they are made.
  CHECK(defaulted("batch", "v1", "CronJob", R"({"spec":{"jobTemplate":{"spec":{}}}})").find("backoffLimit") ==
        std::string::npos);
  CHECK(defaulted("", "v1", "ReplicationController",
                  R"({"metadata":{},"spec":{"template":{"metadata":{"labels":{"a":"b"}}}}})")
            .find(R"({"metadata":{"labels":{"a":"b"}},"spec":{"replicas":1,"selector":{"a":"b"})") == 0);
  CHECK(defaulted("autoscaling", "v2", "HorizontalPodAutoscaler",
                  R"({"spec":{"behavior":{"scaleDown":{"selectPolicy":"Min"}}}})") ==
        R"({"spec":{"minReplicas":1,"metrics":[{"type":"Resource","resource":{"name":"cpu","target":{"type":)"
        R"("Utilization",)"
        R"("averageUtilization":80}}}],"behavior":{"scaleUp":{"stabilizationWindowSeconds":0,"selectPolicy":"Max",)"
        R"("policies":)"
        R"([{"type":"Pods","value":4,"periodSeconds":15},{"type":"Percent","value":100,"periodSeconds":15}]},)"
        R"("scaleDown":)"
        R"({"selectPolicy":"Min","policies":[{"type":"Percent","value":100,"periodSeconds":15}]}}}})");
}

TEST_CASE("the rest of the table") {
  CHECK(defaulted("", "v1", "Secret", R"({"data":{"a":"eA=="},"stringData":{"b":"y"}})") ==
        R"({"data":{"a":"eA==","b":"eQ=="},"type":"Opaque"})");
  CHECK(
      defaulted("", "v1", "Namespace", R"({"metadata":{"name":"n","labels":{"a":"b"}},"status":{}})") ==
      R"({"metadata":{"name":"n","labels":{"a":"b","kubernetes.io/metadata.name":"n"}},"status":{"phase":"Active"}})");
  CHECK(defaulted("", "v1", "ResourceQuota", R"({"spec":{"hard":{"cpu":"1500u","memory":"1Gi"}}})") ==
        R"({"spec":{"hard":{"cpu":"2m","memory":"1Gi"}}})");
  CHECK(defaulted("", "v1", "LimitRange",
                  R"({"spec":{"limits":[{"type":"Container","max":{"cpu":"2"},"min":{"memory":"1Mi"}}]}})") ==
        R"({"spec":{"limits":[{"type":"Container","max":{"cpu":"2"},"min":{"memory":"1Mi"},"default":{"cpu":"2"},)"
        R"("defaultRequest":{"cpu":"2","memory":"1Mi"}}]}})");
  CHECK(defaulted("networking.k8s.io", "v1", "NetworkPolicy", R"({"spec":{"egress":[{"ports":[{"port":53}]}]}})") ==
        R"({"spec":{"egress":[{"ports":[{"protocol":"TCP","port":53}]}],"policyTypes":["Ingress","Egress"]}})");
  CHECK(defaulted("rbac.authorization.k8s.io", "v1", "RoleBinding",
                  R"({"subjects":[{"kind":"User","name":"a"},{"kind":"ServiceAccount","name":"b"}],"roleRef":{"kind":)"
                  R"("Role"}})") ==
        R"({"subjects":[{"kind":"User","apiGroup":"rbac.authorization.k8s.io","name":"a"},{"kind":)"
        R"("ServiceAccount","name":"b"}],)"
        R"("roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role"}})");
  CHECK(defaulted("apiextensions.k8s.io", "v1", "CustomResourceDefinition",
                  R"({"spec":{"names":{"plural":"ws","kind":"Widget"},"versions":[{"name":"v1","storage":true}]},)"
                  R"("status":{}})") ==
        R"({"spec":{"names":{"plural":"ws","singular":"widget","kind":"Widget","listKind":"WidgetList"},"versions":)"
        R"([{"name":"v1","storage":true}],"conversion":{"strategy":"None"}},"status":{"storedVersions":["v1"]}})");
  CHECK(defaulted("", "v1", "PersistentVolume", R"({"spec":{"hostPath":{"path":"/a"}}})")
            .find(R"("persistentVolumeReclaimPolicy":"Retain")") != std::string::npos);
  CHECK(defaulted("storage.k8s.io", "v1", "VolumeAttachment", R"({"spec":{"source":{"inlineVolumeSpec":{}}}})")
            .find("Retain") == std::string::npos);
  CHECK(defaulted("", "v1", "ConfigMap", R"({"data":{"a":"b"}})") == R"({"data":{"a":"b"}})");
}

TEST_CASE("the overlay and the code name the same conditional types") {
  std::ifstream file(CORACLE_SOURCE_DIR "/kube/schema/overlay/defaults.json");
  std::ostringstream text;
  text << file.rdbuf();
  const Value overlay = parsed(text.str());
  std::vector<std::string_view> named;
  for (const Value& type : overlay["conditional"].items()) named.push_back(type.as_string());
  std::vector<std::string_view> coded;
  for (const auto rows : {internal::core_default_hooks(), internal::group_default_hooks()}) {
    for (const auto& row : rows) coded.push_back(row.type);
  }
  std::sort(named.begin(), named.end());
  std::sort(coded.begin(), coded.end());
  CHECK(named == coded);
}

TEST_CASE("every default of the tables is JSON of its field's kind") {
  for (const Schema* type : builtin_types()) {
    for (const Field& field : type->fields) {
      if (field.default_json.empty()) continue;
      CAPTURE(type->name, field.name);
      const auto value = json::read(field.default_json);
      REQUIRE(value.ok());
      const SchemaKind kind = field.schema->kind;
      CHECK(value->is_object() == (kind == SchemaKind::Struct));
      CHECK(value->is_bool() == (kind == SchemaKind::Boolean));
      CHECK(value->is_array() == (kind == SchemaKind::List));
      CHECK((!value->is_int() || kind == SchemaKind::Integer || kind == SchemaKind::IntOrString));
    }
  }
}

}  // namespace coracle::kube
