#include "base/tls/tls.h"

#include <catch2/catch.hpp>

#include "base/tls/crypto.h"

namespace coracle::tls {
namespace {

using std::chrono::hours;

const WallTime kStart{std::chrono::seconds(1'800'000'000)};

CertificateRequest request_for(std::string name, Usage usage) {
  CertificateRequest request;
  request.subject = {std::move(name), {"system:masters", "another, with \"marks\""}};
  request.usage = usage;
  request.not_before = kStart;
  request.not_after = kStart + hours(24);
  return request;
}

struct Authority {
  std::string key = make_ec_key().value();
  std::string certificate;
  explicit Authority(const std::string& name) {
    certificate = make_authority(request_for(name, Usage::Authority), key).value();
  }
};

TEST_CASE("a leaf carries what was asked for") {
  const Authority authority("k3s-server-ca@1");
  CHECK(inspect_certificate(authority.certificate)->authority);
  CHECK(key_matches_certificate(authority.key, authority.certificate));

  const std::string key = make_ec_key().value();
  CHECK(key.rfind("-----BEGIN EC PRIVATE KEY-----", 0) == 0);
  // Names of nodes and service accounts exceed the 64 characters of X.520.
  const std::string long_name = "system:serviceaccount:" + std::string(120, 'n') + ":default";
  auto request = request_for(long_name, Usage::ServerAndClient);
  request.dns_names = {"kubernetes", "kubernetes.default.svc.cluster.local"};
  request.ip_addresses = {"10.43.0.1", "fd00::1"};
  request.subject.uids = {"a-uid"};
  const std::string leaf = issue_certificate(request, key, authority.certificate, authority.key).value();
  const CertificateInfo info = inspect_certificate(leaf).value();
  CHECK(info.subject.common_name == long_name);
  CHECK(info.subject.organizations.size() == 2);
  CHECK(info.subject.uids == request.subject.uids);
  CHECK(std::count(info.subject.organizations.begin(), info.subject.organizations.end(), "another, with \"marks\"") ==
        1);
  CHECK(info.dns_names == request.dns_names);
  CHECK(info.ip_addresses == request.ip_addresses);
  CHECK(info.not_before == kStart);
  CHECK(info.not_after == kStart + hours(24));
  CHECK_FALSE(info.authority);
  CHECK(info.sha256.size() == 64);
  CHECK(key_matches_certificate(key, leaf));
  CHECK_FALSE(key_matches_certificate(authority.key, leaf));
}

TEST_CASE("wrong certificate requests are refused with their cause") {
  const Authority authority("ca");
  const std::string key = make_ec_key().value();
  auto request = request_for("x", Usage::Client);
  request.ip_addresses = {"10.0.0.256"};
  const auto bad_address = issue_certificate(request, key, authority.certificate, authority.key);
  REQUIRE_FALSE(bad_address.ok());
  CHECK(bad_address.error().message().find("10.0.0.256") != std::string::npos);

  request = request_for("x", Usage::Client);
  request.not_after = request.not_before;
  CHECK_FALSE(issue_certificate(request, key, authority.certificate, authority.key).ok());
  CHECK_FALSE(issue_certificate(request_for("x", Usage::Client), key, authority.certificate, key).ok());
  CHECK_FALSE(issue_certificate(request_for("x", Usage::Client), "", authority.certificate, authority.key).ok());
  const auto none = inspect_certificate("no certificate");
  REQUIRE_FALSE(none.ok());
  CHECK(none.error().reason() == Reason::Corrupt);
  CHECK_FALSE(inspect_certificate("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").ok());
}

TEST_CASE("client chains are checked for authority, time and purpose") {
  const Authority authority("client-ca");
  const Authority stranger("client-ca");
  const std::string key = make_ec_key().value();
  const auto issue = [&](Usage usage) {
    return issue_certificate(request_for("admin", usage), key, authority.certificate, authority.key).value();
  };
  const std::string leaf = issue(Usage::Client);
  const WallTime now = kStart + hours(1);
  CHECK(verify_client_chain({leaf}, authority.certificate, now)->subject.common_name == "admin");
  CHECK(verify_client_chain({leaf}, stranger.certificate + authority.certificate, now).ok());

  const auto refused = [](const Result<CertificateInfo>& result) {
    return !result.ok() && result.error().reason() == Reason::Unauthorized;
  };
  CHECK(refused(verify_client_chain({leaf}, stranger.certificate, now)));
  CHECK(refused(verify_client_chain({leaf}, "", now)));
  CHECK(refused(verify_client_chain({}, authority.certificate, now)));
  CHECK(refused(verify_client_chain({leaf}, authority.certificate, kStart - hours(1))));
  CHECK(refused(verify_client_chain({leaf}, authority.certificate, kStart + hours(25))));
  CHECK(refused(verify_client_chain({issue(Usage::Server)}, authority.certificate, now)));
  CHECK(verify_client_chain({issue(Usage::ServerAndClient)}, authority.certificate, now).ok());
}

TEST_CASE("server credentials are replaced whole or not at all") {
  const Authority authority("server-ca");
  const std::string key = make_ec_key().value();
  const std::string leaf =
      issue_certificate(request_for("s", Usage::Server), key, authority.certificate, authority.key).value();
  CHECK_FALSE(make_server_credentials(leaf, authority.key, true).ok());
  CHECK_FALSE(make_server_credentials("", key, true).ok());
  CHECK_FALSE(make_server_credentials(leaf, "", true).ok());
  const auto credentials = make_server_credentials(leaf + authority.certificate, key, true).value();
  CHECK(credentials->replace(leaf, key).ok());
  const auto mismatch = credentials->replace(leaf, authority.key);
  REQUIRE_FALSE(mismatch.ok());
  CHECK(mismatch.error().reason() == Reason::BadRequest);
}

}  // namespace
}  // namespace coracle::tls
