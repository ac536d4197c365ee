#include <catch2/catch.hpp>

#include "kube/apiserver/internal/authentication.h"
#include "kube/apiserver/internal/identity/authorization_union.h"
#include "kube/apiserver/internal/identity/identity_test_support.h"
#include "kube/apiserver/internal/identity/rbac_authorizer.h"
#include "kube/apiserver/internal/identity/rbac_rules.h"

namespace coracle::kube::apiserver {
namespace {

using testing::object_of;
using testing::person;
using testing::TestCluster;

Attributes asking(std::string verb, std::string group, std::string resource, std::string ns = "",
                  std::string name = "") {
  Attributes what;
  what.verb = std::move(verb);
  what.group = std::move(group);
  std::size_t slash = resource.find('/');
  what.resource = resource.substr(0, slash);
  if (slash != std::string::npos) what.subresource = resource.substr(slash + 1);
  what.namespace_ = std::move(ns);
  what.name = std::move(name);
  return what;
}

Attributes asking_path(std::string verb, std::string path) {
  Attributes what;
  what.resource_request = false;
  what.verb = std::move(verb);
  what.path = std::move(path);
  return what;
}

PolicyRule only_rule(std::string_view text) {
  return read_policy_rules(Value::array({json::read(text).value()})).front();
}

void put_roles(TestCluster& cluster) {
  cluster.put(R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"reader"},
    "rules":[{"verbs":["get","list"],"apiGroups":[""],"resources":["pods"]},
             {"verbs":["get"],"nonResourceURLs":["/version","/logs/*"]}]})");
  cluster.put(R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role",
    "metadata":{"name":"editor","namespace":"a"},
    "rules":[{"verbs":["*"],"apiGroups":["apps"],"resources":["deployments","*/scale"]}]})");
  cluster.put(R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding","metadata":{"name":"crb1"},
    "roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"reader"},
    "subjects":[{"kind":"User","name":"alice"},{"kind":"Group","name":"dev"}]})");
  cluster.put(R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding",
    "metadata":{"name":"rb1","namespace":"a"},
    "roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"editor"},
    "subjects":[{"kind":"ServiceAccount","name":"robot","namespace":"b"},{"kind":"ServiceAccount","name":"own"}]})");
}

}  // namespace

TEST_CASE("a rule allows what its patterns cover", "[rbac]") {
  PolicyRule pods = only_rule(R"({"verbs":["get"],"apiGroups":[""],"resources":["pods"]})");
  CHECK(rule_allows(pods, asking("get", "", "pods", "a", "x")));
  CHECK_FALSE(rule_allows(pods, asking("list", "", "pods", "a")));
  CHECK_FALSE(rule_allows(pods, asking("get", "apps", "pods", "a")));
  CHECK_FALSE(rule_allows(pods, asking("get", "", "pods/log", "a")));

  PolicyRule scale = only_rule(R"({"verbs":["*"],"apiGroups":["*"],"resources":["*/scale"]})");
  CHECK(rule_allows(scale, asking("update", "apps", "deployments/scale", "a")));
  CHECK_FALSE(rule_allows(scale, asking("update", "apps", "deployments", "a")));

  PolicyRule everything = only_rule(R"({"verbs":["*"],"apiGroups":["*"],"resources":["*"]})");
  CHECK(rule_allows(everything, asking("update", "apps", "deployments/scale", "a")));
  CHECK_FALSE(rule_allows(everything, asking_path("get", "/metrics")));
}

TEST_CASE("resource names count only where the request names an object", "[rbac]") {
  PolicyRule named =
      only_rule(R"({"verbs":["get","list","create"],"apiGroups":[""],"resources":["pods"],"resourceNames":["x"]})");
  CHECK(rule_allows(named, asking("get", "", "pods", "a", "x")));
  CHECK_FALSE(rule_allows(named, asking("get", "", "pods", "a", "y")));
  CHECK_FALSE(rule_allows(named, asking("list", "", "pods", "a")));
  CHECK_FALSE(rule_allows(named, asking("create", "", "pods", "a")));
}

TEST_CASE("paths may end with a star", "[rbac]") {
  PolicyRule paths = only_rule(R"({"verbs":["get"],"nonResourceURLs":["/healthz","/logs/*"]})");
  CHECK(rule_allows(paths, asking_path("get", "/healthz")));
  CHECK(rule_allows(paths, asking_path("get", "/logs/a/b")));
  CHECK_FALSE(rule_allows(paths, asking_path("get", "/logs")));
  CHECK_FALSE(rule_allows(paths, asking_path("get", "/healthz/ping")));
  CHECK_FALSE(rule_allows(paths, asking_path("post", "/healthz")));
}

TEST_CASE("missing rules are told one by one with their verbs joined", "[rbac]") {
  std::vector<PolicyRule> wanted = read_policy_rules(json::read(R"([
      {"verbs":["get","list"],"apiGroups":["","apps"],"resources":["pods","deployments"]},
      {"verbs":["get"],"apiGroups":[""],"resources":["secrets"],"resourceNames":["x","z"]},
      {"verbs":["get"],"nonResourceURLs":["/foo","/bar/*"]}])")
                                                         .value());
  std::vector<PolicyRule> owned =
      read_policy_rules(json::read(R"([{"verbs":["get"],"apiGroups":["apps"],"resources":["pods"]}])").value());
  std::vector<std::string> lines;
  for (const PolicyRule& rule : missing_rules(owned, wanted)) lines.push_back(compact_text(rule));
  CHECK(lines == std::vector<std::string>{
                     R"({APIGroups:[""], Resources:["deployments"], Verbs:["get" "list"]})",
                     R"({APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]})",
                     R"({APIGroups:[""], Resources:["secrets"], ResourceNames:["x"], Verbs:["get"]})",
                     R"({APIGroups:[""], Resources:["secrets"], ResourceNames:["z"], Verbs:["get"]})",
                     R"({APIGroups:["apps"], Resources:["deployments"], Verbs:["get" "list"]})",
                     R"({APIGroups:["apps"], Resources:["pods"], Verbs:["list"]})",
                     R"({NonResourceURLs:["/bar/*"], Verbs:["get"]})", R"({NonResourceURLs:["/foo"], Verbs:["get"]})"});
}

TEST_CASE("covering follows upstream's rules", "[rbac]") {
  auto covers = [](std::string_view owner, std::string_view wanted) {
    return missing_rules({only_rule(owner)}, {only_rule(wanted)}).empty();
  };
  std::string_view all = R"({"verbs":["*"],"apiGroups":["*"],"resources":["*"]})";
  CHECK(covers(all, R"({"verbs":["get"],"apiGroups":["x"],"resources":["a/b"],"resourceNames":["n"]})"));
  CHECK(covers(all, all));
  CHECK_FALSE(covers(R"({"verbs":["get"],"apiGroups":["*"],"resources":["*"]})", all));
  CHECK(covers(R"({"verbs":["get"],"apiGroups":[""],"resources":["*/log"]})",
               R"({"verbs":["get"],"apiGroups":[""],"resources":["pods/log"]})"));
  CHECK_FALSE(covers(R"({"verbs":["get"],"apiGroups":[""],"resources":["pods"],"resourceNames":["n"]})",
                     R"({"verbs":["get"],"apiGroups":[""],"resources":["pods"]})"));
  CHECK(covers(R"({"verbs":["get"],"nonResourceURLs":["/a/*"]})", R"({"verbs":["get"],"nonResourceURLs":["/a/b*"]})"));
  CHECK_FALSE(
      covers(R"({"verbs":["get"],"nonResourceURLs":["/a/b"]})", R"({"verbs":["get"],"nonResourceURLs":["/a/*"]})"));
}

TEST_CASE("bindings grant what their role says, with upstream's reasons", "[rbac]") {
  TestCluster cluster;
  put_roles(cluster);
  RbacAuthorizer rbac(cluster.objects, Logger(null_log_sink(), "rbac"));
  auto decide = [&](const Identity& who, const Attributes& what) { return rbac.authorize(cluster.context, who, what); };

  Decision alice = decide(person("alice"), asking("get", "", "pods", "default", "p1"));
  CHECK(alice.outcome == Decision::Outcome::Allow);
  CHECK(alice.reason == "RBAC: allowed by ClusterRoleBinding \"crb1\" of ClusterRole \"reader\" to User \"alice\"");
  CHECK(decide(person("bob", {"dev"}), asking_path("get", "/logs/x")).reason ==
        "RBAC: allowed by ClusterRoleBinding \"crb1\" of ClusterRole \"reader\" to Group \"dev\"");

  Decision robot = decide(person("system:serviceaccount:b:robot"), asking("patch", "apps", "deployments", "a", "d"));
  CHECK(robot.reason == "RBAC: allowed by RoleBinding \"rb1/a\" of Role \"editor\" to ServiceAccount \"robot/b\"");
  CHECK(decide(person("system:serviceaccount:a:own"), asking("get", "apps", "statefulsets/scale", "a", "d")).outcome ==
        Decision::Outcome::Allow);
  // A namespace's binding ends at its border, and covers no cluster-wide request.
  CHECK(decide(person("system:serviceaccount:b:robot"), asking("patch", "apps", "deployments", "b", "d")).outcome ==
        Decision::Outcome::NoOpinion);
  CHECK(decide(person("system:serviceaccount:b:robot"), asking("list", "apps", "deployments")).outcome ==
        Decision::Outcome::NoOpinion);
  CHECK(decide(person("carol"), asking("get", "", "pods", "default", "p1")).reason.empty());
}

TEST_CASE("a change of roles and bindings counts at once", "[rbac]") {
  TestCluster cluster;
  put_roles(cluster);
  RbacAuthorizer rbac(cluster.objects, Logger(null_log_sink(), "rbac"));
  Attributes pods = asking("get", "", "pods", "default", "p1");
  CHECK(rbac.authorize(cluster.context, person("alice"), pods).outcome == Decision::Outcome::Allow);
  CHECK(rbac.authorize(cluster.context, person("eve"), pods).outcome == Decision::Outcome::NoOpinion);
  cluster.put(R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding","metadata":{"name":"crb2"},
    "roleRef":{"kind":"ClusterRole","name":"reader"},"subjects":[{"kind":"User","name":"eve"}]})");
  CHECK(rbac.authorize(cluster.context, person("eve"), pods).outcome == Decision::Outcome::Allow);
  cluster.store.erase(cluster.resource("rbac.authorization.k8s.io", "clusterroles"), "", "reader");
  Decision gone = rbac.authorize(cluster.context, person("eve"), pods);
  CHECK(gone.outcome == Decision::Outcome::NoOpinion);
  CHECK(gone.reason == "RBAC: clusterrole.rbac.authorization.k8s.io \"reader\" not found");
}

TEST_CASE("rules for someone join cluster and namespace", "[rbac]") {
  TestCluster cluster;
  put_roles(cluster);
  RbacAuthorizer rbac(cluster.objects, Logger(null_log_sink(), "rbac"));
  bool incomplete = false;
  CHECK(rbac.rules_for(cluster.context, person("alice"), "a", incomplete).size() == 2);
  CHECK(rbac.rules_for(cluster.context, person("system:serviceaccount:b:robot"), "a", incomplete).size() == 1);
  CHECK(rbac.rules_for(cluster.context, person("system:serviceaccount:b:robot"), "b", incomplete).empty());
  CHECK_FALSE(incomplete);
}

TEST_CASE("forbidden is said in upstream's words", "[rbac]") {
  Identity alice = person("alice");
  CHECK(forbidden(alice, asking("get", "", "pods/log", "default", "p1"), "").message() ==
        "pods \"p1\" is forbidden: User \"alice\" cannot get resource \"pods/log\" in API group \"\" in the namespace "
        "\"default\"");
  Error nodes = forbidden(alice, asking("list", "", "nodes"), "why");
  CHECK(nodes.message() ==
        "nodes is forbidden: User \"alice\" cannot list resource \"nodes\" in API group \"\" at the cluster scope: "
        "why");
  CHECK(nodes.details().kind == "nodes");
  Error deployment = forbidden(alice, asking("create", "apps", "deployments", "foo"), "");
  CHECK(deployment.message() ==
        "deployments.apps is forbidden: User \"alice\" cannot create resource \"deployments\" in API group \"apps\" in "
        "the namespace \"foo\"");
  CHECK(deployment.details().group == "apps");
  Error path = forbidden(alice, asking_path("get", "/metrics"), "");
  CHECK(path.message() == "forbidden: User \"alice\" cannot get path \"/metrics\"");
  CHECK(path.code() == 403);
}

TEST_CASE("system:masters may do everything, and nobody else without a rule", "[rbac]") {
  TestCluster cluster;
  std::unique_ptr<Authorizer> none = make_union_authorizer({});
  Attributes what = asking("delete", "", "nodes", "", "n1");
  CHECK(none->authorize(cluster.context, person("root", {"system:masters"}), what).outcome == Decision::Outcome::Allow);
  CHECK(none->authorize(cluster.context, person("root", {"dev"}), what).outcome == Decision::Outcome::NoOpinion);
}

}  // namespace coracle::kube::apiserver
