#include <catch2/catch.hpp>

#include "base/encoding.h"
#include "base/tls/tls.h"
#include "kube/apiserver/internal/admission/test_support.h"

namespace coracle::kube::apiserver {
namespace {

using testing::AdmissionRequest;
using testing::admit;
using testing::Admitted;
using testing::NamedAuthorizer;
using testing::object_of;
using testing::person;
using testing::pod_object;
using testing::TestCluster;

const std::string kOneContainer = R"("containers":[{"name":"c","image":"i"}])";

std::string spec_text(const Admitted& admitted, std::string_view field) {
  return json::write(admitted.object["spec"][field]);
}

// Subject O=system:masters, CN=x.
constexpr const char* kMastersRequest =
    "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIZ01JR0hBZ0VBTUNVeEZ6QVZCZ05WQkFvTURuTjVjM1JsYlRw"
    "dFlYTjBaWEp6TVFvd0NBWURWUVFEREFGNApNRmt3RXdZSEtvWkl6ajBDQVFZSUtvWkl6ajBEQVFjRFFnQUU5VDFBUk1FaG1pZk1L"
    "UzJiankzOFhSWVV0YW1LCngwdzgwTmIvbVBPK01TdkxkTWRVOXZMbnpBQ3lCeWlXUlFja0ZXRDgwZjhVS3hTc095ZndHbldHTzZB"
    "QU1Bb0cKQ0NxR1NNNDlCQU1DQTBnQU1FVUNJUURReWE0OEtqV29ua2RhK0hCQmZuV2hDV0UxOUI5VXhDWnk5QWFMSkhNWQozUUln"
    "ZjdYSDMvZlVGR1pPVUZiUFg1bklFRzdoTCtKeGRwVG9JaHg5czJ6S3Y4dz0KLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0t"
    "LS0tCg==";
// Subject O=dev, CN=x.
constexpr const char* kDevRequest =
    "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIVE1Id0NBUUF3R2pFTU1Bb0dBMVVFQ2d3RFpHVjJNUW93Q0FZ"
    "RFZRUUREQUY0TUZrd0V3WUhLb1pJemowQwpBUVlJS29aSXpqMERBUWNEUWdBRVViTVgxZ0M2MnErYkxYR0JZbzNrVkd3bDh4WFZn"
    "U2pyRGxHK2c5dGNYaGhoCnBPK0R5QUNNa2tobXFQOHZXVWpDaGY2Q2diNHNYbnJ3aTRmd2dGdDM1YUFBTUFvR0NDcUdTTTQ5QkFN"
    "Q0EwY0EKTUVRQ0lGU2J5c1ByalM0U3JOV1AvUFZ3VDlGazRJM2l2U3ZxS2tZT29rYXZvK2xTQWlBM1k3Q05ncXBMWHBCVwpmUkw5"
    "N0ZJUGdBNllUN3hVbEtIUGdvWitGN0xWb3c9PQotLS0tLUVORCBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K";
// Subject CN=x+O=system:masters, one set of two attributes.
constexpr const char* kMastersInSet =
    "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIZU1JR0ZBZ0VBTUNNeElUQUlCZ05WQkFNTUFYZ3dGUVlEVlFR"
    "S0RBNXplWE4wWlcwNmJXRnpkR1Z5Y3pCWgpNQk1HQnlxR1NNNDlBZ0VHQ0NxR1NNNDlBd0VIQTBJQUJEV3JPVi9vSHNUd2RyVTBh"
    "cElSY09ua3FEV3ZMd1RuClN1YWRsc1NDazEvc3Y1d3UyS1VsQ0swWUVvUFNLbEMvZEorSkpUcGpwZDhwL3hLVTRpdGE1TENnQURB"
    "S0JnZ3EKaGtqT1BRUURBZ05JQURCRkFpQnA4NGZiR053Q296TFJXN0pDTEJ1eDVQWFVJUXF2MVgzeGNMR2Vjc09tN0FJaApBTjhC"
    "YW04K0tiRHcrcGVTNUxueEZDbUdvWTVzTmNKYVFtSlFtaysxVjlrMQotLS0tLUVORCBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K";
// O=system:masters as BMPString.
constexpr const char* kWideMastersRequest =
    "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIdU1JR1dBZ0VBTURReEpUQWpCZ05WQkFvZUhBQnpBSGtBY3dC"
    "MEFHVUFiUUE2QUcwQVlRQnpBSFFBWlFCeQpBSE14Q3pBSkJnTlZCQU1lQWdCNE1Ga3dFd1lIS29aSXpqMENBUVlJS29aSXpqMERB"
    "UWNEUWdBRU5hczVYK2dlCnhQQjJ0VFJxa2hGdzZlU29OYTh2Qk9kSzVwMld4SUtUWCt5L25DN1lwU1VJclJnU2c5SXFVTDkwbjRr"
    "bE9tT2wKM3luL0VwVGlLMXJrc0tBQU1Bb0dDQ3FHU000OUJBTUNBMGNBTUVRQ0lDTGhVaWlyQXY3SUkzQ0Zmc0RaT2pkbgpEU0x4"
    "YnFOdU5jTmliSHNjbkFIS0FpQkxkSmljay90djN1WDVqWUsxSDhSVGFjL2N4V3BzRGNKbWhUamdNOXgzCnhBPT0KLS0tLS1FTkQg"
    "Q0VSVElGSUNBVEUgUkVRVUVTVC0tLS0tCg==";
// O=system:masters as UniversalString.
constexpr const char* kUniversalMastersRequest =
    "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIK01JR2xBZ0VBTUVNeFFUQS9CZ05WQkFvY09BQUFBSE1BQUFC"
    "NUFBQUFjd0FBQUhRQUFBQmxBQUFBYlFBQQpBRG9BQUFCdEFBQUFZUUFBQUhNQUFBQjBBQUFBWlFBQUFISUFBQUJ6TUZrd0V3WUhL"
    "b1pJemowQ0FRWUlLb1pJCnpqMERBUWNEUWdBRU5hczVYK2dleFBCMnRUUnFraEZ3NmVTb05hOHZCT2RLNXAyV3hJS1RYK3kvbkM3"
    "WXBTVUkKclJnU2c5SXFVTDkwbjRrbE9tT2wzeW4vRXBUaUsxcmtzS0FBTUFvR0NDcUdTTTQ5QkFNQ0EwZ0FNRVVDSVFERgpYYnJE"
    "Q2p1R0NDdWM1RWR0NVQ3eFI0U2V1Uk51K3BOYlFIcm0zSklQcUFJZ2UyMUNKTUVPUFpiNEJ6MWZpWU8wCkhHblJ6VWllc1lIdEQ1"
    "OHMyaDFldG5zPQotLS0tLUVORCBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K";

Object signing_request(const std::string& signer, const std::string& request) {
  return object_of(R"({"apiVersion":"certificates.k8s.io/v1","kind":"CertificateSigningRequest",
    "metadata":{"name":"c1"},
    "spec":{"signerName":")" +
                   signer + R"(","request":")" + request + "\"}}");
}

}  // namespace

TEST_CASE("NamespaceLifecycle keeps things out of namespaces that are not there", "[admission]") {
  TestCluster cluster;
  cluster.put(R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"ok"}})");
  cluster.put(R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"t1",
    "deletionTimestamp":"2026-01-01T00:00:00Z"}})");
  AdmissionPluginPtr plugin = make_namespace_lifecycle(cluster.objects);
  auto config_map = [](const std::string& ns) {
    return object_of(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"z","namespace":")" + ns + "\"}}");
  };
  CHECK(admit(cluster, *plugin, config_map("ok")).fault.empty());
  CHECK(admit(cluster, *plugin, config_map("nons")).fault == "namespaces \"nons\" not found");
  Admitted terminating = admit(cluster, *plugin, config_map("t1"));
  CHECK(terminating.fault ==
        "configmaps \"z\" is forbidden: unable to create new content in namespace t1 because it is being terminated");
  REQUIRE(terminating.causes.size() == 1);
  CHECK(terminating.causes[0] ==
        Cause{"NamespaceTerminating", "namespace t1 is being terminated", "metadata.namespace"});
  AdmissionRequest update;
  update.operation = Operation::Update;
  CHECK(admit(cluster, *plugin, config_map("t1"), update).fault.empty());
}

TEST_CASE("NamespaceLifecycle keeps some namespaces", "[admission]") {
  TestCluster cluster;
  AdmissionPluginPtr plugin = make_namespace_lifecycle(cluster.objects);
  AdmissionRequest deletion;
  deletion.operation = Operation::Delete;
  auto fault = [&](const std::string& name) {
    return admit(cluster, *plugin,
                 object_of(R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":")" + name + "\"}}"), deletion)
        .fault;
  };
  CHECK(fault("default") == "namespaces \"default\" is forbidden: this namespace may not be deleted");
  CHECK_FALSE(fault("kube-system").empty());
  CHECK_FALSE(fault("kube-public").empty());
  CHECK(fault("kube-node-lease").empty());
  CHECK(fault("x").empty());
}

TEST_CASE("ServiceAccount gives a pod its account and token", "[admission]") {
  TestCluster cluster;
  cluster.put(R"({"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"default","namespace":"a"},
    "imagePullSecrets":[{"name":"ps"}]})");
  cluster.put(R"({"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"noauto","namespace":"a"},
    "automountServiceAccountToken":false})");
  AdmissionPluginPtr plugin = make_service_account_admission(cluster.objects);

  Admitted plain = admit(cluster, *plugin, pod_object(kOneContainer + R"(,"initContainers":[{"name":"i"}])"));
  CHECK(plain.fault.empty());
  CHECK(spec_text(plain, "serviceAccountName") == "\"default\"");
  CHECK(spec_text(plain, "serviceAccount") == "\"default\"");
  CHECK(spec_text(plain, "imagePullSecrets") == R"([{"name":"ps"}])");
  std::string volume(plain.object["spec"]["volumes"].at(0)["name"].as_string());
  CHECK(volume.rfind("kube-api-access-", 0) == 0);
  CHECK(volume.size() == 21);
  CHECK(json::write(plain.object["spec"]["volumes"].at(0)["projected"]) ==
        R"({"sources":[{"serviceAccountToken":{"expirationSeconds":3607,"path":"token"}},)"
        R"({"configMap":{"name":"kube-root-ca.crt","items":[{"key":"ca.crt","path":"ca.crt"}]}},)"
        R"({"downwardAPI":{"items":[{"path":"namespace","fieldRef":{"apiVersion":"v1",)"
        R"("fieldPath":"metadata.namespace"}}]}}],)"
        R"("defaultMode":420})");
  for (std::string_view list : {"containers", "initContainers"}) {
    CHECK(json::write(plain.object["spec"][list].at(0)["volumeMounts"]) ==
          R"([{"name":")" + volume +
              R"(","readOnly":true,"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"}])");
  }

  CHECK(spec_text(admit(cluster, *plugin, pod_object(kOneContainer + R"(,"automountServiceAccountToken":false)")),
                  "volumes") == "null");
  CHECK(spec_text(admit(cluster, *plugin, pod_object(kOneContainer + R"(,"serviceAccountName":"noauto")")),
                  "volumes") == "null");
  CHECK(spec_text(
            admit(cluster, *plugin,
                  pod_object(kOneContainer + R"(,"serviceAccountName":"noauto","automountServiceAccountToken":true)")),
            "volumes") != "null");
  Object mounted = pod_object(R"("containers":[{"name":"c","volumeMounts":[{"name":"v",)"
                              R"("mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"}]}])");
  CHECK(spec_text(admit(cluster, *plugin, mounted), "volumes") == "null");
  CHECK(admit(cluster, *plugin, pod_object(kOneContainer + R"(,"serviceAccountName":"zz")")).fault ==
        "pods \"q\" is forbidden: error looking up service account a/zz: serviceaccount \"zz\" not found");
}

TEST_CASE("an account may limit its pods to the Secrets that it names", "[admission]") {
  TestCluster cluster;
  cluster.put(R"({"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"default","namespace":"a",
    "annotations":{"kubernetes.io/enforce-mountable-secrets":"true"}},"secrets":[{"name":"ok"}]})");
  AdmissionPluginPtr plugin = make_service_account_admission(cluster.objects);
  auto fault = [&](const std::string& more) { return admit(cluster, *plugin, pod_object(kOneContainer + more)).fault; };
  CHECK(fault(R"(,"volumes":[{"name":"v","secret":{"secretName":"ok"}}])").empty());
  CHECK(
      fault(R"(,"volumes":[{"name":"v","secret":{"secretName":"other"}}])") ==
      "pods \"q\" is forbidden: volume with secret.secretName=\"other\" is not allowed because service account default "
      "does not reference that secret");
  CHECK(
      fault(R"(,"imagePullSecrets":[{"name":"p"}])") ==
      "pods \"q\" is forbidden: imagePullSecrets[0].name=\"p\" is not allowed because service account default does not "
      "reference that imagePullSecret");
}

TEST_CASE("mirror pods bring no identity along", "[admission]") {
  TestCluster cluster;
  AdmissionPluginPtr plugin = make_service_account_admission(cluster.objects);
  std::string mirror = R"(,"annotations":{"kubernetes.io/config.mirror":"x"})";
  CHECK(admit(cluster, *plugin, pod_object(kOneContainer, mirror)).fault.empty());
  CHECK(admit(cluster, *plugin, pod_object(kOneContainer + R"(,"serviceAccountName":"x")", mirror)).fault ==
        "pods \"q\" is forbidden: a mirror pod may not reference service accounts");
  CHECK(admit(cluster, *plugin,
              pod_object(kOneContainer + R"(,"volumes":[{"name":"v","secret":{"secretName":"s"}}])", mirror))
            .fault == "pods \"q\" is forbidden: a mirror pod may not reference secrets");
}

TEST_CASE("Priority is computed from the class", "[admission]") {
  TestCluster cluster;
  AdmissionPluginPtr plugin = make_priority_admission(cluster.objects);
  CHECK(spec_text(admit(cluster, *plugin, pod_object(kOneContainer)), "priority") == "0");
  CHECK(spec_text(admit(cluster, *plugin, pod_object(kOneContainer)), "preemptionPolicy") ==
        "\"PreemptLowerPriority\"");
  CHECK(admit(cluster, *plugin, pod_object(kOneContainer + R"(,"priorityClassName":"zz")")).fault ==
        "pods \"q\" is forbidden: no PriorityClass with name zz was found");
  CHECK(admit(cluster, *plugin, pod_object(kOneContainer + R"(,"priority":5)")).fault ==
        "pods \"q\" is forbidden: the integer value of priority (5) must not be provided in pod spec; priority "
        "admission controller computed 0 from the given PriorityClass name");
  cluster.put(R"({"apiVersion":"scheduling.k8s.io/v1","kind":"PriorityClass","metadata":{"name":"g1"},"value":5,
    "globalDefault":true,"preemptionPolicy":"Never"})");
  Admitted pod = admit(cluster, *plugin, pod_object(kOneContainer));
  CHECK(spec_text(pod, "priority") == "5");
  CHECK(spec_text(pod, "priorityClassName") == "\"g1\"");
  CHECK(spec_text(pod, "preemptionPolicy") == "\"Never\"");
  Object second = object_of(R"({"apiVersion":"scheduling.k8s.io/v1","kind":"PriorityClass","metadata":{"name":"g2"},
    "value":6,"globalDefault":true})");
  CHECK(admit(cluster, *plugin, second).fault ==
        "priorityclasses.scheduling.k8s.io \"g2\" is forbidden: PriorityClass g1 is already marked as default. Only "
        "one default can exist");
}

TEST_CASE("tolerations and taints are filled in", "[admission]") {
  TestCluster cluster;
  AdmissionPluginPtr plugin = make_default_toleration_seconds();
  CHECK(spec_text(admit(cluster, *plugin, pod_object(kOneContainer)), "tolerations") ==
        R"([{"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute","tolerationSeconds":300},)"
        R"({"key":"node.kubernetes.io/unreachable","operator":"Exists","effect":"NoExecute",)"
        R"("tolerationSeconds":300}])");
  Object all = pod_object(kOneContainer + R"(,"tolerations":[{"operator":"Exists"}])");
  CHECK(spec_text(admit(cluster, *plugin, all), "tolerations") == R"([{"operator":"Exists"}])");
  AdmissionPluginPtr taints = make_taint_nodes_by_condition();
  Object node = object_of(R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"n"},"spec":{}})");
  CHECK(spec_text(admit(cluster, *taints, node), "taints") ==
        R"([{"key":"node.kubernetes.io/not-ready","effect":"NoSchedule"}])");
}

TEST_CASE("the newest default class is taken, ties by name", "[admission]") {
  TestCluster cluster;
  auto put_class = [&](const std::string& name, const std::string& created, const std::string& is_default) {
    cluster.put(R"({"apiVersion":"storage.k8s.io/v1","kind":"StorageClass","metadata":{"name":")" + name +
                R"(","creationTimestamp":")" + created +
                R"(","annotations":{"storageclass.kubernetes.io/is-default-class":")" + is_default + "\"}}}");
  };
  AdmissionPluginPtr plugin = make_default_storage_class(cluster.objects);
  Object claim = object_of(R"({"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"x","namespace":"a"},
    "spec":{}})");
  CHECK(spec_text(admit(cluster, *plugin, claim), "storageClassName") == "null");
  put_class("old", "2026-01-01T00:00:00Z", "true");
  put_class("b", "2026-01-02T00:00:00Z", "true");
  put_class("a", "2026-01-02T00:00:00Z", "true");
  put_class("newest", "2026-01-03T00:00:00Z", "false");
  CHECK(spec_text(admit(cluster, *plugin, claim), "storageClassName") == "\"a\"");
  Object none = claim.with("spec", Value::object({{"storageClassName", ""}}));
  CHECK(spec_text(admit(cluster, *plugin, none), "storageClassName") == "\"\"");
}

TEST_CASE("volumes in use are protected by a finalizer", "[admission]") {
  TestCluster cluster;
  AdmissionPluginPtr plugin = make_storage_object_in_use_protection();
  Object claim = object_of(R"({"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"x",
    "namespace":"a"}})");
  CHECK(admit(cluster, *plugin, claim).object.has_finalizer("kubernetes.io/pvc-protection"));
  Object volume = object_of(R"({"apiVersion":"v1","kind":"PersistentVolume","metadata":{"name":"x"}})");
  CHECK(admit(cluster, *plugin, volume).object.has_finalizer("kubernetes.io/pv-protection"));
}

TEST_CASE("claims grow only where their class allows it", "[admission]") {
  TestCluster cluster;
  AdmissionPluginPtr plugin = make_claim_resize(cluster.objects);
  auto claim = [](const std::string& size) {
    return object_of(R"({"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"x","namespace":"a"},
      "spec":{"storageClassName":"sc","resources":{"requests":{"storage":")" +
                     size + R"("}}},"status":{"phase":"Bound"}})");
  };
  AdmissionRequest update;
  update.operation = Operation::Update;
  update.old = claim("1Gi");
  CHECK(admit(cluster, *plugin, claim("1024Mi"), update).fault.empty());
  CHECK(admit(cluster, *plugin, claim("2Gi"), update).fault ==
        "persistentvolumeclaims \"x\" is forbidden: only dynamically provisioned pvc can be resized and the "
        "storageclass that provisions the pvc must support resize");
  cluster.put(R"({"apiVersion":"storage.k8s.io/v1","kind":"StorageClass","metadata":{"name":"sc"},
    "allowVolumeExpansion":true})");
  CHECK(admit(cluster, *plugin, claim("2Gi"), update).fault.empty());
}

TEST_CASE("PodTopologyLabels copies a node's zone and region", "[admission]") {
  TestCluster cluster;
  AdmissionPluginPtr plugin = make_pod_topology_labels(cluster.objects);
  cluster.put(R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"n1","labels":{"topology.kubernetes.io/zone":"z1",
    "topology.kubernetes.io/region":"r1","topology.kubernetes.io/rack":"k1"}}})");
  const auto labels = [&](const Object& object, const AdmissionRequest& request = {}) {
    const Admitted admitted = admit(cluster, *plugin, object, request);
    CHECK(admitted.fault.empty());
    return json::write_sorted(admitted.object.metadata()["labels"]);
  };
  const std::string mine = R"(,"labels":{"a":"b","topology.kubernetes.io/zone":"mine"})";
  const std::string kept = R"({"a":"b","topology.kubernetes.io/zone":"mine"})";
  const Object placed = pod_object(kOneContainer + R"(,"nodeName":"n1")", mine);
  CHECK(labels(placed) == R"({"a":"b","topology.kubernetes.io/region":"r1","topology.kubernetes.io/zone":"z1"})");
  CHECK(labels(pod_object(kOneContainer + R"(,"nodeName":"n1")")) ==
        R"({"topology.kubernetes.io/region":"r1","topology.kubernetes.io/zone":"z1"})");
  CHECK(labels(pod_object(kOneContainer, mine)) == kept);
  CHECK(labels(pod_object(kOneContainer + R"(,"nodeName":"n2")", mine)) == kept);
  AdmissionRequest update;
  update.operation = Operation::Update;
  update.old = placed;
  CHECK(labels(placed, update) == kept);
}

TEST_CASE("RuntimeClass adds overhead and scheduling", "[admission]") {
  TestCluster cluster;
  cluster.put(R"({"apiVersion":"node.k8s.io/v1","kind":"RuntimeClass","metadata":{"name":"rc"},"handler":"h",
    "overhead":{"podFixed":{"cpu":"100m"}},
    "scheduling":{"nodeSelector":{"a":"b"},"tolerations":[{"key":"x","operator":"Exists"}]}})");
  AdmissionPluginPtr plugin = make_runtime_class_admission(cluster.objects);
  Admitted pod =
      admit(cluster, *plugin, pod_object(kOneContainer + R"(,"runtimeClassName":"rc","nodeSelector":{"c":"d"})"));
  CHECK(pod.fault.empty());
  CHECK(spec_text(pod, "overhead") == R"({"cpu":"100m"})");
  CHECK(spec_text(pod, "nodeSelector") == R"({"c":"d","a":"b"})");
  CHECK(spec_text(pod, "tolerations") == R"([{"key":"x","operator":"Exists"}])");
  auto fault = [&](const std::string& more) { return admit(cluster, *plugin, pod_object(kOneContainer + more)).fault; };
  CHECK(fault(R"(,"runtimeClassName":"zz")") == "pods \"q\" is forbidden: pod rejected: RuntimeClass \"zz\" not found");
  CHECK(fault(R"(,"runtimeClassName":"rc","nodeSelector":{"a":"d"})") ==
        "pods \"q\" is forbidden: conflict: runtimeClass.scheduling.nodeSelector[a] = b; pod.spec.nodeSelector[a] = d");
  CHECK(fault(R"(,"runtimeClassName":"rc","overhead":{"cpu":"1"})") ==
        "pods \"q\" is forbidden: pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
  CHECK(fault(R"(,"overhead":{"cpu":"1"})") ==
        "pods \"q\" is forbidden: pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead");
}

TEST_CASE("signing requests need the signer's permission", "[admission]") {
  TestCluster cluster;
  NamedAuthorizer nobody({});
  NamedAuthorizer domain({"approve signers ex.io/*", "sign signers ex.io/s"});
  Object old = signing_request("ex.io/s", kDevRequest);
  Object approved = old.with("status", json::read(R"({"conditions":[{"type":"Approved"}],
    "certificate":"eA=="})")
                                           .value());
  AdmissionRequest approval;
  approval.operation = Operation::Update;
  approval.subresource = "approval";
  approval.old = old;
  CHECK(admit(cluster, *make_certificate_approval(nobody), approved, approval).fault ==
        "certificatesigningrequests.certificates.k8s.io \"c1\" is forbidden: user not permitted to approve requests "
        "with signerName \"ex.io/s\"");
  CHECK(admit(cluster, *make_certificate_approval(domain), approved, approval).fault.empty());
  AdmissionRequest status = approval;
  status.subresource = "status";
  CHECK(admit(cluster, *make_certificate_signing(nobody), approved, status).fault ==
        "certificatesigningrequests.certificates.k8s.io \"c1\" is forbidden: user not permitted to sign requests with "
        "signerName \"ex.io/s\"");
  CHECK(admit(cluster, *make_certificate_signing(domain), approved, status).fault.empty());
  CHECK(admit(cluster, *make_certificate_signing(nobody), old, status).fault.empty());
}

TEST_CASE("a Secret that asks for a service account's token gets it", "[admission]") {
  TestCluster cluster;
  cluster.put(R"({"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"robot","namespace":"a"}})");
  TokenSettings settings;
  settings.signing_key_pem = tls::make_ec_key().value();
  TokenAuthority authority = TokenAuthority::make(settings).value();
  AdmissionPluginPtr plugin = make_token_secret_admission(cluster.objects, authority, "ca");
  Object secret = object_of(R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"s","namespace":"a",
    "annotations":{"kubernetes.io/service-account.name":"robot"}},"type":"kubernetes.io/service-account-token"})");
  Object filled = admit(cluster, *plugin, secret).object;
  CHECK(filled.annotation("kubernetes.io/service-account.uid") == "uid-robot");
  CHECK(filled["data"]["ca.crt"].as_string() == base64_encode("ca"));
  CHECK(filled["data"]["namespace"].as_string() == base64_encode("a"));
  std::string token = base64_decode(filled["data"]["token"].as_string()).value();
  CHECK(authority.read(token).value()->secret->name == "s");

  Object stale = secret.with_annotation("kubernetes.io/service-account.uid", "older");
  CHECK(admit(cluster, *plugin, stale).object["data"].is_null());
  Object nobody = secret.with_annotation("kubernetes.io/service-account.name", "zz");
  CHECK(admit(cluster, *plugin, nobody).warnings.size() == 1);
  CHECK(admit(cluster, *plugin, secret.with("type", "Opaque")).object["data"].is_null());
}

TEST_CASE("nobody asks for a certificate of system:masters", "[admission]") {
  TestCluster cluster;
  AdmissionPluginPtr plugin = make_certificate_subject_restriction();
  CHECK(admit(cluster, *plugin, signing_request("kubernetes.io/kube-apiserver-client", kMastersRequest)).fault ==
        "certificatesigningrequests.certificates.k8s.io \"c1\" is forbidden: use of "
        "kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed");
  for (const char* hidden : {kMastersInSet, kWideMastersRequest, kUniversalMastersRequest}) {
    CHECK(admit(cluster, *plugin, signing_request("kubernetes.io/kube-apiserver-client", hidden)).fault ==
          "certificatesigningrequests.certificates.k8s.io \"c1\" is forbidden: use of "
          "kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed");
  }
  CHECK(admit(cluster, *plugin, signing_request("kubernetes.io/kube-apiserver-client", kDevRequest)).fault.empty());
  CHECK(admit(cluster, *plugin, signing_request("ex.io/s", kMastersRequest)).fault.empty());
  CHECK_FALSE(admit(cluster, *plugin, signing_request("kubernetes.io/kube-apiserver-client", "AAAA")).fault.empty());
}

TEST_CASE("whoever writes an unenforced configuration is told so", "[admission]") {
  TestCluster cluster;
  AdmissionPluginPtr plugin = make_unenforced_warning();
  Object configuration = object_of(R"({"apiVersion":"admissionregistration.k8s.io/v1",
    "kind":"ValidatingWebhookConfiguration","metadata":{"name":"w"}})");
  std::vector<std::string> warnings = admit(cluster, *plugin, configuration).warnings;
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].rfind("ValidatingWebhookConfiguration \"w\" is stored, but this server does not enforce it", 0) ==
        0);
  CHECK(admit(cluster, *plugin, pod_object(kOneContainer)).warnings.empty());
}

TEST_CASE("nobody grants what they do not hold", "[admission]") {
  TestCluster cluster;
  cluster.put(R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"lim"},
    "rules":[{"verbs":["get","list"],"apiGroups":[""],"resources":["pods"]}]})");
  RbacAuthorizer rbac(cluster.objects, Logger(null_log_sink(), "rbac"));
  NamedAuthorizer nobody({});
  NamedAuthorizer allowed({"escalate roles r1", "bind clusterroles lim"});
  Object role = object_of(R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role",
    "metadata":{"name":"r1","namespace":"a"},
    "rules":[{"verbs":["get","list"],"apiGroups":["","apps"],"resources":["pods"]}]})");
  Object binding = object_of(R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding",
    "metadata":{"name":"z","namespace":"a"},"roleRef":{"kind":"ClusterRole","name":"lim"},
    "subjects":[{"kind":"User","name":"bob"}]})");
  AdmissionRequest alice;
  alice.who = person("alice", {"dev", "system:authenticated"});
  std::string start =
      "user \"alice\" (groups=[\"dev\" \"system:authenticated\"]) is attempting to grant RBAC "
      "permissions not currently held:\n";
  CHECK(admit(cluster, *make_escalation_check(rbac, nobody), role, alice).fault ==
        "roles.rbac.authorization.k8s.io \"r1\" is forbidden: " + start +
            "{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"get\" \"list\"]}\n"
            "{APIGroups:[\"apps\"], Resources:[\"pods\"], Verbs:[\"get\" \"list\"]}");
  CHECK(admit(cluster, *make_escalation_check(rbac, nobody), binding, alice).fault ==
        "rolebindings.rbac.authorization.k8s.io \"z\" is forbidden: " + start +
            "{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"get\" \"list\"]}");
  Object missing = binding.with("roleRef", json::read(R"({"kind":"Role","name":"nope"})").value());
  CHECK(admit(cluster, *make_escalation_check(rbac, nobody), missing, alice).fault ==
        "rolebindings.rbac.authorization.k8s.io \"nope\" not found");
  AdmissionRequest alice_names = alice;
  alice_names.request_name = "r1";
  CHECK_FALSE(admit(cluster, *make_escalation_check(rbac, allowed), role, alice).fault.empty());
  CHECK(admit(cluster, *make_escalation_check(rbac, allowed), role, alice_names).fault.empty());
  CHECK(admit(cluster, *make_escalation_check(rbac, allowed), binding, alice).fault.empty());

  // What a garbage collector changes is nobody's concern, and who holds the rules may hand them on.
  AdmissionRequest update = alice;
  update.operation = Operation::Update;
  update.old = role;
  CHECK_FALSE(admit(cluster, *make_escalation_check(rbac, nobody), role.with_label("a", "b"), update).fault.empty());
  Object collected = role.with_metadata("finalizers", json::read(R"(["a.b/c"])").value())
                         .with_metadata("labels", Value::object())
                         .with_metadata("resourceVersion", "7");
  CHECK(admit(cluster, *make_escalation_check(rbac, nobody), collected, update).fault.empty());
  cluster.put(R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding","metadata":{"name":"crb"},
    "roleRef":{"kind":"ClusterRole","name":"lim"},"subjects":[{"kind":"Group","name":"dev"}]})");
  CHECK(admit(cluster, *make_escalation_check(rbac, nobody), binding, alice).fault.empty());
}

}  // namespace coracle::kube::apiserver
