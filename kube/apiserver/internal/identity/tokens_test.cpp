#include <catch2/catch.hpp>

#include "base/encoding.h"
#include "base/tls/tls.h"
#include "kube/apiserver/internal/identity/identity_test_support.h"
#include "kube/apiserver/internal/identity/tokens_authenticator.h"

namespace coracle::kube::apiserver {
namespace {

using testing::TestCluster;

// Half of a pair whose other half nobody has kept.
constexpr const char* kRsaPublicKey = R"(-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAsQmdZWvfWQYryW526geE
n+7wOlynRId9DmbQhPhRnjiaz3vNQW0GSEvoB0rXHODlvlDtxhBUJ4+AV6hTqZ4Z
f10MuYWo2819Zx1VxyUJeQ4ziBZDsdMgBooa1T0V+UGgxgWEkneuX7j434tdDyTk
5xAToCvBj24TpGh7Y/TbYNLLEUStHjL0aHY0vSrmETArVHxf7e2OZW5CzuF1+jYA
try5vTfUyN17VqiC0TuPZmRJ1a3pCvlfPbjFbUpLz52cUtrfo1BpguALC84KPV2W
sy0i7TMKQm5z0hU/l1aYZ6J3y8p6jAb3B/bVw38UBpCo4uD6PrDyNB4tNjbIxnbY
3QIDAQAB
-----END PUBLIC KEY-----
)";

TokenSettings settings_with(const std::string& key) {
  TokenSettings settings;
  settings.issuer = "https://issuer";
  settings.audiences = {"https://issuer", "k3s"};
  settings.signing_key_pem = key;
  return settings;
}

ServiceAccountClaims claims_at(WallTime now) {
  ServiceAccountClaims claims;
  claims.audiences = {"https://issuer"};
  claims.token_id = "6088e58d-a35c-456c-97aa-2370d76149dd";
  claims.namespace_ = "a";
  claims.service_account = {"robot", "uid-robot"};
  claims.issued_at = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  claims.not_before = claims.issued_at;
  claims.expires = claims.issued_at + 3600;
  return claims;
}

struct TokenFixture {
  TestCluster cluster;
  TokenAuthority authority;
  ServiceAccountTokens tokens;

  explicit TokenFixture(const std::string& key = tls::make_ec_key().value())
      : authority(TokenAuthority::make(settings_with(key)).value()), tokens(authority, cluster.objects) {
    cluster.put(R"({"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"robot","namespace":"a"}})");
    cluster.put(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"a"},"spec":{"nodeName":"n"}})");
    cluster.put(R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"s","namespace":"a"}})");
    cluster.put(R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"n"}})");
  }
  ServiceAccountClaims claims() const { return claims_at(cluster.context.clock().wall()); }
  std::string fault(const std::string& token, std::vector<std::string> audiences = {}) {
    Result<std::optional<TokenAnswer>> answer = tokens.authenticate_token(cluster.context, token, audiences);
    if (!answer.ok()) return answer.error().message();
    return *answer ? "" : "unknown";
  }
};

}  // namespace

TEST_CASE("a token that we sign is ours, with either kind of key", "[tokens]") {
  for (const std::string& key : {tls::make_ec_key().value(), tls::make_rsa_key().value()}) {
    TokenFixture fixture(key);
    std::string token = fixture.authority.sign(fixture.claims()).value();
    Result<std::optional<TokenAnswer>> answer = fixture.tokens.authenticate_token(fixture.cluster.context, token, {});
    REQUIRE(answer.ok());
    const Identity& who = (*answer)->who;
    CHECK(who.user == "system:serviceaccount:a:robot");
    CHECK(who.uid == "uid-robot");
    CHECK(who.groups == std::vector<std::string>{"system:serviceaccounts", "system:serviceaccounts:a"});
    CHECK(who.extra.at("authentication.kubernetes.io/credential-id").front() ==
          "JTI=6088e58d-a35c-456c-97aa-2370d76149dd");
    CHECK((*answer)->audiences == std::vector<std::string>{"https://issuer"});
  }
}

TEST_CASE("claims are printed as upstream prints them", "[tokens]") {
  TokenFixture fixture;
  ServiceAccountClaims claims = fixture.claims();
  claims.pod = NamedReference{"p", "uid-p"};
  claims.node = NamedReference{"n", ""};
  claims.warn_after = claims.expires;
  std::string token = fixture.authority.sign(claims).value();
  std::size_t first = token.find('.');
  std::string part = token.substr(first + 1, token.find('.', first + 1) - first - 1);
  std::string payload = base64url_decode(part).value();
  CHECK(payload ==
        R"({"aud":["https://issuer"],"exp":1800003600,"iat":1800000000,"iss":"https://issuer",)"
        R"("jti":"6088e58d-a35c-456c-97aa-2370d76149dd","kubernetes.io":{"namespace":"a","node":{"name":"n"},)"
        R"("pod":{"name":"p","uid":"uid-p"},"serviceaccount":{"name":"robot","uid":"uid-robot"},)"
        R"("warnafter":1800003600},)"
        R"("nbf":1800000000,"sub":"system:serviceaccount:a:robot"})");
}

TEST_CASE("tokens end with their time, audience and objects", "[tokens]") {
  TokenFixture fixture;
  ServiceAccountClaims claims = fixture.claims();

  CHECK(fixture.fault(fixture.authority.sign(claims).value(), {"k3s"}) ==
        "token audiences [\"https://issuer\"] is invalid for the target audiences [\"k3s\"]");
  claims.expires = claims.issued_at - 1;
  CHECK(fixture.fault(fixture.authority.sign(claims).value()) == "service account token has expired");
  claims = fixture.claims();
  claims.not_before += 61;
  CHECK(fixture.fault(fixture.authority.sign(claims).value()) == "service account token is not valid yet");

  claims = fixture.claims();
  claims.service_account.uid = "older";
  CHECK(fixture.fault(fixture.authority.sign(claims).value()) ==
        "the service account a/robot is not the one of the token");
  claims = fixture.claims();
  claims.pod = NamedReference{"p", "uid-p"};
  std::string bound = fixture.authority.sign(claims).value();
  CHECK(fixture.fault(bound).empty());
  fixture.cluster.store.erase(fixture.cluster.resource("", "pods"), "a", "p");
  CHECK(fixture.fault(bound) == "the pod a/p of the token does not exist");

  claims = fixture.claims();
  claims.node = NamedReference{"n", "uid-n"};
  CHECK(fixture.fault(fixture.authority.sign(claims).value()).empty());
  claims.secret = NamedReference{"s", "wrong"};
  CHECK(fixture.fault(fixture.authority.sign(claims).value()) == "the secret a/s is not the one of the token");

  std::string last = fixture.authority.sign(fixture.claims()).value();
  CHECK(fixture.fault(last).empty());
  fixture.cluster.store.erase(fixture.cluster.resource("", "serviceaccounts"), "a", "robot");
  CHECK(fixture.fault(last) == "the service account a/robot of the token does not exist");
}

TEST_CASE("an object that is being deleted keeps its tokens for a minute", "[tokens]") {
  TokenFixture fixture;
  std::string token = fixture.authority.sign(fixture.claims()).value();
  auto mark = [&](std::chrono::seconds ago) {
    std::string since = format_time(fixture.cluster.context.clock().wall() - ago);
    fixture.cluster.put(R"({"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"robot","namespace":"a",
      "deletionTimestamp":")" +
                        since + "\"}}");
  };
  mark(std::chrono::seconds(30));
  CHECK(fixture.fault(token).empty());
  mark(std::chrono::seconds(61));
  CHECK(fixture.fault(token) == "the service account a/robot of the token has been deleted");
}

TEST_CASE("foreign and forged tokens", "[tokens]") {
  TokenFixture fixture;
  TokenFixture other;
  std::string forged = other.authority.sign(other.claims()).value();
  CHECK(fixture.fault(forged) == "service account token has no valid signature");
  CHECK(fixture.fault("not.a.token") == "unknown");
  CHECK(fixture.fault("abc") == "unknown");

  std::string token = fixture.authority.sign(fixture.claims()).value();
  std::string payload = token.substr(token.find('.'));
  std::string none = base64url_encode(R"({"alg":"none"})") + payload.substr(0, payload.rfind('.') + 1);
  CHECK(fixture.fault(none) == "service account token has no valid signature");
  std::string changed = token;
  changed[token.find('.') + 5] = changed[token.find('.') + 5] == 'A' ? 'B' : 'A';
  CHECK_FALSE(fixture.fault(changed).empty());

  TokenSettings settings = settings_with(tls::make_ec_key().value());
  settings.issuer = "https://elsewhere";
  TokenAuthority elsewhere = TokenAuthority::make(settings).value();
  CHECK(fixture.fault(elsewhere.sign(fixture.claims()).value()) == "unknown");
}

TEST_CASE("an old key still verifies after a change of keys", "[tokens]") {
  std::string old_key = tls::make_ec_key().value();
  TokenFixture old_fixture(old_key);
  std::string token = old_fixture.authority.sign(old_fixture.claims()).value();
  TokenFixture fixture(tls::make_ec_key().value() + old_key);
  CHECK(fixture.fault(token).empty());
  // And the first key is the one that signs.
  CHECK(old_fixture.fault(fixture.authority.sign(fixture.claims()).value()) ==
        "service account token has no valid signature");
}

TEST_CASE("a legacy token lives as long as its Secret holds it", "[tokens]") {
  TokenFixture fixture;
  ServiceAccountClaims claims = fixture.claims();
  claims.secret = NamedReference{"legacy", ""};
  std::string token = fixture.authority.sign_legacy(claims).value();
  CHECK(fixture.fault(token) == "the service account token has been invalidated");
  auto put = [&](const std::string& text) {
    fixture.cluster.put(R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"legacy","namespace":"a"},
      "data":{"token":")" +
                        base64_encode(text) + "\"}}");
  };
  put(token);
  CHECK(fixture.fault(token).empty());
  fixture.cluster.put(R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"legacy","namespace":"a",
    "labels":{"kubernetes.io/legacy-token-invalid-since":"2026-01-01"}},"data":{"token":")" +
                      base64_encode(token) + "\"}}");
  CHECK(fixture.fault(token) ==
        "the token in secret a/legacy for service account a/robot has been marked invalid. Use tokens from the "
        "TokenRequest API or manually created secret-based tokens, or remove the "
        "'kubernetes.io/legacy-token-invalid-since' label from the secret to temporarily allow use of this token");
  put("something else");
  CHECK(fixture.fault(token) == "the service account token does not match its secret");
}

TEST_CASE("the discovery documents name issuer and keys", "[tokens]") {
  TokenSettings settings = settings_with("");
  settings.verify_keys_pem = {kRsaPublicKey};
  TokenAuthority rsa = TokenAuthority::make(settings).value();
  CHECK(rsa.discovery_document("https://h:6443/openid/v1/jwks") ==
        R"({"issuer":"https://issuer","jwks_uri":"https://h:6443/openid/v1/jwks",)"
        R"("response_types_supported":["id_token"],)"
        R"("subject_types_supported":["public"],"id_token_signing_alg_values_supported":["RS256"]})");
  Value key = json::read(rsa.key_set_document().value()).value()["keys"].at(0);
  CHECK(key["kty"].as_string() == "RSA");
  CHECK(key["kid"].as_string() == "9uG-QF2gjiwg-cKmfz7yWZ7eiEVz_i9ZovzE5oUS1y8");
  CHECK(key["e"].as_string() == "AQAB");
  CHECK(key["n"].as_string() ==
        "sQmdZWvfWQYryW526geEn-7wOlynRId9DmbQhPhRnjiaz3vNQW0GSEvoB0rXHODlvlDtxhBUJ4-AV6hTqZ4Zf10MuY"
        "Wo2819Zx1VxyUJeQ4ziBZDsdMgBooa1T0V-UGgxgWEkneuX7j434tdDyTk5xAToCvBj24TpGh7Y_TbYNLLEUStHjL0"
        "aHY0vSrmETArVHxf7e2OZW5CzuF1-jYAtry5vTfUyN17VqiC0TuPZmRJ1a3pCvlfPbjFbUpLz52cUtrfo1BpguALC8"
        "4KPV2Wsy0i7TMKQm5z0hU_l1aYZ6J3y8p6jAb3B_bVw38UBpCo4uD6PrDyNB4tNjbIxnbY3Q");

  TokenAuthority ec = TokenAuthority::make(settings_with(tls::make_ec_key().value())).value();
  Value point = json::read(ec.key_set_document().value()).value()["keys"].at(0);
  CHECK(point["crv"].as_string() == "P-256");
  CHECK(base64url_decode(point["x"].as_string()).value().size() == 32);
  CHECK(base64url_decode(point["y"].as_string()).value().size() == 32);
}

TEST_CASE("a key that cannot be read is an error that says where", "[tokens]") {
  TokenSettings settings = settings_with("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n");
  Result<TokenAuthority> made = TokenAuthority::make(settings);
  REQUIRE_FALSE(made.ok());
  CHECK(made.error().message().rfind("service account signing key: ", 0) == 0);
}

}  // namespace coracle::kube::apiserver
