#include <catch2/catch.hpp>

#include "base/json/json.h"
#include "kube/apiserver/testing/test_server.h"
#include "kube/codec/protobuf.h"

// What an older server has left in the store, as upstream's 1.36 answers it.
namespace coracle::kube::apiserver::testing {

namespace {

constexpr const char* kMergeType = "application/merge-patch+json";

std::string varint(std::uint64_t value) {
  std::string out;
  for (; value > 127; value >>= 7) out += static_cast<char>((value & 127) | 128);
  return out + static_cast<char>(value);
}
// Fields of a protobuf message.
std::string text(unsigned field, std::string_view bytes) {
  return varint(field << 3 | 2) + varint(bytes.size()) + std::string(bytes);
}
std::string number(unsigned field, std::uint64_t value) {
  return varint(field << 3) + varint(value);
}
std::string pair(unsigned field, std::string_view key, std::string_view value) {
  return text(field, text(1, key) + text(2, value));
}
std::string port(std::uint64_t value) {
  return number(1, 0) + number(2, value);
}
std::string port(std::string_view name) {
  return number(1, 1) + text(3, name);
}
std::string metadata(std::string_view name, const std::string& more = {}) {
  return text(1, text(1, name) + text(3, "default") + text(5, "u-" + std::string(name)) + more);
}

void put(TestServer& server, std::string_view key, std::string value) {
  REQUIRE(server.store()
              .create(server.context(), "/registry/" + std::string(key),
                      std::make_shared<const std::string>(std::move(value)))
              .ok());
}

std::string path_of(std::string_view group_version, std::string_view resource, std::string_view name) {
  return "/apis/" + std::string(group_version) + "/namespaces/default/" + std::string(resource) + "/" +
         std::string(name);
}

// The member of what a GET and a LIST answer, which must agree.
Value shown(TestServer& server, const std::string& path, std::string_view member) {
  const Value got = server.request("GET", path).tree[member];
  const Value list = server.request("GET", path.substr(0, path.rfind('/'))).tree["items"];
  for (const Value& item : list.items()) {
    if (item["metadata"]["name"].as_string() == path.substr(path.rfind('/') + 1)) CHECK(item[member] == got);
  }
  return got;
}

Value tree(std::string_view json) {
  auto read = json::read(json);
  REQUIRE(read.ok());
  return *read;
}

bool can_patch(TestServer& server, const std::string& path) {
  return server.request("PATCH", path, R"({"metadata":{"annotations":{"seen":"1"}}})", {{"Content-Type", kMergeType}})
             .status == 200;
}

}  // namespace

TEST_CASE("an autoscaler that is stored in v1 is read, changed and deleted in both versions", "[stored_versions]") {
  TestServer::run([](TestServer& server) {
    const std::string reference = text(1, "Deployment") + text(2, "d") + text(3, "apps/v1");
    put(server, "horizontalpodautoscalers/default/h",
        write_envelope("autoscaling/v1", "HorizontalPodAutoscaler",
                       metadata("h") + text(2, text(1, reference) + number(2, 2) + number(3, 7) + number(4, 55)) +
                           text(3, number(3, 2) + number(4, 2) + number(5, 30))));
    const std::string v2 = path_of("autoscaling/v2", "horizontalpodautoscalers", "h");
    const Value spec = shown(server, v2, "spec");
    CHECK(spec["maxReplicas"].as_int() == 7);
    CHECK(spec["metrics"] == tree(R"([{"type":"Resource","resource":{"name":"cpu",
        "target":{"type":"Utilization","averageUtilization":55}}}])"));
    const std::string v1 = path_of("autoscaling/v1", "horizontalpodautoscalers", "h");
    CHECK(shown(server, v1, "spec")["targetCPUUtilizationPercentage"].as_int() == 55);
    CHECK(shown(server, v1, "status")["currentCPUUtilizationPercentage"].as_int() == 30);
    CHECK(can_patch(server, v1));
    CHECK(shown(server, v2, "spec") == spec);
    CHECK(server.request("DELETE", v2).status == 200);
  });
}

TEST_CASE("an ingress that is stored in v1beta1 keeps its backends", "[stored_versions]") {
  TestServer::run([](TestServer& server) {
    const auto backend = [](std::string_view name, const std::string& number) {
      return text(1, name) + text(2, number);
    };
    const std::string paths = text(1, text(1, "/a") + text(2, backend("svc", port("http")))) +
                              text(1, text(1, "/b") + text(2, backend("svc2", port(81))) + text(3, "Prefix")) +
                              text(1, text(2, text(3, text(1, "g") + text(2, "K") + text(3, "n"))));
    const std::string spec = text(1, backend("def", port(8080))) + text(2, text(1, "h") + text(2, "tls")) +
                             text(3, text(1, "h") + text(2, text(1, paths)));
    const Value expected = tree(R"({"defaultBackend":{"service":{"name":"def","port":{"number":8080}}},
        "tls":[{"hosts":["h"],"secretName":"tls"}],"rules":[{"host":"h","http":{"paths":[
        {"path":"/a","pathType":"ImplementationSpecific","backend":{"service":{"name":"svc","port":{"name":"http"}}}},
        {"path":"/b","pathType":"Prefix","backend":{"service":{"name":"svc2","port":{"number":81}}}},
        {"pathType":"ImplementationSpecific","backend":{"resource":{"apiGroup":"g","kind":"K","name":"n"}}}]}}]})");
    put(server, "ingress/default/a",
        write_envelope("networking.k8s.io/v1beta1", "Ingress", metadata("a") + text(2, spec)));
    put(server, "ingress/default/b", write_envelope("extensions/v1beta1", "Ingress", metadata("b") + text(2, spec)));
    put(server, "ingress/default/c",
        R"({"kind":"Ingress","apiVersion":"extensions/v1beta1","metadata":{"name":"c","namespace":"default","uid":"u"},
            "spec":{"backend":{"serviceName":"def","servicePort":8080},"tls":[{"hosts":["h"],"secretName":"tls"}],
            "rules":[{"host":"h","http":{"paths":[
              {"path":"/a","backend":{"serviceName":"svc","servicePort":"http"}},
              {"path":"/b","pathType":"Prefix","backend":{"serviceName":"svc2","servicePort":81}},
              {"backend":{"resource":{"apiGroup":"g","kind":"K","name":"n"}}}]}}]}})");
    for (const char* name : {"a", "b", "c"}) {
      INFO(name);
      const std::string path = path_of("networking.k8s.io/v1", "ingresses", name);
      CHECK(shown(server, path, "spec") == expected);
      CHECK(server.request("GET", path).tree["apiVersion"].as_string() == "networking.k8s.io/v1");
      CHECK(can_patch(server, path));
      CHECK(shown(server, path, "spec") == expected);
    }
  });
}

TEST_CASE("an endpoint slice that is stored in v1beta1 has its zone and hints", "[stored_versions]") {
  TestServer::run([](TestServer& server) {
    const std::string endpoint =
        text(1, "10.1.1.1") + text(2, number(1, 1)) + pair(5, "topology.kubernetes.io/zone", "z1") +
        pair(5, "topology.kubernetes.io/region", "r1") + pair(5, "kubernetes.io/hostname", "n1") + text(6, "n1") +
        text(7, text(1, text(1, "z1")));
    put(server, "endpointslices/default/e",
        write_envelope("discovery.k8s.io/v1beta1", "EndpointSlice",
                       metadata("e") + text(2, endpoint) + text(3, text(1, "") + text(2, "TCP") + number(3, 80)) +
                           text(4, "IPv4")));
    const std::string path = path_of("discovery.k8s.io/v1", "endpointslices", "e");
    CHECK(shown(server, path, "endpoints") == tree(R"([{"addresses":["10.1.1.1"],"conditions":{"ready":true},
        "deprecatedTopology":{"topology.kubernetes.io/region":"r1"},"nodeName":"n1","zone":"z1",
        "hints":{"forZones":[{"name":"z1"}]}}])"));
  });
}

TEST_CASE("what an older version meant by saying nothing is said", "[stored_versions]") {
  TestServer::run([](TestServer& server) {
    put(server, "poddisruptionbudgets/default/none",
        write_envelope("policy/v1beta1", "PodDisruptionBudget",
                       metadata("none") + text(2, text(1, port(1)) + text(2, "")) + text(3, "")));
    put(server, "poddisruptionbudgets/default/some",
        write_envelope("policy/v1beta1", "PodDisruptionBudget",
                       metadata("some") + text(2, text(1, port("30%")) + text(2, pair(1, "a", "b"))) + text(3, "")));
    CHECK(shown(server, path_of("policy/v1", "poddisruptionbudgets", "none"), "spec")["selector"] ==
          tree(R"({"matchExpressions":[{"key":"pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match",
                   "operator":"Exists"}]})"));
    CHECK(shown(server, path_of("policy/v1", "poddisruptionbudgets", "some"), "spec")["selector"] ==
          tree(R"({"matchLabels":{"a":"b"}})"));

    put(server, "validatingwebhookconfigurations/w",
        write_envelope("admissionregistration.k8s.io/v1beta1", "ValidatingWebhookConfiguration",
                       text(1, text(1, "w")) + text(2, text(1, "a.b.c") + text(2, text(3, "https://127.0.0.1:1/")))));
    const Value hook = server.request("GET", "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/w")
                           .tree["webhooks"]
                           .at(0);
    CHECK(hook["failurePolicy"].as_string() == "Ignore");
    CHECK(hook["matchPolicy"].as_string() == "Exact");
    CHECK(hook["sideEffects"].as_string() == "Unknown");
    CHECK(hook["timeoutSeconds"].as_int() == 30);
    CHECK(hook["admissionReviewVersions"] == tree(R"(["v1beta1"])"));

    const std::string pods = text(1, pair(11, "a", "b")) + text(2, text(2, text(1, "c") + text(2, "img")));
    put(server, "deployments/default/d",
        write_envelope("apps/v1beta1", "Deployment", metadata("d") + text(2, number(1, 3) + text(3, pods))));
    const Value deployment = server.request("GET", path_of("apps/v1", "deployments", "d")).tree;
    CHECK(deployment["metadata"]["labels"] == tree(R"({"a":"b"})"));
    CHECK(deployment["spec"]["selector"] == tree(R"({"matchLabels":{"a":"b"}})"));
    CHECK(deployment["spec"]["revisionHistoryLimit"].as_int() == 2);
    put(server, "daemonsets/default/ds",
        write_envelope("extensions/v1beta1", "DaemonSet", metadata("ds") + text(2, text(2, pods))));
    CHECK(shown(server, path_of("apps/v1", "daemonsets", "ds"), "spec")["updateStrategy"] ==
          tree(R"({"type":"OnDelete"})"));
  });
}

TEST_CASE("a version that nobody knows is an error, and stays in the store as it is", "[stored_versions]") {
  TestServer::run([](TestServer& server) {
    put(server, "horizontalpodautoscalers/default/h",
        write_envelope("autoscaling/v2beta1", "HorizontalPodAutoscaler", metadata("h") + text(2, number(3, 7))));
    const std::string path = path_of("autoscaling/v2", "horizontalpodautoscalers", "h");
    const auto got = server.request("GET", path);
    CHECK(got.status == 500);
    CHECK(got.tree["message"].as_string().find("protobuf of autoscaling/v2beta1 HorizontalPodAutoscaler") !=
          std::string_view::npos);
    CHECK_FALSE(can_patch(server, path));
    CHECK(server.request("GET", path.substr(0, path.rfind('/'))).tree["items"].empty());
  });
}

TEST_CASE("what cannot be read is left out of a list as it was, too", "[stored_versions]") {
  TestServer::run([](TestServer& server) {
    const auto config_map = [&server](const std::string& name) {
      const std::string body = R"({"metadata":{"name":")" + name + R"("}})";
      REQUIRE(server.request("POST", "/api/v1/namespaces/default/configmaps", body).status == 201);
    };
    for (const char* name : {"a", "c"}) config_map(name);
    put(server, "configmaps/default/b", "k8s:enc:aescbc:v1:key:secret");
    const std::string list = "/api/v1/namespaces/default/configmaps?limit=1";
    const auto first = server.request("GET", list);
    REQUIRE(first.tree["items"].size() == 1);
    config_map("d");
    const auto second =
        server.request("GET", list + "&continue=" + std::string(first.tree["metadata"]["continue"].as_string()));
    CHECK(second.status == 200);
    CHECK(second.tree["items"].at(0)["metadata"]["name"].as_string() == "c");
    CHECK(second.tree["metadata"]["continue"].is_null());
  });
}

TEST_CASE("a service from before dual-stack has its addresses and families", "[stored_versions]") {
  TestServer::run([](TestServer& server) {
    const std::string ports = text(1, text(1, "") + text(2, "TCP") + number(3, 80) + text(4, port(80)) + number(5, 0));
    const auto service = [&](std::string_view name, std::string_view ip, bool selects) {
      const std::string spec =
          ports + (selects ? pair(2, "a", "b") : "") + text(3, ip) + text(4, "ClusterIP") + text(7, "None");
      put(server, "services/specs/default/" + std::string(name),
          write_envelope("v1", "Service", metadata(name) + text(2, spec) + text(3, text(1, ""))));
      return "/api/v1/namespaces/default/services/" + std::string(name);
    };
    const auto check = [&](const std::string& path, std::string_view ips, std::string_view families,
                           std::string_view policy) {
      for (int changed = 0; changed < 2; ++changed) {
        const Value spec = shown(server, path, "spec");
        CHECK(spec["clusterIPs"] == tree(ips));
        CHECK(spec["ipFamilies"] == tree(families));
        CHECK(spec["ipFamilyPolicy"].as_string() == policy);
        CHECK(can_patch(server, path));
      }
    };
    check(service("s1", "10.43.77.7", true), R"(["10.43.77.7"])", R"(["IPv4"])", "SingleStack");
    check(service("s2", "None", true), R"(["None"])", R"(["IPv4"])", "SingleStack");
    check(service("s3", "None", false), R"(["None"])", R"(["IPv4","IPv6"])", "RequireDualStack");
  });
}

TEST_CASE("JSON that another server has stored is completed and pruned", "[stored_versions]") {
  TestServer::run([](TestServer& server) {
    // As upstream prints it: compact, with a line break at the end.
    put(server, "secrets/default/s",
        R"({"kind":"Secret","apiVersion":"v1","metadata":{"name":"s","namespace":"default","uid":"u",)"
        R"("clusterName":"c"},"data":{"a":"Yg=="},"stringData":{"z":"y"},"unknown":1,"type":"Opaque"})"
        "\n");
    const Value secret = server.request("GET", "/api/v1/namespaces/default/secrets/s").tree;
    CHECK(secret["data"] == tree(R"({"a":"Yg==","z":"eQ=="})"));
    CHECK_FALSE(secret.contains("stringData"));
    CHECK_FALSE(secret.contains("unknown"));
    CHECK_FALSE(secret["metadata"].contains("clusterName"));
    put(server, "persistentvolumes/v",
        R"({"kind": "PersistentVolume", "apiVersion": "v1", "metadata": {"name": "v", "uid": "u2"},
            "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"],
                     "nfs": {"server": "a", "path": "/b"}, "persistentVolumeReclaimPolicy": "Retain"}})");
    CHECK(server.request("GET", "/api/v1/persistentvolumes/v").tree["spec"]["volumeMode"].as_string() == "Filesystem");
    CHECK(can_patch(server, "/api/v1/persistentvolumes/v"));
  });
}

}  // namespace coracle::kube::apiserver::testing
