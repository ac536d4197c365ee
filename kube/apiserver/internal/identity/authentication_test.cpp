#include <catch2/catch.hpp>

#include "base/encoding.h"
#include "base/tls/tls.h"
#include "kube/apiserver/internal/identity/authentication_bootstrap_token.h"
#include "kube/apiserver/internal/identity/authentication_certificate.h"
#include "kube/apiserver/internal/identity/authentication_passwd.h"
#include "kube/apiserver/internal/identity/identity_test_support.h"

namespace coracle::kube::apiserver {
namespace {

using testing::TestCluster;

constexpr const char* kPasswd =
    "# comment\ns3cret,server,server,k3s:server\n\nagent-pw,node,node,\"k3s:agent, extra\"\r\n";

struct TestAuthority {
  std::string key = tls::make_ec_key().value();
  std::string certificate;

  TestAuthority(const std::string& name, WallTime now) {
    tls::CertificateRequest request;
    request.subject.common_name = name;
    request.usage = tls::Usage::Authority;
    request.not_before = now - std::chrono::hours(1);
    request.not_after = now + std::chrono::hours(24);
    certificate = tls::make_authority(request, key).value();
  }
  std::string issue(const std::string& name, std::vector<std::string> groups, WallTime now, std::chrono::hours life,
                    tls::Usage usage = tls::Usage::Client) const {
    return issue(tls::Name{name, std::move(groups)}, now, life, usage);
  }
  std::string issue(tls::Name subject, WallTime now, std::chrono::hours life,
                    tls::Usage usage = tls::Usage::Client) const {
    tls::CertificateRequest request;
    request.subject = std::move(subject);
    request.usage = usage;
    request.not_before = now - std::chrono::minutes(1);
    request.not_after = now + life;
    return tls::issue_certificate(request, tls::make_ec_key().value(), certificate, key).value();
  }
};

http::Request with_certificate(const std::string& pem) {
  http::Request request;
  request.peer.certificates_pem = {pem};
  return request;
}

http::Request with_authorization(const std::string& value) {
  http::Request request;
  request.headers.set("Authorization", value);
  return request;
}

std::vector<std::unique_ptr<Authenticator>> only(std::unique_ptr<Authenticator> one) {
  std::vector<std::unique_ptr<Authenticator>> list;
  list.push_back(std::move(one));
  return list;
}

std::unique_ptr<TokenAuthenticator> only_tokens(std::unique_ptr<TokenAuthenticator> one) {
  std::vector<std::unique_ptr<TokenAuthenticator>> list;
  list.push_back(std::move(one));
  return make_token_union(std::move(list));
}

}  // namespace

TEST_CASE("a client certificate names user and groups", "[authentication]") {
  TestCluster cluster;
  WallTime now = cluster.context.clock().wall();
  TestAuthority authority("ca", now);
  TestAuthority stranger("other", now);
  auto chain = make_authenticator_chain(only(make_certificate_authenticator(authority.certificate)));

  const std::string certificate = authority.issue("alice", {"dev", "ops"}, now, std::chrono::hours(1));
  http::Request good = with_certificate(certificate);
  for (int round = 0; round < 2; ++round) {  // the second one comes from the cache
    Identity who = *chain->authenticate(cluster.context, good).value();
    CHECK(who.user == "alice");
    CHECK(who.uid.empty());
    CHECK(who.groups == std::vector<std::string>{"dev", "ops", "system:authenticated"});
    CHECK(who.extra.at("authentication.kubernetes.io/credential-id") ==
          std::vector<std::string>{"X509SHA256=" + tls::inspect_certificate(certificate)->sha256});
  }
  Result<std::optional<Identity>> bad =
      chain->authenticate(cluster.context, with_certificate(stranger.issue("eve", {}, now, std::chrono::hours(1))));
  REQUIRE_FALSE(bad.ok());
  CHECK(bad.error().code() == 401);
  CHECK(bad.error().message() == "Unauthorized");

  http::Request server = with_certificate(authority.issue("web", {}, now, std::chrono::hours(1), tls::Usage::Server));
  CHECK_FALSE(chain->authenticate(cluster.context, server).ok());
}

TEST_CASE("a client certificate may carry the user's UID, but not two", "[authentication]") {
  TestCluster cluster;
  const WallTime now = cluster.context.clock().wall();
  const TestAuthority authority("ca", now);
  const auto chain = make_authenticator_chain(only(make_certificate_authenticator(authority.certificate)));
  const auto authenticate = [&](std::vector<std::string> uids) {
    const tls::Name subject{"alice", {}, std::move(uids)};
    return chain->authenticate(cluster.context, with_certificate(authority.issue(subject, now, std::chrono::hours(1))));
  };
  CHECK(authenticate({"u-1"}).value()->uid == "u-1");
  CHECK_FALSE(authenticate({""}).ok());
  CHECK_FALSE(authenticate({"u-1", "u-2"}).ok());
}

TEST_CASE("a remembered certificate still expires", "[authentication]") {
  TestCluster cluster;
  WallTime now = cluster.context.clock().wall();
  TestAuthority authority("ca", now);
  VerifiedChains chains(authority.certificate);
  std::vector<std::string> chain = {authority.issue("alice", {}, now, std::chrono::hours(1))};
  CHECK(chains.verify(chain, now).ok());
  CHECK(chains.verify(chain, now + std::chrono::minutes(59)).ok());
  CHECK_FALSE(chains.verify(chain, now + std::chrono::minutes(61)).ok());
  CHECK(chains.verify(chain, now).ok());
}

TEST_CASE("without credentials the request is anonymous", "[authentication]") {
  TestCluster cluster;
  auto chain = make_authenticator_chain({});
  Identity who = *chain->authenticate(cluster.context, {}).value();
  CHECK(who.user == "system:anonymous");
  CHECK(who.groups == std::vector<std::string>{"system:unauthenticated"});
}

TEST_CASE("a front proxy speaks for others only with its own certificate", "[authentication]") {
  TestCluster cluster;
  WallTime now = cluster.context.clock().wall();
  TestAuthority authority("front", now);
  TestAuthority clients("clients", now);
  auto proxy = make_front_proxy_authenticator(authority.certificate, {"system:auth-proxy"});

  http::Request request = with_certificate(authority.issue("system:auth-proxy", {}, now, std::chrono::hours(1)));
  request.headers.add("X-Remote-User", "alice");
  request.headers.add("X-Remote-Uid", "u1");
  request.headers.add("X-Remote-Group", "dev");
  request.headers.add("X-Remote-Group", "ops");
  request.headers.add("X-Remote-Extra-Acme.com%2Fproject", "p");
  Identity who = *proxy->authenticate(cluster.context, request).value();
  CHECK(who.user == "alice");
  CHECK(who.uid == "u1");
  CHECK(who.groups == std::vector<std::string>{"dev", "ops"});
  CHECK(who.extra == std::map<std::string, std::vector<std::string>>{{"acme.com/project", {"p"}}});

  request.peer.certificates_pem = {clients.issue("mallory", {}, now, std::chrono::hours(1))};
  CHECK_FALSE(proxy->authenticate(cluster.context, request).value().has_value());
  request.peer.certificates_pem = {authority.issue("other", {}, now, std::chrono::hours(1))};
  CHECK_FALSE(proxy->authenticate(cluster.context, request).ok());
  request.peer.certificates_pem.clear();
  CHECK_FALSE(proxy->authenticate(cluster.context, request).value().has_value());
}

TEST_CASE("a passwd file is read line by line", "[authentication]") {
  std::vector<PasswdEntry> entries = read_passwd(kPasswd).value();
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].user == "server");
  CHECK(entries[1].groups == std::vector<std::string>{"k3s:agent", "extra"});
  CHECK(read_passwd("a,b").error().message() == "passwd line 1: expected password,user,uid[,groups]");
  CHECK(read_passwd("\n,b,c").error().message() == "passwd line 2: password and user must not be empty");
  CHECK(read_passwd("a,b,c,\"x").error().message() == "passwd line 1: a quote is not closed");
}

TEST_CASE("passwords are taken as basic credentials and bearer tokens", "[authentication]") {
  TestCluster cluster;
  auto tokens = only_tokens(make_passwd_tokens(read_passwd(kPasswd).value(), {"api"}));
  std::vector<std::unique_ptr<Authenticator>> authenticators;
  authenticators.push_back(make_basic_authenticator(read_passwd(kPasswd).value()));
  authenticators.push_back(make_bearer_authenticator(*tokens));
  auto chain = make_authenticator_chain(std::move(authenticators));
  auto user_of = [&](const std::string& authorization) -> std::string {
    Result<std::optional<Identity>> who = chain->authenticate(cluster.context, with_authorization(authorization));
    return who.ok() ? (*who)->user : std::to_string(who.error().code());
  };
  CHECK(user_of("Basic " + base64_encode("server:s3cret")) == "server");
  CHECK(user_of("basic " + base64_encode("node:agent-pw")) == "node");
  CHECK(user_of("Basic " + base64_encode("node:s3cret")) == "401");
  CHECK(user_of("Basic ???") == "401");
  CHECK(user_of("Bearer s3cret") == "server");
  CHECK(user_of("bearer agent-pw") == "node");
  CHECK(user_of("Bearer K10" + std::string(64, 'a') + "::node:agent-pw") == "node");
  CHECK(user_of("Bearer K10" + std::string(64, 'a') + "::server:agent-pw") == "401");
  CHECK(user_of("Bearer nope") == "401");
}

TEST_CASE("a bearer token may come as a WebSocket subprotocol", "[authentication]") {
  TestCluster cluster;
  auto tokens = only_tokens(make_passwd_tokens(read_passwd(kPasswd).value(), {"api"}));
  auto bearer = make_bearer_authenticator(*tokens);
  const std::string good = "base64url.bearer.authorization.k8s.io." + base64url_encode("s3cret");
  http::Request request;
  request.method = "GET";
  request.headers = {{"Connection", "Upgrade"}, {"Upgrade", "websocket"}};
  const auto user_of = [&](const std::string& protocols) -> std::string {
    request.headers.set("Sec-WebSocket-Protocol", protocols);
    const auto answer = bearer->authenticate(cluster.context, request);
    if (!answer.ok()) return answer.error().reason() == Reason::Unauthorized ? "401" : answer.error().message();
    return *answer ? (*answer)->user : "";
  };
  CHECK(user_of("v5.channel.k8s.io, " + good) == "server");
  CHECK(user_of(good + ",v5.channel.k8s.io") == "server");
  CHECK(user_of("v5.channel.k8s.io").empty());
  // Nothing would be left for the answer to name.
  CHECK(user_of(good) == "401");
  CHECK(user_of("a, " + good + ", " + good) == "401");
  CHECK(user_of("a, base64url.bearer.authorization.k8s.io.***") == "401");
  CHECK(user_of("a, base64url.bearer.authorization.k8s.io.bm9wZQ") == "401");
  // Where WebSocket is not asked for, the field says nothing.
  request.headers.remove("Upgrade");
  CHECK(user_of("a, " + good).empty());
}

TEST_CASE("a bad bearer beside a good certificate does not matter", "[authentication]") {
  TestCluster cluster;
  WallTime now = cluster.context.clock().wall();
  TestAuthority authority("ca", now);
  auto tokens = only_tokens(make_passwd_tokens(read_passwd(kPasswd).value(), {"api"}));
  std::vector<std::unique_ptr<Authenticator>> authenticators;
  authenticators.push_back(make_bearer_authenticator(*tokens));
  authenticators.push_back(make_certificate_authenticator(authority.certificate));
  auto chain = make_authenticator_chain(std::move(authenticators));
  http::Request request = with_certificate(authority.issue("alice", {}, now, std::chrono::hours(1)));
  request.headers.set("Authorization", "Bearer nope");
  CHECK((*chain->authenticate(cluster.context, request).value()).user == "alice");
}

TEST_CASE("bootstrap tokens live in Secrets", "[authentication]") {
  TestCluster cluster;
  auto put = [&](const std::string& usage, const std::string& expiration, const std::string& groups) {
    auto text = [](const std::string& plain) { return "\"" + base64_encode(plain) + "\""; };
    cluster.put(R"({"apiVersion":"v1","kind":"Secret","type":"bootstrap.kubernetes.io/token",
      "metadata":{"name":"bootstrap-token-abcdef","namespace":"kube-system"},"data":{"token-id":)" +
                text("abcdef") + R"(,"token-secret":)" + text("0123456789abcdef") +
                R"(,"usage-bootstrap-authentication":)" + text(usage) + R"(,"expiration":)" + text(expiration) +
                R"(,"auth-extra-groups":)" + text(groups) + "}}");
  };
  auto tokens = make_bootstrap_tokens(cluster.objects, {"api"});
  auto known = [&](std::string_view token) {
    Result<std::optional<TokenAnswer>> answer = tokens->authenticate_token(cluster.context, token, {});
    return answer.ok() && answer->has_value();
  };
  put("true", format_time(cluster.context.clock().wall() + std::chrono::hours(1)), "system:bootstrappers:k3s:x");
  TokenAnswer answer = *tokens->authenticate_token(cluster.context, "abcdef.0123456789abcdef", {}).value();
  CHECK(answer.who.user == "system:bootstrap:abcdef");
  CHECK(answer.who.groups == std::vector<std::string>{"system:bootstrappers", "system:bootstrappers:k3s:x"});
  CHECK_FALSE(known("abcdef.0123456789abcdee"));
  CHECK_FALSE(known("abcdeg.0123456789abcdef"));
  CHECK_FALSE(known("ABCDEF.0123456789abcdef"));
  put("true", format_time(cluster.context.clock().wall() - std::chrono::hours(1)), "");
  CHECK_FALSE(known("abcdef.0123456789abcdef"));
  put("false", "", "");
  CHECK_FALSE(known("abcdef.0123456789abcdef"));
  put("true", "", "system:masters");
  CHECK_FALSE(known("abcdef.0123456789abcdef"));
  put("true", "", "");
  CHECK(known("abcdef.0123456789abcdef"));
}

}  // namespace coracle::kube::apiserver
