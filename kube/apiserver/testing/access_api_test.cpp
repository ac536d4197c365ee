#include <catch2/catch.hpp>

#include "kube/apiserver/testing/test_server.h"

// What somebody with few permissions gets to do, through the whole server.
namespace coracle::kube::apiserver::testing {

namespace {

const std::string kRbac = "/apis/rbac.authorization.k8s.io/v1";
const http::Headers kMerge = {{"Content-Type", "application/merge-patch+json"}};
const http::Headers kApply = {{"Content-Type", "application/apply-patch+yaml"}};

std::string message_of(const TestServer::Answer& answer) {
  return std::to_string(answer.status) + " " + std::string(answer.tree["message"].as_string());
}

std::string named(const std::string& api_version, const std::string& kind, const std::string& name,
                  const std::string& more = "") {
  return R"({"apiVersion":")" + api_version + R"(","kind":")" + kind + R"(","metadata":{"name":")" + name + "\"}" +
         more + "}";
}

// Gives the user a ClusterRole of these rules, everywhere.
void grant(TestServer& server, const std::string& user, const std::string& rules) {
  const std::string version = "rbac.authorization.k8s.io/v1";
  const std::string role = named(version, "ClusterRole", user, R"(,"rules":[)" + rules + "]");
  REQUIRE(server.request("POST", kRbac + "/clusterroles", role).status == 201);
  const std::string binding =
      named(version, "ClusterRoleBinding", user,
            R"(,"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":")" + user +
                R"("},"subjects":[{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":")" + user + "\"}]");
  REQUIRE(server.request("POST", kRbac + "/clusterrolebindings", binding).status == 201);
}

}  // namespace

TEST_CASE("whoever may watch one object gets no other by a field selector", "[access]") {
  TestServer::run([](TestServer& server) {
    const std::string secrets = "/api/v1/namespaces/default/secrets";
    for (const char* name : {"foo", "bar"}) {
      REQUIRE(server.request("POST", secrets, named("v1", "Secret", name)).status == 201);
    }
    REQUIRE(server.request("POST", "/api/v1/nodes", named("v1", "Node", "foo")).status == 201);
    grant(server, "mallory",
          R"({"apiGroups":[""],"resources":["secrets","nodes"],"resourceNames":["foo"],"verbs":["list","watch"]})");
    const auto ask = [&](const std::string& target) {
      return message_of(server.request("GET", target, {}, {}, "mallory"));
    };
    const std::string one = "/api/v1/watch/namespaces/default/secrets/foo?timeoutSeconds=1&fieldSelector=";
    const std::string other_name = "400 fieldSelector metadata.name doesn't match requested name";
    CHECK(ask(one + "type!%3Dzzz") == other_name);
    CHECK(ask(one + "metadata.namespace%3Ddefault") == other_name);
    CHECK(ask(one + "metadata.name!%3Dzzz") == other_name);
    CHECK(ask(one + "metadata.name%3Dbar") == other_name);
    CHECK(ask(one + "metadata.name%3Dfoo,metadata.name%3Dbar") == other_name);
    CHECK(ask("/api/v1/watch/nodes/foo?timeoutSeconds=1&fieldSelector=spec.unschedulable!%3Dtrue") == other_name);

    // Of two names the first in order counts, and a comma within a value begins no other term.
    const std::string two = "metadata.name%3Dfoo,metadata.name%3Dbar";
    CHECK(ask(secrets + "?fieldSelector=" + two).rfind("403 secrets \"bar\" is forbidden", 0) == 0);
    CHECK(ask(secrets + "?watch=1&fieldSelector=" + two).rfind("403 secrets \"bar\" is forbidden", 0) == 0);
    CHECK(ask(secrets + "?fieldSelector=type!%3Da%5C,metadata.name%3Dfoo").rfind("403 secrets is forbidden", 0) == 0);
    // Only a list or watch of the usual path takes its name from the selector.
    CHECK(ask("/api/v1/watch/namespaces/default/secrets?fieldSelector=metadata.name%3Dfoo") ==
          "403 secrets is forbidden: User \"mallory\" cannot watch resource \"secrets\" in API group \"\" in the "
          "namespace \"default\"");

    const auto list = server.request("GET", secrets + "?fieldSelector=metadata.name%3Dfoo", {}, {}, "mallory");
    CHECK(list.status == 200);
    CHECK(list.tree["items"].size() == 1);
    for (const char* selector : {"", "metadata.name%3Dfoo"}) {
      const auto watch = server.watch(one + selector);
      REQUIRE(watch != nullptr);
      CHECK(watch->next()["object"]["metadata"]["name"].as_string() == "foo");
      CHECK(watch->next().is_null());
    }
  });
}

TEST_CASE("a role that is labelled into another is handed on", "[access]") {
  TestServer::run([](TestServer& server) {
    grant(server, "editor",
          R"({"apiGroups":["rbac.authorization.k8s.io"],"verbs":["get","create","update","patch"],
              "resources":["clusterroles","clusterrolebindings","roles","rolebindings"]})");
    const std::string version = "rbac.authorization.k8s.io/v1";
    const std::string rules = R"(,"rules":[{"apiGroups":[""],"resources":["secrets"],"verbs":["get"]}])";
    const std::string reference = R"(,"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"r"})";
    const std::string spaced = kRbac + "/namespaces/default";
    REQUIRE(server.request("POST", spaced + "/roles", named(version, "Role", "r", rules)).status == 201);
    REQUIRE(server.request("POST", spaced + "/rolebindings", named(version, "RoleBinding", "b", reference)).status ==
            201);
    const std::string label = R"({"metadata":{"labels":{"rbac.authorization.k8s.io/aggregate-to-view":"true"}}})";
    const std::string annotation = R"({"metadata":{"annotations":{"a":"b"}}})";
    const std::string finalizer = R"({"metadata":{"finalizers":["a.b/c"]}})";
    for (const std::string& path :
         {kRbac + "/clusterroles/cluster-admin", kRbac + "/clusterroles/admin",
          kRbac + "/clusterrolebindings/cluster-admin", spaced + "/roles/r", spaced + "/rolebindings/b"}) {
      INFO(path);
      for (const std::string& change : {label, annotation}) {
        const auto refused = server.request("PATCH", path, change, kMerge, "editor");
        CHECK(refused.status == 403);
        // The rules of an aggregated role may be empty, and still nobody else decides what gathers in it.
        const bool aggregated = path.ends_with("/admin");
        CHECK(message_of(refused).find(aggregated ? "must have cluster-admin privileges to use the aggregationRule"
                                                  : "attempting to grant RBAC permissions not currently held") !=
              std::string::npos);
      }
      // What a garbage collector does, and what changes nothing.
      CHECK(server.request("PATCH", path, "{}", kMerge, "editor").status == 200);
      CHECK(server.request("PATCH", path, finalizer, kMerge, "editor").status == 200);
    }
    const std::string ungathered = R"({"aggregationRule":null})";
    CHECK(
        message_of(server.request("PATCH", kRbac + "/clusterroles/admin", ungathered, kMerge, "editor")) ==
        "403 clusterroles.rbac.authorization.k8s.io \"admin\" is forbidden: must have cluster-admin privileges to use "
        "the aggregationRule");
  });
}

TEST_CASE("an update that creates needs the right to create", "[access]") {
  TestServer::run([](TestServer& server) {
    grant(server, "upd",
          R"({"apiGroups":["","coordination.k8s.io"],"resources":["configmaps","services","leases"],
              "verbs":["get","patch","update"]})");
    const std::string maps = "/api/v1/namespaces/default/configmaps/n?fieldManager=x";
    const std::string services = "/api/v1/namespaces/default/services/n?fieldManager=x";
    const std::string leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases/n?fieldManager=x";
    const std::string lease = named("coordination.k8s.io/v1", "Lease", "n");
    const std::string service = named("v1", "Service", "n", R"(,"spec":{"ports":[{"port":80}]})");
    for (const std::string& dry_run : {std::string(), std::string("&dryRun=All")}) {
      CHECK(message_of(server.request("PATCH", maps + dry_run, named("v1", "ConfigMap", "n"), kApply, "upd")) ==
            "403 configmaps \"n\" is forbidden: User \"upd\" cannot create resource \"configmaps\" in API group \"\" "
            "in the namespace \"default\"");
      CHECK(message_of(server.request("PUT", leases + dry_run, lease, {}, "upd")) ==
            "403 leases.coordination.k8s.io \"n\" is forbidden: User \"upd\" cannot create resource \"leases\" in API "
            "group \"coordination.k8s.io\" in the namespace \"default\"");
      CHECK(server.request("PUT", services + dry_run, service, {}, "upd").status == 403);
    }
    // Rules of the object come first, as upstream has it.
    const std::string bad = named("coordination.k8s.io/v1", "Lease", "n", R"(,"spec":{"leaseDurationSeconds":-1})");
    CHECK(server.request("PUT", leases, bad, {}, "upd").status == 422);
    CHECK(server.request("GET", leases).status == 404);

    grant(server, "namer", R"({"apiGroups":["coordination.k8s.io"],"resources":["leases"],"verbs":["update"]},
      {"apiGroups":["coordination.k8s.io"],"resources":["leases"],"resourceNames":["n"],"verbs":["create"]})");
    CHECK(server.request("PUT", leases, lease, {}, "namer").status == 201);
    CHECK(server.request("PATCH", leases, lease, kApply, "upd").status == 200);
  });
}

TEST_CASE("escalation that is allowed for a name needs the name in the request", "[access]") {
  TestServer::run([](TestServer& server) {
    grant(server, "esc",
          R"({"apiGroups":["rbac.authorization.k8s.io"],"resources":["roles","rolebindings"],
              "verbs":["create","update","patch"]},
             {"apiGroups":["rbac.authorization.k8s.io"],"resources":["roles"],"resourceNames":["r"],
              "verbs":["escalate","bind"]})");
    const std::string version = "rbac.authorization.k8s.io/v1";
    const std::string spaced = kRbac + "/namespaces/default";
    const std::string role =
        named(version, "Role", "r", R"(,"rules":[{"apiGroups":[""],"resources":["secrets"],"verbs":["get"]}])");
    // A create names nothing; the role in its body may be called anything.
    CHECK(server.request("POST", spaced + "/roles", role, {}, "esc").status == 403);
    CHECK(server.request("PUT", spaced + "/roles/r?dryRun=All", role, {}, "esc").status == 201);
    CHECK(server.request("PATCH", spaced + "/roles/r?fieldManager=x", role, kApply, "esc").status == 201);
    CHECK(server.request("PUT", spaced + "/roles/r", role, {}, "esc").status == 200);
    const std::string binding =
        named(version, "RoleBinding", "any",
              R"(,"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"r"})");
    CHECK(server.request("POST", spaced + "/rolebindings", binding, {}, "esc").status == 201);
  });
}

}  // namespace coracle::kube::apiserver::testing
