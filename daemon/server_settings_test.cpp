#include "daemon/server_settings.h"

#include <catch2/catch.hpp>

#include "base/files.h"
#include "base/testing/temporary_folder.h"

namespace coracle::daemon {
namespace {

Result<ServerSettings> server_settings(std::vector<std::string> arguments) {
  const SettingSources nothing{[](std::string_view) { return std::nullopt; },
                               [](const std::string&) { return Error(Reason::NotFound, "no such file"); },
                               [](const std::string&) { return std::vector<std::string>(); }};
  arguments.insert(arguments.end(), {"--data-dir", "/data", "--node-ip", "192.0.2.7"});
  ASSIGN_OR_RETURN(const Settings settings, Settings::read(kServer, arguments, nothing));
  return make_server_settings(settings);
}

std::string error_text(std::vector<std::string> arguments) {
  const Result<ServerSettings> settings = server_settings(std::move(arguments));
  return settings.ok() ? "" : settings.error().message();
}

TEST_CASE("the settings of a server follow from each other") {
  const ServerSettings settings = server_settings({}).value();
  CHECK(settings.port == 6443);
  CHECK(settings.advertise_port == 6443);
  CHECK(settings.advertise_address == "192.0.2.7");
  CHECK(settings.kubeconfig.mode == 0600);

  const ServerSettings other = server_settings({"--service-cidr", "10.96.0.0/12", "--https-listen-port=7443",
                                                "--service-node-port-range=40000-40100", "--write-kubeconfig-mode=0640",
                                                "--node-external-ip", "198.51.100.1"})
                                   .value();
  CHECK(other.advertise_port == 7443);
  CHECK(other.node_port_first == 40000);
  CHECK(other.node_port_last == 40100);
  CHECK(other.kubeconfig.mode == 0640);
  CHECK(other.advertise_address == "198.51.100.1");
  CHECK(other.tls_san == std::vector<std::string>{"192.0.2.7", "198.51.100.1"});
}

TEST_CASE("a wrong value is one line that names its flag") {
  CHECK(error_text({"--https-listen-port", "70000"}) ==
        "--https-listen-port: expected a port from 1 to 65535, found 70000");
  for (const std::string range : {"30000", "30000-", "-30000", "0-10", "20-10", "1-65536", "1-2-3"}) {
    INFO(range);
    CHECK(error_text({"--service-node-port-range", range}) ==
          "--service-node-port-range: expected <first>-<last> such as 30000-32767, found \"" + range + "\"");
  }
  for (const std::string mode : {"rw", "0888", "01777"}) {
    INFO(mode);
    CHECK(error_text({"--write-kubeconfig-mode", mode}) ==
          "--write-kubeconfig-mode: expected a mode such as 0600, found \"" + mode + "\"");
  }
  CHECK(error_text({"--node-ip", "here"}) == "--node-ip: expected an IP address, found \"here\"");
  CHECK(error_text({"--bind-address", "here"}) == "--bind-address: expected an IP address, found \"here\"");
  CHECK(error_text({"--cluster-dns", "dns"}) == "--cluster-dns: expected an IP address, found \"dns\"");
  CHECK(error_text({"--service-cidr", "10.43.0.0"}) ==
        "--service-cidr: \"10.43.0.0\": expected a network such as 10.43.0.0/16");
  CHECK(error_text({"--service-cidr", "10.43.0.0/16,fd00::/112"}) ==
        "--service-cidr: expected one network; two families are not built in");
  CHECK(error_text({"--gitops-local-root", "repos"}) ==
        "--gitops-local-root: expected an absolute path, found \"repos\"");
  CHECK(error_text({"--gitops-url", "https://git.example.com/a", "--disable-gitops"}) ==
        "--gitops-url: nothing would follow it with --disable-gitops");
  CHECK(error_text({"--gitops-interval", "often"}).starts_with("--gitops-interval: "));
}

TEST_CASE("a token comes from its setting, or without line ends from its file") {
  const testing::TemporaryFolder folder;
  const std::string path = folder.file("token");
  REQUIRE(write_file_atomic(path, "of-the-file\n", 0600).ok());
  CHECK(server_settings({"--token-file", path}).value().token == "of-the-file");
  CHECK(server_settings({"--token", "given", "--token-file", path}).value().token == "given");
  CHECK_FALSE(server_settings({}).value().token.has_value());
  CHECK(error_text({"--agent-token-file", folder.file("missing")}).starts_with("--agent-token-file: "));
}

}  // namespace
}  // namespace coracle::daemon
