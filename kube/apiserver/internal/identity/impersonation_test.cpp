#include <catch2/catch.hpp>

#include <set>

#include "kube/apiserver/internal/identity/identity_test_support.h"
#include "kube/apiserver/internal/identity/impersonation.h"

namespace coracle::kube::apiserver {
namespace {

using testing::person;
using testing::TestCluster;

// Allows "<verb> <group>/<resource>[/<subresource>] [<namespace>/]<name>" lines of a list.
class ListAuthorizer : public Authorizer {
 public:
  explicit ListAuthorizer(std::set<std::string> lines) : lines_(std::move(lines)) {}
  Decision authorize(const Context&, const Identity&, const Attributes& what) override {
    std::string line = what.verb + " " + what.group + "/" + what.resource;
    if (!what.subresource.empty()) line += "/" + what.subresource;
    line += " " + (what.namespace_.empty() ? what.name : what.namespace_ + "/" + what.name);
    return {lines_.count(line) != 0 ? Decision::Outcome::Allow : Decision::Outcome::NoOpinion, ""};
  }
  std::vector<PolicyRule> rules_for(const Context&, const Identity&, std::string_view, bool&) override { return {}; }

 private:
  std::set<std::string> lines_;
};

struct Attempt {
  std::string fault;
  Identity who;
};

Attempt act_as(const http::Headers& headers, std::set<std::string> allowed, Identity asker = person("alice")) {
  TestCluster cluster;
  ListAuthorizer authorizer(std::move(allowed));
  Impersonation impersonation = make_impersonation(authorizer);
  http::Request request;
  request.headers = headers;
  RequestScope scope{cluster.context, request, {}, {}, {}};
  scope.info.resource_request = true;
  scope.info.verb = "list";
  scope.info.version = "v1";
  scope.info.resource = "pods";
  scope.info.namespace_ = "default";
  Result<std::shared_ptr<const Identity>> who =
      impersonation(scope, std::make_shared<const Identity>(std::move(asker)));
  if (!who.ok()) return {std::to_string(who.error().code()) + " " + who.error().message(), {}};
  return {"", **who};
}

const std::set<std::string> kUserInfo = {
    "impersonate-on:user-info:list /pods default/", "impersonate:user-info authentication.k8s.io/users bob",
    "impersonate:user-info authentication.k8s.io/groups dev", "impersonate:user-info authentication.k8s.io/uids u1",
    "impersonate:user-info authentication.k8s.io/userextras/k v"};

}  // namespace

TEST_CASE("nobody is impersonated without headers", "[impersonation]") {
  CHECK(act_as({}, {}).who.user == "alice");
}

TEST_CASE("other parts of an identity need a user name", "[impersonation]") {
  CHECK(act_as({{"Impersonate-Group", "a"}}, {}).fault ==
        "400 requested &user.DefaultInfo{Name:\"\", UID:\"\", Groups:[]string{\"a\"}, "
        "Extra:map[string][]string(nil)} without impersonating a user name");
}

TEST_CASE("the first refusal is reported", "[impersonation]") {
  std::string start = "403 pods is forbidden: User \"alice\" cannot impersonate-on:";
  std::string end = ":list resource \"pods\" in API group \"\" in the namespace \"default\"";
  CHECK(act_as({{"Impersonate-User", "bob"}}, {}).fault == start + "user-info" + end);
  CHECK(act_as({{"Impersonate-User", "system:serviceaccount:a:b"}}, {}).fault == start + "serviceaccount" + end);
  CHECK(act_as({{"Impersonate-User", "system:node:n3"}}, {}).fault == start + "arbitrary-node" + end);
  std::set<std::string> target_only = {"impersonate-on:user-info:list /pods default/"};
  CHECK(act_as({{"Impersonate-User", "bob"}}, target_only).fault ==
        "403 users.authentication.k8s.io \"bob\" is forbidden: User \"alice\" cannot impersonate:user-info resource "
        "\"users\" in API group \"authentication.k8s.io\" at the cluster scope");
}

TEST_CASE("constrained impersonation needs every part", "[impersonation]") {
  http::Headers headers = {{"Impersonate-User", "bob"},
                           {"Impersonate-Group", "dev"},
                           {"Impersonate-Uid", "u1"},
                           {"Impersonate-Extra-K", "v"}};
  Attempt attempt = act_as(headers, kUserInfo);
  CHECK(attempt.fault.empty());
  CHECK(attempt.who.user == "bob");
  CHECK(attempt.who.uid == "u1");
  CHECK(attempt.who.groups == std::vector<std::string>{"dev", "system:authenticated"});
  CHECK(attempt.who.extra.at("k") == std::vector<std::string>{"v"});
  for (const std::string& part : kUserInfo) {
    std::set<std::string> less = kUserInfo;
    less.erase(part);
    CHECK_FALSE(act_as(headers, less).fault.empty());
  }
}

TEST_CASE("system:masters cannot be reached by a constrained mode", "[impersonation]") {
  std::set<std::string> allowed = kUserInfo;
  allowed.insert("impersonate:user-info authentication.k8s.io/groups system:masters");
  http::Headers headers = {{"Impersonate-User", "bob"}, {"Impersonate-Group", "system:masters"}};
  CHECK_FALSE(act_as(headers, allowed).fault.empty());
  CHECK(act_as(headers, {"impersonate /users bob", "impersonate /groups system:masters"}).fault.empty());
}

TEST_CASE("service accounts and nodes get the groups that belong to them", "[impersonation]") {
  Attempt account =
      act_as({{"Impersonate-User", "system:serviceaccount:a:robot"}}, {"impersonate /serviceaccounts a/robot"});
  CHECK(account.who.groups ==
        std::vector<std::string>{"system:serviceaccounts", "system:serviceaccounts:a", "system:authenticated"});
  Identity agent = person("system:serviceaccount:kube-system:agent");
  agent.extra["authentication.kubernetes.io/node-name"] = {"n1"};
  std::set<std::string> associated = {"impersonate-on:associated-node:list /pods default/",
                                      "impersonate:associated-node authentication.k8s.io/nodes n1"};
  CHECK(act_as({{"Impersonate-User", "system:node:n1"}}, associated, agent).who.groups ==
        std::vector<std::string>{"system:nodes", "system:authenticated"});
  CHECK_FALSE(act_as({{"Impersonate-User", "system:node:n2"}}, associated, agent).fault.empty());
}

TEST_CASE("a user whose name no service account can have is none", "[impersonation]") {
  const std::set<std::string> accounts = {"impersonate /serviceaccounts Sec/sax",
                                          "impersonate /serviceaccounts a.b/sax", "impersonate /serviceaccounts a/Sax",
                                          "impersonate /serviceaccounts a/b.sax"};
  for (const char* user : {"system:serviceaccount:Sec:sax", "system:serviceaccount:a.b:sax",
                           "system:serviceaccount:a:Sax", "system:serviceaccount:a:sax:b"}) {
    INFO(user);
    CHECK_FALSE(act_as({{"Impersonate-User", user}}, accounts).fault.empty());
    const Attempt attempt = act_as({{"Impersonate-User", user}}, {"impersonate /users " + std::string(user)});
    CHECK(attempt.fault.empty());
    CHECK(attempt.who.groups == std::vector<std::string>{"system:authenticated"});
  }
  CHECK(act_as({{"Impersonate-User", "system:serviceaccount:a:b.sax"}}, accounts).fault.empty());
}

TEST_CASE("the anonymous user stays unauthenticated", "[impersonation]") {
  Attempt attempt = act_as({{"Impersonate-User", "system:anonymous"}}, {"impersonate /users system:anonymous"});
  CHECK(attempt.who.groups == std::vector<std::string>{"system:unauthenticated"});
}

}  // namespace coracle::kube::apiserver
