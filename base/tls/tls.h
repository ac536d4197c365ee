#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace coracle::tls {

// Certificate and key that a server shows; replaceable while it runs. Thread-safe.
class ServerCredentials {
 public:
  virtual ~ServerCredentials() = default;
  // New connections use the new pair. Fails, and keeps the old one, when they do not belong together.
  virtual Result<void> replace(std::string_view chain_pem, std::string_view key_pem) = 0;
};
// `request_client_certificate`: ask, but accept none or any; the handler decides what it is worth.
Result<std::shared_ptr<ServerCredentials>> make_server_credentials(std::string_view chain_pem, std::string_view key_pem,
                                                                   bool request_client_certificate);

struct Name {
  std::string common_name;
  std::vector<std::string> organizations;
  // Attributes 1.3.6.1.4.1.57683.2, by which Kubernetes knows a user's UID.
  std::vector<std::string> uids = {};
};

enum class Usage : unsigned char { Authority, Server, Client, ServerAndClient };

struct CertificateRequest {
  Name subject;
  Usage usage = Usage::Client;
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
  WallTime not_before;
  WallTime not_after;
};

// A PEM private key; EC P-256.
Result<std::string> make_ec_key();
// RSA with 2048 bits; takes tens of milliseconds. For users who ask for one.
Result<std::string> make_rsa_key();
// Self-signed authority.
Result<std::string> make_authority(const CertificateRequest& request, std::string_view key_pem);
// A leaf for the public half of `key_pem`, signed by the authority. PEM of the leaf alone.
Result<std::string> issue_certificate(const CertificateRequest& request, std::string_view key_pem,
                                      std::string_view authority_pem, std::string_view authority_key_pem);

struct CertificateInfo {
  Name subject;
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
  WallTime not_before;
  WallTime not_after;
  bool authority = false;
  std::string sha256;  // of the DER bytes, lower-case hex
};
// The first certificate of a PEM text; Corrupt when there is none.
Result<CertificateInfo> inspect_certificate(std::string_view pem);
bool key_matches_certificate(std::string_view key_pem, std::string_view certificate_pem);

// Checks a chain (leaf first) against PEM authorities for client use at `now`; answers the leaf.
Result<CertificateInfo> verify_client_chain(const std::vector<std::string>& chain_pem, std::string_view authorities_pem,
                                            WallTime now);

}  // namespace coracle::tls
