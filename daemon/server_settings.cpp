#include "daemon/server_settings.h"

#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <utility>

#include "base/files.h"
#include "base/ip.h"
#include "base/text.h"
#include "daemon/host.h"
#include "daemon/tokens.h"

namespace coracle::daemon {
namespace {

Result<std::uint16_t> port_of(const Settings& settings, std::string_view name) {
  const std::int64_t port = settings.number(name);
  if (port < 1 || port > 65535) {
    return bad_request("--" + std::string(name) + ": expected a port from 1 to 65535, found " + std::to_string(port));
  }
  return static_cast<std::uint16_t>(port);
}

Result<void> read_port_range(const Settings& settings, ServerSettings& server) {
  const std::string text = settings.text("service-node-port-range");
  const std::vector<std::string_view> ends = split(text, '-');
  const auto first = parse_int<std::uint16_t>(ends.front());
  const auto last = parse_int<std::uint16_t>(ends.back());
  if (ends.size() != 2 || !first || !last || *first == 0 || *first > *last) {
    return bad_request("--service-node-port-range: expected <first>-<last> such as 30000-32767, found \"" + text +
                       "\"");
  }
  server.node_port_first = *first;
  server.node_port_last = *last;
  return {};
}

Result<void> read_kubeconfig_target(const Settings& settings, ServerSettings& server) {
  server.kubeconfig.path = settings.text("write-kubeconfig");
  server.kubeconfig.group = settings.text("write-kubeconfig-group");
  server.kubeconfig_configured = server.kubeconfig.path != kUsualKubeconfig;
  const std::string mode = settings.text("write-kubeconfig-mode");
  const auto [end, failure] = std::from_chars(mode.data(), mode.data() + mode.size(), server.kubeconfig.mode, 8);
  if (failure != std::errc() || end != mode.data() + mode.size() || server.kubeconfig.mode > 0777) {
    return bad_request("--write-kubeconfig-mode: expected a mode such as 0600, found \"" + mode + "\"");
  }
  return {};
}

Result<std::vector<std::string>> addresses_of(const Settings& settings, std::string_view name) {
  std::vector<std::string> addresses = settings.list(name);
  for (const std::string& address : addresses) {
    if (is_ip_address(address)) continue;
    return bad_request("--" + std::string(name) + ": expected an IP address, found \"" + address + "\"");
  }
  return addresses;
}

// From the setting itself, or from the file that <name>-file names.
Result<std::optional<std::string>> secret_of(const Settings& settings, const std::string& name) {
  if (settings.is_set(name)) return std::optional(settings.text(name));
  if (!settings.is_set(name + "-file")) return std::optional<std::string>();
  Result<std::string> text = read_file(settings.text(name + "-file"), kMaxTokenFile);
  if (!text.ok()) return text.error().in("--" + name + "-file");
  return std::optional<std::string>(trim(*text));
}

// Root's state lies where k3s keeps it, everybody else's in their home.
std::string data_dir_of(const Settings& settings) {
  const char* home = ::secure_getenv("HOME");
  if (settings.is_set("data-dir") || ::geteuid() == 0 || home == nullptr) return settings.text("data-dir");
  return std::string(home) + "/.rancher/k3s";
}

Result<void> read_gitops(const Settings& settings, ServerSettings& server) {
  server.gitops = {settings.text("gitops-url"),     settings.text("gitops-ref"),
                   settings.text("gitops-path"),    settings.text("gitops-interval"),
                   settings.text("gitops-ca-file"), settings.text("gitops-credentials-file")};
  server.gitops_local_roots = settings.list("gitops-local-root");
  server.disable_gitops = settings.flag("disable-gitops");
  if (server.disable_gitops && !server.gitops.url.empty()) {
    return bad_request("--gitops-url: nothing would follow it with --disable-gitops");
  }
  if (Result<Duration> interval = parse_duration(server.gitops.interval); !interval.ok()) {
    return interval.error().in("--gitops-interval");
  }
  for (const std::string& root : server.gitops_local_roots) {
    if (!root.starts_with('/'))
      return bad_request("--gitops-local-root: expected an absolute path, found \"" + root + "\"");
  }
  return {};
}

}  // namespace

Result<ServerSettings> make_server_settings(const Settings& settings) {
  ServerSettings server;
  server.layout.data_dir = data_dir_of(settings);
  if (!server.layout.data_dir.starts_with('/')) {
    return bad_request("--data-dir: expected an absolute path, found \"" + server.layout.data_dir + "\"");
  }
  server.log_level = settings.flag("debug") || settings.number("v") > 0 ? LogLevel::Debug : LogLevel::Info;
  server.log_file = settings.text("log");
  server.log_to_standard_error = settings.flag("alsologtostderr");
  server.bind_address = settings.text("bind-address");
  if (!is_ip_address(server.bind_address)) {
    return bad_request("--bind-address: expected an IP address, found \"" + server.bind_address + "\"");
  }
  ASSIGN_OR_RETURN(server.port, port_of(settings, "https-listen-port"));

  ASSIGN_OR_RETURN(const std::vector<std::string> node_ips, addresses_of(settings, "node-ip"));
  ASSIGN_OR_RETURN(const std::vector<std::string> external_ips, addresses_of(settings, "node-external-ip"));
  server.advertise_address = settings.is_set("advertise-address") ? settings.text("advertise-address")
                             : !external_ips.empty()              ? external_ips.front()
                             : !node_ips.empty()                  ? node_ips.front()
                                                                  : default_address();
  if (!is_ip_address(server.advertise_address)) {
    return bad_request("--advertise-address: expected an IP address, found \"" + server.advertise_address + "\"");
  }
  server.advertise_port = server.port;
  if (settings.number("advertise-port") != 0) {
    ASSIGN_OR_RETURN(server.advertise_port, port_of(settings, "advertise-port"));
  }
  server.tls_san = settings.list("tls-san");
  server.tls_san.insert(server.tls_san.end(), node_ips.begin(), node_ips.end());
  server.tls_san.insert(server.tls_san.end(), external_ips.begin(), external_ips.end());
  server.node_name = settings.text("node-name");
  if (server.node_name.empty()) {
    ASSIGN_OR_RETURN(server.node_name, host_name());
  }

  const std::vector<std::string> service_cidrs = settings.list("service-cidr");
  if (service_cidrs.size() != 1)
    return bad_request("--service-cidr: expected one network; two families are not built in");
  server.service_cidr = service_cidrs.front();
  server.cluster_cidrs = settings.list("cluster-cidr");
  constexpr unsigned kDnsOffset = 10;
  if (const auto dns = nth_address(server.service_cidr, kDnsOffset); !dns.ok()) return dns.error().in("--service-cidr");
  TRY(addresses_of(settings, "cluster-dns"));
  server.cluster_domain = settings.text("cluster-domain");
  TRY(read_port_range(settings, server));

  TRY(read_kubeconfig_target(settings, server));
  ASSIGN_OR_RETURN(server.token, secret_of(settings, "token"));
  ASSIGN_OR_RETURN(server.agent_token, secret_of(settings, "agent-token"));
  server.disable = settings.list("disable");
  server.disable_agent = settings.flag("disable-agent");
  server.disable_helm_controller = settings.flag("disable-helm-controller");
  server.disable_controllers = settings.flag("disable-controller-manager");
  TRY(read_gitops(settings, server));
  return server;
}

}  // namespace coracle::daemon
