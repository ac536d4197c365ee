#include <catch2/catch.hpp>

#include "kube/apiserver/internal/admission/pod_security_checks.h"
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

void put_namespace(TestCluster& cluster, const std::string& labels) {
  cluster.put(R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"a","labels":{)" + labels + "}}}");
}

std::string checked(std::string_view level, const std::string& spec, const std::string& metadata = "{}",
                    int minor = 36) {
  SecurityPolicy policy{*read_security_level(level), SecurityVersion{minor}};
  return security_details(check_pod_security(policy, json::read(metadata).value(), json::read(spec).value()));
}

AdmissionRequest as_node(Operation operation = Operation::Create) {
  AdmissionRequest request;
  request.operation = operation;
  request.who = person("system:node:n1", {"system:nodes", "system:authenticated"});
  return request;
}

Object node_object(const std::string& name, const std::string& more = "") {
  return object_of(R"({"apiVersion":"v1","kind":"Node","metadata":{"name":")" + name + "\"" + more + "}}");
}

}  // namespace

TEST_CASE("the baseline standard in upstream's words", "[security]") {
  CHECK(checked("baseline", R"({"containers":[
      {"name":"a","securityContext":{"privileged":true,"capabilities":{"add":["NET_ADMIN","CHOWN"]},
        "seLinuxOptions":{"type":"foo","user":"u","role":"r"},"seccompProfile":{"type":"Unconfined"}},
        "livenessProbe":{"tcpSocket":{"port":80,"host":"5.6.7.8"}},
        "lifecycle":{"postStart":{"httpGet":{"host":"1.2.3.4","port":80}}}},
      {"name":"b","ports":[{"hostPort":80},{"hostPort":81}],"securityContext":{"capabilities":{"add":["SYS_TIME"]}}}],
      "hostPID":true,"volumes":[{"name":"v","hostPath":{"path":"/"}},{"name":"e","hostPath":{"path":"/x"}}],
      "securityContext":{"sysctls":[{"name":"kernel.panic"},{"name":"vm.x"}],"seccompProfile":{"type":"Unconfined"},
        "appArmorProfile":{"type":"Unconfined"}}})",
                R"({"annotations":{"container.apparmor.security.beta.kubernetes.io/a":"unconfined"}})") ==
        "forbidden AppArmor profiles (pod and annotation must not set AppArmor profile type to \"Unconfined\", "
        "\"container.apparmor.security.beta.kubernetes.io/a=\"unconfined\"\"), non-default capabilities "
        "(containers \"a\", "
        "\"b\" must not include \"NET_ADMIN\", \"SYS_TIME\" in securityContext.capabilities.add), host namespaces "
        "(hostPID=true), hostPath volumes (volumes \"v\", \"e\"), hostPort (container \"b\" uses hostPorts 80, "
        "81), probe or "
        "lifecycle host (container \"a\" uses probe or lifecycle hosts \"1.2.3.4\", \"5.6.7.8\"), privileged "
        "(container "
        "\"a\" must not set securityContext.privileged=true), seLinuxOptions (container \"a\" set forbidden "
        "securityContext.seLinuxOptions: type \"foo\"; user may not be set; role may not be set), seccompProfile "
        "(pod and "
        "container \"a\" must not set securityContext.seccompProfile.type to \"Unconfined\"), forbidden sysctls "
        "(kernel.panic, vm.x)");
  CHECK(checked("baseline", R"({"containers":[{"name":"a"}],"hostNetwork":true,"hostIPC":true,"hostPID":true,
                "securityContext":{"windowsOptions":{"hostProcess":true}}})") ==
        "host namespaces (hostNetwork=true, hostPID=true, hostIPC=true), hostProcess (pod must not set "
        "securityContext.windowsOptions.hostProcess=true)");
  CHECK(checked("baseline", R"({"containers":[{"name":"a","securityContext":{"capabilities":{"add":["CHOWN"]}}}]})")
            .empty());
}

TEST_CASE("the restricted standard in upstream's words", "[security]") {
  CHECK(checked("restricted", R"({"containers":[{"name":"z1"}]})") ==
        "allowPrivilegeEscalation != false (container \"z1\" must set securityContext.allowPrivilegeEscalation=false), "
        "unrestricted capabilities (container \"z1\" must set securityContext.capabilities.drop=[\"ALL\"]), "
        "runAsNonRoot "
        "!= true (pod or container \"z1\" must set securityContext.runAsNonRoot=true), seccompProfile (pod or "
        "container "
        "\"z1\" must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")");
  CHECK(checked("restricted", R"({"containers":[
      {"name":"a","securityContext":{"runAsNonRoot":false,"runAsUser":0,"allowPrivilegeEscalation":true,
        "seccompProfile":{"type":"Unconfined"},"capabilities":{"drop":["ALL"],"add":["CHOWN","NET_BIND_SERVICE"]}}},
      {"name":"b","securityContext":{"seccompProfile":{"type":"Unconfined"}}}],
      "securityContext":{"runAsUser":0,"runAsNonRoot":false,"seccompProfile":{"type":"Unconfined"}},
      "volumes":[{"name":"v","hostPath":{}},{"name":"n","nfs":{}},
      {"name":"i","iscsi":{}},{"name":"ok","emptyDir":{}},{"name":"im","image":{"reference":"r"}}]})") ==
        "allowPrivilegeEscalation != false (containers \"a\", \"b\" must set "
        "securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container \"b\" must set "
        "securityContext.capabilities.drop=[\"ALL\"]; container \"a\" must not include \"CHOWN\" in "
        "securityContext.capabilities.add), restricted volume types (volumes \"v\", \"n\", \"i\" use restricted volume "
        "types \"hostPath\", \"iscsi\", \"nfs\"), runAsNonRoot != true (pod and container \"a\" must not set "
        "securityContext.runAsNonRoot=false), runAsUser=0 (pod and container \"a\" must not set runAsUser=0), "
        "seccompProfile (pod and containers \"a\", \"b\" must not set securityContext.seccompProfile.type to "
        "\"Unconfined\")");
  CHECK(checked("restricted", R"({"containers":[{"name":"a","securityContext":{"runAsNonRoot":true}},{"name":"b"}],
                "initContainers":[{"name":"i"}],"securityContext":{"seccompProfile":{"type":"RuntimeDefault"}}})") ==
        "allowPrivilegeEscalation != false (containers \"i\", \"a\", \"b\" must set "
        "securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (containers \"i\", \"a\", "
        "\"b\" must "
        "set securityContext.capabilities.drop=[\"ALL\"]), runAsNonRoot != true (pod or containers \"i\", \"b\" "
        "must set "
        "securityContext.runAsNonRoot=true)");
  std::string good = R"({"containers":[{"name":"a","securityContext":{"allowPrivilegeEscalation":false,
    "capabilities":{"drop":["ALL"]}}}],"securityContext":{"runAsNonRoot":true,
    "seccompProfile":{"type":"RuntimeDefault"}}})";
  CHECK(checked("restricted", good).empty());
}

TEST_CASE("old versions of the standards know fewer checks, and user namespaces excuse root", "[security]") {
  std::string root = R"({"containers":[{"name":"a","securityContext":{"runAsUser":0,"allowPrivilegeEscalation":false,
    "capabilities":{"drop":["ALL"]}}}],"securityContext":{"runAsNonRoot":true,"seccompProfile":{"type":"Localhost"}}})";
  CHECK(checked("restricted", root, "{}", 23) == "runAsUser=0 (container \"a\" must not set runAsUser=0)");
  CHECK(checked("restricted", root, "{}", 22).empty());
  // Before there was a stricter check of capabilities, the one of the baseline held for restricted pods too.
  std::string admin = R"({"containers":[{"name":"a","securityContext":{"allowPrivilegeEscalation":false,
    "capabilities":{"add":["SYS_ADMIN"]}}}],
    "securityContext":{"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}}})";
  CHECK(checked("restricted", admin, "{}", 21) ==
        "non-default capabilities (container \"a\" must not include \"SYS_ADMIN\" in "
        "securityContext.capabilities.add)");
  std::string own_users = root;
  own_users.insert(1, R"("hostUsers":false,)");
  CHECK(checked("restricted", own_users).empty());
  CHECK(checked("restricted", own_users, "{}", 34) == "runAsUser=0 (container \"a\" must not set runAsUser=0)");

  // A user namespace excuses what is seen of /proc at the baseline level only.
  std::string unmasked = R"({"hostUsers":false,"containers":[{"name":"a","securityContext":{"procMount":"Unmasked",
    "allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}}],
    "securityContext":{"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}}})";
  std::string refused = "procMount (container \"a\" must not set securityContext.procMount to \"Unmasked\")";
  CHECK(checked("baseline", unmasked).empty());
  CHECK(checked("restricted", unmasked) == refused);
  CHECK(checked("baseline", unmasked, "{}", 34) == refused);
  CHECK(checked("restricted", unmasked, "{}", 34) == refused);
}

TEST_CASE("PodSecurity enforces on pods and warns about templates", "[security]") {
  TestCluster cluster;
  AdmissionPluginPtr plugin = make_pod_security(cluster.objects);
  put_namespace(cluster, R"("pod-security.kubernetes.io/enforce":"baseline",
    "pod-security.kubernetes.io/warn":"restricted",
    "pod-security.kubernetes.io/warn-version":"v1.25")");
  Object privileged = pod_object(R"("containers":[{"name":"a","securityContext":{"privileged":true}}])");
  CHECK(admit(cluster, *plugin, privileged).fault ==
        "pods \"q\" is forbidden: violates PodSecurity \"baseline:latest\": privileged (container \"a\" must not set "
        "securityContext.privileged=true)");
  Admitted plain = admit(cluster, *plugin, pod_object(R"("containers":[{"name":"a"}])"));
  CHECK(plain.fault.empty());
  REQUIRE(plain.warnings.size() == 1);
  CHECK(plain.warnings[0].rfind("would violate PodSecurity \"restricted:v1.25\": allowPrivilegeEscalation", 0) == 0);
  Object deployment = object_of(R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d","namespace":"a"},
    "spec":{"template":{"spec":{"containers":[{"name":"a","securityContext":{"privileged":true}}]}}}})");
  Admitted templated = admit(cluster, *plugin, deployment);
  CHECK(templated.fault.empty());
  CHECK(templated.warnings.size() == 1);
  AdmissionRequest update;
  update.operation = Operation::Update;
  update.old = privileged;
  CHECK(admit(cluster, *plugin, privileged.with_label("a", "b"), update).fault.empty());
}

TEST_CASE("a namespace's labels are checked, and what breaks a new level is told", "[security]") {
  TestCluster cluster;
  AdmissionPluginPtr plugin = make_pod_security(cluster.objects);
  Object before = object_of(R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"a"}})");
  AdmissionRequest update;
  update.operation = Operation::Update;
  update.old = before;
  CHECK(admit(cluster, *plugin, before.with_label("pod-security.kubernetes.io/enforce", "xx"), update).fault ==
        "Namespace \"a\" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: \"xx\": "
        "must be "
        "one of privileged, baseline, restricted");
  CHECK(admit(cluster, *plugin, before.with_label("pod-security.kubernetes.io/enforce-version", "xx"), update).fault ==
        "Namespace \"a\" is invalid: metadata.labels[pod-security.kubernetes.io/enforce-version]: Invalid value: "
        "\"xx\": "
        "must be \"latest\" or \"v1.x\"");
  for (std::string name : {"z1", "z2"}) {
    cluster.put(R"({"apiVersion":"v1","kind":"Pod","metadata":{"namespace":"a","name":")" + name +
                R"("},"spec":{"containers":[{"name":"a"}]}})");
  }
  Object restricted = before.with_label("pod-security.kubernetes.io/enforce", "restricted");
  CHECK(admit(cluster, *plugin, restricted, update).warnings ==
        std::vector<std::string>{
            "existing pods in namespace \"a\" violate the new PodSecurity enforce level \"restricted:latest\"",
            "z1 (and 1 other pod): allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, "
            "seccompProfile"});
  update.old = restricted;
  CHECK(admit(cluster, *plugin, restricted.with_label("a", "b"), update).warnings.empty());
}

TEST_CASE("a node changes its own Node only, and no labels that are not its", "[security]") {
  TestCluster cluster;
  NamedAuthorizer nobody({});
  AdmissionPluginPtr plugin = make_node_restriction(cluster.objects, nobody);
  CHECK(admit(cluster, *plugin, node_object("n2"), as_node()).fault ==
        "nodes \"n2\" is forbidden: node \"n1\" is not allowed to modify node \"n2\"");
  CHECK(admit(cluster, *plugin,
              node_object("n1",
                          R"(,"labels":{"foo.kubernetes.io/x":"y","kubernetes.io/zzz":"1","kubernetes.io/hostname":"n1",
                "node.kubernetes.io/x":"y","mine":"1"})"),
              as_node())
            .fault ==
        "nodes \"n1\" is forbidden: node \"n1\" is not allowed to set the following labels: foo.kubernetes.io/x, "
        "kubernetes.io/zzz");
  AdmissionRequest update = as_node(Operation::Update);
  update.old = node_object("n1");
  CHECK(admit(cluster, *plugin, node_object("n1", R"(,"labels":{"node-restriction.kubernetes.io/x":"y"})"), update)
            .fault == "nodes \"n1\" is forbidden: is not allowed to modify labels: node-restriction.kubernetes.io/x");
  CHECK(
      admit(cluster, *plugin, node_object("n1").with("spec", json::read(R"({"taints":[{"key":"a"}]})").value()), update)
          .fault == "nodes \"n1\" is forbidden: node \"n1\" is not allowed to modify taints");
  CHECK(admit(cluster, *plugin, node_object("n1", R"(,"ownerReferences":[{"name":"x"}])"), update).fault ==
        "nodes \"n1\" is forbidden: node \"n1\" is not allowed to modify ownerReferences");
  CHECK(admit(cluster, *plugin, node_object("n1", R"(,"labels":{"foo":"bar"})"), update).fault.empty());
  AdmissionRequest alice;
  CHECK(admit(cluster, *plugin, node_object("n2"), alice).fault.empty());
}

TEST_CASE("a node creates mirror pods of its own only", "[security]") {
  TestCluster cluster;
  cluster.put(R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"n1"}})");
  NamedAuthorizer nobody({});
  AdmissionPluginPtr plugin = make_node_restriction(cluster.objects, nobody);
  std::string mirror = R"(,"annotations":{"kubernetes.io/config.mirror":"x"})";
  std::string owner =
      R"(,"ownerReferences":[{"apiVersion":"v1","kind":"Node","name":"n1","uid":"uid-n1","controller":true}])";
  auto fault = [&](const std::string& spec, const std::string& metadata) {
    return admit(cluster, *plugin, pod_object(spec, metadata), as_node()).fault;
  };
  std::string start = "pods \"q\" is forbidden: ";
  CHECK(fault(R"("nodeName":"n1")", "") ==
        start +
            "pod does not have \"kubernetes.io/config.mirror\" annotation, node \"n1\" can only create mirror pods");
  CHECK(fault(R"("nodeName":"n2")", mirror) ==
        start + "node \"n1\" can only create pods with spec.nodeName set to itself");
  CHECK(fault(R"("nodeName":"n1")", mirror) ==
        start + "node \"n1\" can only create pods with an owner reference set to itself");
  CHECK(fault(R"("nodeName":"n1")", mirror + owner).empty());
  CHECK(fault(R"("nodeName":"n1","volumes":[{"name":"v","secret":{"secretName":"s"}}])", mirror + owner) ==
        start + "node \"n1\" can not create pods that reference secrets");
  AdmissionRequest deletion = as_node(Operation::Delete);
  deletion.old = pod_object(R"("nodeName":"n2")");
  CHECK(admit(cluster, *plugin, *deletion.old, deletion).fault ==
        start + "node \"n1\" can only delete pods with spec.nodeName set to itself");
}

TEST_CASE("a node asks for tokens of its pods only", "[security]") {
  TestCluster cluster;
  cluster.put(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p1","namespace":"a"},"spec":{"nodeName":"n1",
    "volumes":[{"name":"v","projected":{"sources":[{"serviceAccountToken":{"audience":"vault"}}]}}]}})");
  cluster.put(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p2","namespace":"a"},"spec":{"nodeName":"n2"}})");
  NamedAuthorizer nobody({});
  AdmissionPluginPtr plugin = make_node_restriction(cluster.objects, nobody);
  auto fault = [&](const std::string& spec) {
    AdmissionRequest request = as_node();
    request.subresource = "token";
    Object token = object_of(R"({"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest",
      "metadata":{"name":"default","namespace":"a"},"spec":{)" +
                             spec + "}}");
    return admit(cluster, *plugin, token, request).fault;
  };
  auto bound = [](const std::string& pod, const std::string& uid) {
    return R"("boundObjectRef":{"apiVersion":"v1","kind":"Pod","name":")" + pod + R"(","uid":")" + uid + "\"}";
  };
  std::string start = "serviceaccounts \"default\" is forbidden: ";
  CHECK(fault("") == start + "node requested token not bound to a pod");
  CHECK(fault(bound("p1", "")) == start + "node requested token with a pod binding without a uid");
  CHECK(fault(bound("p1", "x")) ==
        start +
            "the UID in the bound object reference (x) does not match the UID in record. The object might have been "
            "deleted and then recreated");
  CHECK(fault(bound("p2", "uid-p2")) == start + "node requested token bound to a pod scheduled on a different node");
  CHECK(fault(bound("p1", "uid-p1") + R"(,"audiences":["other"])") ==
        start +
            "audience \"other\" not found in pod spec volume, system:node:n1 is not authorized to request tokens for "
            "this audience");
  CHECK(fault(bound("p1", "uid-p1") + R"(,"audiences":["vault"])").empty());
  CHECK(fault(bound("p1", "uid-p1")).empty());
}

TEST_CASE("AppArmor profiles in annotations become fields", "[security]") {
  TestCluster cluster;
  AdmissionPluginPtr plugin = make_app_armor_fields();
  const std::string prefix = "container.apparmor.security.beta.kubernetes.io/";
  auto admitted = [&](const std::string& text, const std::string& more = "", const std::string& context = "{}") {
    return admit(cluster, *plugin,
                 pod_object(R"("containers":[{"name":"b"},{"name":"c","securityContext":)" + context + "}]" + more,
                            R"(,"annotations":{")" + prefix + R"(c":")" + text + "\"}"));
  };
  auto context_of = [](const Admitted& pod) {
    return json::write(pod.object["spec"]["containers"].at(1)["securityContext"]);
  };
  const std::vector<std::string> deprecated = {"metadata.annotations[" + prefix +
                                               "c]: deprecated since v1.30; use the \"appArmorProfile\" field instead"};
  Admitted copied = admitted("localhost/x", "", R"({"runAsUser":1})");
  CHECK(context_of(copied) == R"({"runAsUser":1,"appArmorProfile":{"type":"Localhost","localhostProfile":"x"}})");
  CHECK(copied.object["spec"]["containers"].at(0)["securityContext"].is_null());
  CHECK(copied.warnings == deprecated);
  CHECK(context_of(admitted("unconfined")) == R"({"appArmorProfile":{"type":"Unconfined"}})");
  CHECK(context_of(admitted("runtime/default")) == R"({"appArmorProfile":{"type":"RuntimeDefault"}})");
  for (const char* unsayable : {"localhost/", "localhost/ x", "foo"}) {
    CHECK(context_of(admitted(unsayable)) == "{}");
    CHECK(admitted(unsayable).warnings == deprecated);
  }
  // Nothing new: the pod says the same, or the container says something itself. Windows knows no AppArmor.
  const std::string same = R"(,"securityContext":{"appArmorProfile":{"type":"Unconfined"}})";
  const std::string own = R"({"appArmorProfile":{"type":"RuntimeDefault"}})";
  CHECK(context_of(admitted("unconfined", same)) == "{}");
  CHECK(admitted("unconfined", same).warnings.empty());
  CHECK(context_of(admitted("unconfined", "", own)) == own);
  CHECK(admitted("unconfined", "", own).warnings.empty());
  CHECK(context_of(admitted("unconfined", R"(,"os":{"name":"windows"})")) == "{}");
}

}  // namespace coracle::kube::apiserver
