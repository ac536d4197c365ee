#include <catch2/catch.hpp>

#include "base/json/json.h"
#include "kube/apiserver/testing/test_server.h"

// Reviews, tokens and access as clients see them, through the whole server.
namespace coracle::kube::apiserver::testing {

namespace {

constexpr const char* kReviews = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
constexpr const char* kTokenPath = "/api/v1/namespaces/default/serviceaccounts/s1/token";

// A request for the subject O=dev, CN=x.
constexpr const char* kCertificateRequest =
    "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIVE1Id0NBUUF3R2pFTU1Bb0dBMVVFQ2d3RFpHVjJNUW93Q0FZ"
    "RFZRUUREQUY0TUZrd0V3WUhLb1pJemowQwpBUVlJS29aSXpqMERBUWNEUWdBRUh1TW1NUzJWaGNQWFJadW9XYXVFNjBzN3JObTht"
    "c1JUNkxHV0hFbTN2b3ZSCnhCNGNNaEZPRE9FRUN0WkhZaStkYWxOWTN5NjR3MTdPSEZyMjk3Q0tCcUFBTUFvR0NDcUdTTTQ5QkFN"
    "Q0EwY0EKTUVRQ0lDTTMyNXc1SERhaFVCcHlTYnhRQ3lKVytSY0RzVkhINEU5dXF2ZFJDbXlpQWlCQlczQ2kxL1Nid3JxeApJR0Y2"
    "T2JTZVpyODd0S2Z5RDJsNGJpbmUxWWtZNXc9PQotLS0tLUVORCBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K";

std::string review_body(const std::string& kind, const std::string& spec, const std::string& group = "authorization") {
  return R"({"apiVersion":")" + group + R"(.k8s.io/v1","kind":")" + kind + R"(","spec":{)" + spec + "}}";
}

std::string access_status(TestServer& server, const std::string& spec) {
  return json::write(server.request("POST", kReviews, review_body("SubjectAccessReview", spec)).tree["status"]);
}

std::string message_of(const TestServer::Answer& answer) {
  return std::to_string(answer.status) + " " + std::string(answer.tree["message"].as_string());
}

void create_account(TestServer& server) {
  std::string body = R"({"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"s1"}})";
  REQUIRE(server.request("POST", "/api/v1/namespaces/default/serviceaccounts", body).status == 201);
}

}  // namespace

TEST_CASE("access reviews answer as upstream does", "[identity]") {
  TestServer::run([](TestServer& server) {
    CHECK(access_status(server, R"("user":"bob","resourceAttributes":{"verb":"get","resource":"pods"})") ==
          R"({"allowed":false})");
    CHECK(access_status(server, R"("user":"bob","groups":["system:masters"],"resourceAttributes":{"verb":"get"})") ==
          R"({"allowed":true})");
    CHECK(access_status(server,
                        R"("user":"system:kube-scheduler","resourceAttributes":{"verb":"list","resource":"nodes"})") ==
          R"({"allowed":true,"reason":"RBAC: allowed by ClusterRoleBinding \"system:kube-scheduler\" of ClusterRole )"
          R"(\"system:kube-scheduler\" to User \"system:kube-scheduler\""})");
    CHECK(access_status(server, R"("user":"system:node:n1","groups":["system:nodes"],
        "resourceAttributes":{"verb":"get","resource":"secrets","namespace":"default","name":"zz"})") ==
          R"({"allowed":false,"reason":"no relationship found between node 'n1' and this object"})");

    auto fault = [&](const std::string& spec) {
      return message_of(server.request("POST", kReviews, review_body("SubjectAccessReview", spec)));
    };
    CHECK(fault(R"("user":"bob")") ==
          "422 .authorization.k8s.io \"\" is invalid: spec.resourceAttributes: Invalid value: null: exactly one of "
          "nonResourceAttributes or resourceAttributes must be specified");
    CHECK(fault(R"("resourceAttributes":{"verb":"get"})") ==
          "422 .authorization.k8s.io \"\" is invalid: spec.user: Invalid value: \"\": at least one of user or "
          "group must "
          "be specified");
    CHECK(
        fault(
            R"("user":"bob","resourceAttributes":{"verb":"get"},"nonResourceAttributes":{"verb":"get","path":"/x"})") ==
        "422 .authorization.k8s.io \"\" is invalid: spec.nonResourceAttributes: Invalid value: "
        "{\"Path\":\"/x\",\"Verb\":\"get\"}: cannot be specified in combination with resourceAttributes");
    CHECK(fault(R"("user":"bob","resourceAttributes":{"verb":"list","resource":"pods",
        "fieldSelector":{"rawSelector":"a=b","requirements":[{"key":"a","operator":"In","values":["b"]}]}})") ==
          "422 .authorization.k8s.io \"\" is invalid: spec.resourceAttributes.fieldSelector.rawSelector: Invalid "
          "value: "
          "\"a=b\": may not specified at the same time as requirements");
  });
}

TEST_CASE("a local review stays in its namespace", "[identity]") {
  TestServer::run([](TestServer& server) {
    const char* path = "/apis/authorization.k8s.io/v1/namespaces/default/localsubjectaccessreviews";
    auto body = [](const std::string& ns) {
      return review_body(
          "LocalSubjectAccessReview", R"("user":"bob","resourceAttributes":{"verb":"get","resource":"pods",
        "namespace":")" + ns + "\"}");
    };
    CHECK(message_of(server.request("POST", path, body("x"))) ==
          "422 .authorization.k8s.io \"\" is invalid: spec.resourceAttributes.namespace: Invalid value: \"x\": "
          "must match "
          "metadata.namespace");
    std::string elsewhere = R"({"apiVersion":"authorization.k8s.io/v1","kind":"LocalSubjectAccessReview",
      "metadata":{"namespace":"kube-system"},"spec":{"user":"bob","resourceAttributes":{"verb":"get",
      "resource":"pods","namespace":"kube-system"}}})";
    CHECK(message_of(server.request("POST", path, elsewhere)) ==
          "400 the namespace of the provided object does not match the namespace sent on the request");
    TestServer::Answer answer = server.request("POST", path, body("default"));
    CHECK(answer.status == 201);
    CHECK(answer.tree["metadata"]["namespace"].as_string() == "default");
    CHECK_FALSE(answer.tree["status"]["allowed"].as_bool(true));
  });
}

TEST_CASE("the selectors of a review are checked, and what cannot be read of them is told", "[identity]") {
  TestServer::run([](TestServer& server) {
    const auto ask = [&](const std::string& selectors) {
      return server.request("POST", kReviews,
                            review_body("SubjectAccessReview",
                                        R"("user":"system:node:n1","groups":["system:nodes"],
            "resourceAttributes":{"verb":"list","resource":"pods",)" +
                                            selectors + "}"));
    };
    const auto fault = [&](const std::string& kind, const std::string& requirement) {
      std::string message = message_of(ask("\"" + kind + R"(":{"requirements":[)" + requirement + "]}"));
      const std::string start = "422 .authorization.k8s.io \"\" is invalid: spec.resourceAttributes." + kind;
      return message.rfind(start, 0) == 0 ? message.substr(start.size()) : message;
    };
    for (const std::string& kind : {std::string("labelSelector"), std::string("fieldSelector")}) {
      CHECK(fault(kind, R"({"key":"a","operator":"In"})") ==
            ".requirements[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'");
      CHECK(fault(kind, R"({"key":"a","operator":"Exists","values":["x"]})") ==
            ".requirements[0].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    }
    CHECK(fault("labelSelector", R"({"key":"/a","operator":"Exists"})") ==
          ".requirements[0].key: Invalid value: \"/a\": prefix part must be non-empty");
    CHECK(fault("labelSelector", R"({"key":"a","operator":"In","values":["x y"]})")
              .rfind(".requirements[0].values[0]: Invalid value: \"x y\": a valid label", 0) == 0);
    CHECK(fault("fieldSelector", R"({"key":"","operator":"In","values":["x"]})") ==
          ".requirements[0].key: Required value: must be specified");

    const auto status = [&](const std::string& selectors) { return ask(selectors).tree["status"]; };
    const std::string ignored = "spec.resourceAttributes.fieldSelector ignored due to parse error";
    CHECK(status(R"("fieldSelector":{"rawSelector":"a"},"labelSelector":{"rawSelector":"a in ("})")["evaluationError"]
              .as_string() == ignored + "; spec.resourceAttributes.labelSelector ignored due to parse error");
    CHECK(status(R"("fieldSelector":{"requirements":[{"key":"a","operator":"Exists"}]})")["evaluationError"]
              .as_string() == ignored);
    // What can be read counts, and a value is never read as more than one.
    const std::string own = R"({"key":"spec.nodeName","operator":"In","values":["n1"]})";
    CHECK(status(R"("fieldSelector":{"requirements":[)" + own + "]}")["allowed"].as_bool());
    const Value partly = status(R"("fieldSelector":{"requirements":[{"key":"a","operator":"Bad"},)" + own + "]}");
    CHECK(partly["allowed"].as_bool());
    CHECK(partly["evaluationError"].as_string() == ignored);
    CHECK_FALSE(status(R"("fieldSelector":{"requirements":[{"key":"a","operator":"In",
        "values":["x,spec.nodeName=n1"]}]})")["allowed"]
                    .as_bool(true));
    CHECK_FALSE(status(R"("fieldSelector":{"requirements":[{"key":"spec.nodeName=n1,a","operator":"In",
        "values":["x"]}]})")["allowed"]
                    .as_bool(true));
  });
}

TEST_CASE("everybody may ask about themselves", "[identity]") {
  TestServer::run([](TestServer& server) {
    TestServer::Answer rules = server.request("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
                                              review_body("SelfSubjectRulesReview", R"("namespace":"default")"));
    CHECK(rules.status == 201);
    CHECK_FALSE(rules.tree["status"]["incomplete"].as_bool(true));
    CHECK(json::write(rules.tree["status"]["resourceRules"].at(0)) ==
          R"({"verbs":["*"],"apiGroups":["*"],"resources":["*"]})");
    CHECK(message_of(server.request("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
                                    review_body("SelfSubjectRulesReview", ""))) == "400 no namespace on request");
    TestServer::Answer self = server.request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews",
                                             R"({"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"})");
    CHECK(self.status == 201);
    CHECK_FALSE(self.tree["status"]["userInfo"]["username"].as_string().empty());
  });
}

TEST_CASE("a token request is checked and answered", "[identity]") {
  TestServer::run([](TestServer& server) {
    create_account(server);
    auto ask = [&](const std::string& spec) {
      return server.request("POST", kTokenPath, review_body("TokenRequest", spec, "authentication"));
    };
    CHECK(message_of(ask(R"("expirationSeconds":10)")) ==
          "422 TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid value: 10: may not "
          "specify a duration less than 10 minutes");
    CHECK(message_of(ask(R"("expirationSeconds":4294967297)")) ==
          "422 TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid value: "
          "4294967297: may "
          "not specify a duration larger than 2^32 seconds");
    CHECK(message_of(ask(R"("boundObjectRef":{"kind":"Pod","apiVersion":"v1","name":"nope"})")) ==
          "404 pods \"nope\" not found");
    for (const std::string& bound :
         {std::string(R"("kind":"Pod","apiVersion":"v1")"), std::string(R"("kind":"Secret","apiVersion":"v1")"),
          std::string(R"("kind":"Node","apiVersion":"v1","uid":"x")"), std::string(R"("kind":"Pod")")}) {
      CHECK(message_of(ask(R"("boundObjectRef":{)" + bound + "}")) == "400 Name parameter required.");
    }
    CHECK(message_of(ask(R"("boundObjectRef":{"kind":"ConfigMap","apiVersion":"v1","name":"nope"})")) ==
          "400 cannot bind token to object of type /v1, Kind=ConfigMap");
    std::string secret = R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"sec1"}})";
    REQUIRE(server.request("POST", "/api/v1/namespaces/default/secrets", secret).status == 201);
    CHECK(message_of(ask(R"("boundObjectRef":{"kind":"Secret","apiVersion":"v1","name":"sec1","uid":"xx"})")) ==
          "409 Operation cannot be fulfilled on Secret \"sec1\": the UID in the bound object reference (xx) does "
          "not match "
          "the UID in record. The object might have been deleted and then recreated");
    CHECK(message_of(server.request("POST", "/api/v1/namespaces/default/serviceaccounts/zz/token",
                                    review_body("TokenRequest", "", "authentication"))) ==
          "404 serviceaccounts \"zz\" not found");

    TestServer::Answer answer = ask("");
    REQUIRE(answer.status == 201);
    CHECK(answer.tree["spec"]["expirationSeconds"].as_int() == 3600);
    CHECK(answer.tree["metadata"]["name"].as_string() == "s1");
    std::string token(answer.tree["status"]["token"].as_string());
    TestServer::Answer review =
        server.request("POST", "/apis/authentication.k8s.io/v1/tokenreviews",
                       review_body("TokenReview", R"("token":")" + token + "\"", "authentication"));
    CHECK(review.status == 201);
    CHECK(review.tree["status"]["authenticated"].as_bool());
    CHECK(review.tree["status"]["user"]["username"].as_string() == "system:serviceaccount:default:s1");
    CHECK(json::write(review.tree["status"]["user"]["groups"]) ==
          R"(["system:serviceaccounts","system:serviceaccounts:default","system:authenticated"])");
    TestServer::Answer other =
        server.request("POST", "/apis/authentication.k8s.io/v1/tokenreviews",
                       review_body("TokenReview", R"("token":")" + token + R"(","audiences":["x"])", "authentication"));
    std::string audience(answer.tree["spec"]["audiences"].at(0).as_string());
    CHECK(other.tree["status"]["error"].as_string() ==
          "[invalid bearer token, token audiences [\"" + audience + "\"] is invalid for the target audiences [\"x\"]]");
    CHECK(message_of(server.request("POST", "/apis/authentication.k8s.io/v1/tokenreviews",
                                    review_body("TokenReview", "", "authentication"))) ==
          "400 token is required for TokenReview in authentication");
  });
}

TEST_CASE("permissions take effect with the next request, and cannot be grown", "[identity]") {
  TestServer::run([](TestServer& server) {
    auto list = [&] { return server.request("GET", "/api/v1/namespaces/default/pods", {}, {}, "carol"); };
    CHECK(message_of(list()) ==
          "403 pods is forbidden: User \"carol\" cannot list resource \"pods\" in API group \"\" in the namespace "
          "\"default\"");
    std::string binding = R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{"name":"b"},
      "roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"rb"},
      "subjects":[{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":"carol"}]})";
    std::string role = R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"rb"},
      "rules":[{"verbs":["list"],"apiGroups":[""],"resources":["pods"]},
               {"verbs":["create"],"apiGroups":["rbac.authorization.k8s.io"],"resources":["roles"]}]})";
    REQUIRE(server.request("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", role).status == 201);
    const char* bindings = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings";
    REQUIRE(server.request("POST", bindings, binding).status == 201);
    CHECK(list().status == 200);
    std::string more = R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"more"},
      "rules":[{"verbs":["delete","list"],"apiGroups":[""],"resources":["pods"]}]})";
    TestServer::Answer refused =
        server.request("POST", "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles", more, {}, "carol");
    CHECK(refused.status == 403);
    CHECK(message_of(refused).find("is attempting to grant RBAC permissions not currently held:\n{APIGroups:[\"\"], "
                                   "Resources:[\"pods\"], Verbs:[\"delete\"]}") != std::string::npos);
    REQUIRE(server.request("DELETE", std::string(bindings) + "/b").status == 200);
    CHECK(list().status == 403);
  });
}

TEST_CASE("namespaces that are not there take nothing in", "[identity]") {
  TestServer::run([](TestServer& server) {
    std::string body = R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"}})";
    CHECK(message_of(server.request("POST", "/api/v1/namespaces/nons/configmaps", body)) ==
          "404 namespaces \"nons\" not found");
    CHECK(message_of(server.request("DELETE", "/api/v1/namespaces/default")) ==
          "403 namespaces \"default\" is forbidden: this namespace may not be deleted");
  });
}

TEST_CASE("a namespace that is being deleted takes nothing in and goes when it is finalized", "[identity]") {
  TestServer::run([](TestServer& server) {
    std::string body = R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"t1"}})";
    TestServer::Answer created = server.request("POST", "/api/v1/namespaces", body);
    REQUIRE(created.status == 201);
    CHECK(created.tree["metadata"]["labels"]["kubernetes.io/metadata.name"].as_string() == "t1");
    CHECK(json::write(created.tree["spec"]) == R"({"finalizers":["kubernetes"]})");
    CHECK(json::write(created.tree["status"]) == R"({"phase":"Active"})");

    http::Headers merge = {{"Content-Type", "application/merge-patch+json"}};
    std::string stripped = R"({"metadata":{"labels":{"kubernetes.io/metadata.name":null}},"spec":{"finalizers":[]}})";
    TestServer::Answer patched = server.request("PATCH", "/api/v1/namespaces/t1", stripped, merge);
    CHECK(patched.tree["metadata"]["labels"]["kubernetes.io/metadata.name"].as_string() == "t1");
    CHECK(patched.tree["spec"]["finalizers"].size() == 1);

    TestServer::Answer deleted = server.request("DELETE", "/api/v1/namespaces/t1");
    CHECK(deleted.status == 200);
    CHECK(deleted.tree["kind"].as_string() == "Namespace");
    CHECK(deleted.tree["status"]["phase"].as_string() == "Terminating");
    std::string config_map = R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"z"}})";
    CHECK(message_of(server.request("POST", "/api/v1/namespaces/t1/configmaps", config_map)) ==
          "403 configmaps \"z\" is forbidden: unable to create new content in namespace t1 because it is being "
          "terminated");
    std::string finalized = R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"t1"},"spec":{}})";
    CHECK(server.request("PUT", "/api/v1/namespaces/t1/finalize", finalized).status == 200);
    CHECK(server.request("GET", "/api/v1/namespaces/t1").status == 404);
  });
}

TEST_CASE("a signing request goes from its asker to an approval", "[identity]") {
  TestServer::run([](TestServer& server) {
    const std::string path = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
    auto body = [](const std::string& name, const std::string& more) {
      return R"({"apiVersion":"certificates.k8s.io/v1","kind":"CertificateSigningRequest","metadata":{"name":")" +
             name + R"("},"spec":{"signerName":"kubernetes.io/kube-apiserver-client","usages":["client auth"],)" +
             R"("username":"forged","groups":["system:masters","x"],"request":")" + kCertificateRequest + "\"" + more +
             "}}";
    };
    TestServer::Answer created = server.request("POST", path, body("c1", ""));
    REQUIRE(created.status == 201);
    CHECK(created.tree["spec"]["username"].as_string() == "admin");
    CHECK(created.tree["spec"]["groups"].at(0).as_string() == "system:masters");
    CHECK(json::write(created.tree["spec"]["groups"]).find("\"x\"") == std::string::npos);
    CHECK(message_of(server.request("POST", path, body("c2", R"(,"expirationSeconds":10)"))) ==
          "422 CertificateSigningRequest.certificates.k8s.io \"c2\" is invalid: spec.expirationSeconds: Invalid value: "
          "10: may not specify a duration less than 600 seconds (10 minutes)");

    // Neither the main resource nor /status can approve.
    std::string approved = R"({"status":{"conditions":[{"type":"Approved","status":"True","reason":"Mine"}]}})";
    http::Headers merge = {{"Content-Type", "application/merge-patch+json"}};
    CHECK(server.request("PATCH", path + "/c1", approved, merge).tree["status"]["conditions"].empty());
    CHECK(server.request("PATCH", path + "/c1/status", approved, merge).tree["status"]["conditions"].empty());
    TestServer::Answer approval = server.request("PATCH", path + "/c1/approval", approved, merge);
    CHECK(approval.status == 200);
    CHECK(approval.tree["status"]["conditions"].at(0)["type"].as_string() == "Approved");
    CHECK_FALSE(approval.tree["status"]["conditions"].at(0)["lastUpdateTime"].as_string().empty());

    CHECK(message_of(server.request("PATCH", path + "/c1/status", R"({"status":{"certificate":"eA=="}})", merge)) ==
          "422 CertificateSigningRequest.certificates.k8s.io \"c1\" is invalid: status.certificate: Invalid value: "
          "\"<certificate data>\": must contain at least one CERTIFICATE PEM block");
  });
}

TEST_CASE("key documents are there for those who verify tokens", "[identity]") {
  TestServer::run([](TestServer& server) {
    TestServer::Answer configuration = server.request("GET", "/.well-known/openid-configuration");
    CHECK(configuration.status == 200);
    CHECK(configuration.headers.get("Cache-Control") == "public, max-age=3600");
    TestServer::Answer keys = server.request("GET", "/openid/v1/jwks");
    CHECK(keys.headers.get("Content-Type") == "application/jwk-set+json");
    CHECK(keys.tree["keys"].size() == 1);
  });
}

}  // namespace coracle::kube::apiserver::testing
