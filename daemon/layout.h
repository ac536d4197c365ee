#pragma once

#include <string>
#include <string_view>

namespace coracle::daemon {

// Where tools look for the administrator's kubeconfig.
inline constexpr std::string_view kUsualKubeconfig = "/etc/rancher/k3s/k3s.yaml";

// Where k3s keeps things below its data folder; the names are part of the drop-in promise.
struct Layout {
  std::string data_dir;

  std::string server() const { return data_dir + "/server"; }
  std::string tls(std::string_view name) const { return server() + "/tls/" + std::string(name); }
  std::string cred(std::string_view name) const { return server() + "/cred/" + std::string(name); }
  std::string manifests() const { return server() + "/manifests"; }
  std::string static_files() const { return server() + "/static"; }
  std::string git_mirrors() const { return server() + "/git"; }
  std::string database() const { return server() + "/db/state.db"; }
  std::string token() const { return server() + "/token"; }
  std::string node_token() const { return server() + "/node-token"; }
  std::string agent_token() const { return server() + "/agent-token"; }
};

}  // namespace coracle::daemon
