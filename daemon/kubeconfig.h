#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/certificates.h"

namespace coracle::daemon {

// A kubeconfig with cluster, user and context "default" and everything inline, as k3s writes it.
std::string kubeconfig_text(std::string_view server_url, std::string_view server_ca_pem, const KeyPair& client);

struct KubeconfigTarget {
  std::string path;
  std::uint32_t mode = 0600;
  std::string group = {};  // empty: unchanged
};
Result<void> write_kubeconfig(const KubeconfigTarget& target, std::string_view text);

}  // namespace coracle::daemon
