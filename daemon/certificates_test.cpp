#include "daemon/certificates.h"

#include <catch2/catch.hpp>

#include "base/files.h"
#include "base/testing/temporary_folder.h"
#include "base/tls/tls.h"
#include "daemon/kubeconfig.h"
#include "daemon/tokens.h"

namespace coracle::daemon {
namespace {

const WallTime kNow = parse_time("2026-01-01T00:00:00Z").value();
const Logger kQuiet(null_log_sink(), "test");

// A data folder of its own for each test.
struct Folder {
  std::string read(const std::string& path) const { return read_file(path, 1 << 20).value(); }

  testing::TemporaryFolder folder;
  Layout layout{folder.path()};
};

// Warnings and errors, each with its fields on a line.
class Complaints : public LogSink {
 public:
  bool enabled(LogLevel level) const override { return level >= LogLevel::Warning; }
  void write(const LogRecord& record) override {
    text.append(record.message);
    for (const LogField& field : record.fields) text.append(" ").append(field.key).append("=").append(field.value);
    text.append("\n");
  }

  std::string text;
};

}  // namespace

TEST_CASE("no certificates are made by a clock that nobody has set") {
  const Folder folder;
  const auto made = ensure_certificates(folder.layout, {}, parse_time("1970-01-01T00:01:00Z").value(), kQuiet);
  REQUIRE_FALSE(made.ok());
  CHECK(made.error().message().find("1970-01-01T00:01:00Z") != std::string::npos);
  CHECK_FALSE(file_info(folder.layout.tls("server-ca.key")).ok());
  CHECK(ensure_certificates(folder.layout, {}, parse_time("1980-01-01T00:00:00Z").value(), kQuiet).ok());
}

TEST_CASE("certificates are made once and kept") {
  const Folder folder;
  const CertificateNames names{{"kubernetes.default.svc"}, {"10.43.0.1"}};
  const Certificates first = ensure_certificates(folder.layout, names, kNow, kQuiet).value();
  const Certificates again = ensure_certificates(folder.layout, names, kNow, kQuiet).value();
  CHECK(first.serving.certificate_pem == again.serving.certificate_pem);
  CHECK(first.service_key_pem == again.service_key_pem);
  CHECK(file_info(folder.layout.tls("server-ca.key"))->mode == 0600);

  const tls::CertificateInfo admin = tls::inspect_certificate(first.admin.certificate_pem).value();
  CHECK(admin.subject.common_name == "system:admin");
  CHECK(admin.subject.organizations == std::vector<std::string>{"system:masters"});
  CHECK(
      tls::verify_client_chain(pem_blocks(first.admin.certificate_pem, "CERTIFICATE"), first.client_ca_pem, kNow).ok());
  CHECK_FALSE(
      tls::verify_client_chain(pem_blocks(first.admin.certificate_pem, "CERTIFICATE"), first.server_ca_pem, kNow).ok());
}

TEST_CASE("a leaf is issued again near its end or for a new name, with its key") {
  const Folder folder;
  const Certificates first = ensure_certificates(folder.layout, {}, kNow, kQuiet).value();
  const Certificates named = ensure_certificates(folder.layout, {{"new.example.com"}, {}}, kNow, kQuiet).value();
  CHECK(named.serving.certificate_pem != first.serving.certificate_pem);
  CHECK(named.serving.key_pem == first.serving.key_pem);
  CHECK(named.admin.certificate_pem == first.admin.certificate_pem);
  const WallTime later = kNow + std::chrono::hours(24 * 300);
  const Certificates renewed = ensure_certificates(folder.layout, {}, later, kQuiet).value();
  CHECK(renewed.admin.certificate_pem != first.admin.certificate_pem);
  CHECK(renewed.client_ca_pem == first.client_ca_pem);
}

TEST_CASE("an authority that ends is told of") {
  const Folder folder;
  const auto said = std::make_shared<Complaints>();
  const Logger log(said, "test");
  REQUIRE(ensure_certificates(folder.layout, {}, kNow, log).ok());
  CHECK(said->text.empty());
  REQUIRE(ensure_certificates(folder.layout, {}, kNow + std::chrono::hours(24 * 3600), log).ok());
  CHECK_THAT(said->text, Catch::Contains("server-ca.crt days=50"));
  REQUIRE(ensure_certificates(folder.layout, {}, kNow + std::chrono::hours(24 * 3660), log).ok());
  CHECK_THAT(said->text, Catch::Contains("server-ca.crt days_ago=10"));
}

TEST_CASE("an unreadable key is named") {
  const Folder folder;
  REQUIRE(ensure_certificates(folder.layout, {}, kNow, kQuiet).ok());
  REQUIRE(write_file_atomic(folder.layout.tls("client-admin.key"), "", 0600).ok());
  CHECK_THAT(ensure_certificates(folder.layout, {}, kNow, kQuiet).error().message(),
             Catch::Contains("client-admin.key: "));
}

TEST_CASE("a key that does not belong to its authority is named") {
  const Folder folder;
  REQUIRE(ensure_certificates(folder.layout, {}, kNow, kQuiet).ok());
  REQUIRE(write_file_atomic(folder.layout.tls("client-ca.key"), tls::make_ec_key().value(), 0600).ok());
  const Result<Certificates> broken = ensure_certificates(folder.layout, {}, kNow, kQuiet);
  REQUIRE_FALSE(broken.ok());
  CHECK(broken.error().message().find("client-ca.crt: does not belong to") != std::string::npos);
}

TEST_CASE("tokens survive restarts, and a configured one wins") {
  const Folder folder;
  const auto random = seeded_random(1);
  const ServerTokens made = ensure_tokens(folder.layout, {}, {}, "CA", *random).value();
  CHECK(made.server.password.size() == 32);
  CHECK(folder.read(folder.layout.node_token()) == made.server.text() + "\n");
  CHECK(file_info(folder.layout.token())->mode == 0600);
  CHECK(ensure_tokens(folder.layout, {}, {}, "CA", *random)->server.password == made.server.password);

  const ServerTokens configured = ensure_tokens(folder.layout, "secret", "for-agents", "CA", *random).value();
  CHECK(configured.server.password == "secret");
  CHECK(configured.agent.password == "for-agents");
  CHECK(folder.read(folder.layout.cred("passwd")) ==
        "for-agents,node,node,k3s:agent\nsecret,server,server,k3s:server\n");

  const std::string joe = "pw,joe,joe,\"g1,g2\"\n";
  REQUIRE(write_file_atomic(folder.layout.cred("passwd"), joe, 0600).ok());
  REQUIRE(ensure_tokens(folder.layout, "secret", "other", "CA", *random).ok());
  CHECK(folder.read(folder.layout.cred("passwd")) ==
        "other,node,node,k3s:agent\nsecret,server,server,k3s:server\n" + joe);
}

TEST_CASE("join tokens are read in both forms and checked against the authority") {
  const std::string hash = server_ca_hash("CA");
  const JoinToken full = parse_join_token("K10" + hash + "::server:pass:word").value();
  CHECK(full.user == "server");
  CHECK(full.password == "pass:word");
  CHECK(parse_join_token("just-a-password")->ca_hash.empty());
  CHECK_FALSE(parse_join_token("").ok());
  CHECK_FALSE(parse_join_token("K10abc::server:x").ok());

  const Folder folder;
  const auto random = seeded_random(1);
  const Result<ServerTokens> foreign = ensure_tokens(folder.layout, full.text(), {}, "another CA", *random);
  REQUIRE_FALSE(foreign.ok());
  CHECK(foreign.error().message().find("pass:word") == std::string::npos);
}

TEST_CASE("a kubeconfig has k3s's form and mode") {
  const Folder folder;
  const std::string text = kubeconfig_text("https://127.0.0.1:6443", "CA", {"CERT", "KEY"});
  CHECK(text.find("    server: https://127.0.0.1:6443\n  name: default\n") != std::string::npos);
  const std::string path = folder.layout.data_dir + "/etc/k3s.yaml";
  REQUIRE(write_kubeconfig({.path = path, .mode = 0640, .group = ""}, text).ok());
  CHECK(file_info(path)->mode == 0640);
}

}  // namespace coracle::daemon
