#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/tls/tls.h"
#include "kube/apiserver/internal/authentication.h"

namespace coracle::kube::apiserver {

// Remembers which client certificate chains a CA has signed, so that only the first request of a
// certificate pays for the signatures. Bounded. Thread-safe.
class VerifiedChains {
 public:
  static constexpr std::size_t kMaxChains = 1024;

  explicit VerifiedChains(std::string authorities_pem) : authorities_pem_(std::move(authorities_pem)) {}

  // The leaf; Unauthorized when the chain is not signed, expired or not for clients.
  Result<std::shared_ptr<const tls::CertificateInfo>> verify(const std::vector<std::string>& chain_pem, WallTime now);

 private:
  struct Entry {
    std::vector<std::string> chain_pem;
    WallTime not_after;  // of the whole chain
    std::shared_ptr<const tls::CertificateInfo> leaf;
  };

  const std::string authorities_pem_;
  std::mutex mutex_;
  std::unordered_map<std::string, Entry> entries_;  // by the leaf's text
};

// Client certificates: the common name is the user, organizations are the groups, the attribute for it is the UID.
std::unique_ptr<Authenticator> make_certificate_authenticator(std::string client_ca_pem);

// A front proxy that authenticates with a certificate of its own CA and names the user in X-Remote-User,
// X-Remote-Uid, X-Remote-Group and X-Remote-Extra-<key>. Empty `allowed_names`: any common name.
std::unique_ptr<Authenticator> make_front_proxy_authenticator(std::string ca_pem,
                                                              std::vector<std::string> allowed_names);

}  // namespace coracle::kube::apiserver
