#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "daemon/kubeconfig.h"
#include "daemon/layout.h"
#include "daemon/settings.h"

namespace coracle::daemon {

struct GitopsSettings {
  std::string url;  // empty: none
  std::string reference;
  std::string path;
  std::string interval;
  std::string ca_file;
  std::string credentials_file;
};

// The settings of `coracle server`, checked and typed; every component takes its own part.
struct ServerSettings {
  Layout layout;
  LogLevel log_level = LogLevel::Info;
  std::string log_file;
  bool log_to_standard_error = false;  // beside the file
  std::string bind_address;
  std::uint16_t port = 6443;
  std::string advertise_address;
  int advertise_port = 6443;
  std::vector<std::string> tls_san;
  std::string node_name;
  std::vector<std::string> cluster_cidrs;  // of pods
  std::string service_cidr;
  int node_port_first = 30000;
  int node_port_last = 32767;
  std::string cluster_domain;
  KubeconfigTarget kubeconfig;
  bool kubeconfig_configured = false;
  std::optional<std::string> token;
  std::optional<std::string> agent_token;
  std::vector<std::string> disable;
  bool disable_agent = false;
  bool disable_helm_controller = false;
  bool disable_controllers = false;
  bool disable_gitops = false;
  GitopsSettings gitops;
  std::vector<std::string> gitops_local_roots;
};

// BadRequest is one line that names the setting and what was expected.
Result<ServerSettings> make_server_settings(const Settings& settings);

}  // namespace coracle::daemon
