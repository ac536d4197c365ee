#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "daemon/layout.h"

namespace coracle::daemon {

struct KeyPair {
  std::string certificate_pem;  // the leaf and its chain
  std::string key_pem;
};

// What the server's certificates must say beyond their fixed names.
struct CertificateNames {
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
};

// Every certificate and key of a server, as k3s lays them under server/tls.
struct Certificates {
  std::string client_ca_pem;
  std::string server_ca_pem;
  std::string request_header_ca_pem;
  KeyPair serving;                            // of the listener
  KeyPair admin;                              // system:admin, for kubeconfig
  std::string service_key_pem;                // first key of service.key: signs tokens
  std::vector<std::string> service_keys_pem;  // all keys that may have signed tokens
};

// Reads what is there and makes what is missing, wrong or near its end: authorities last ten years,
// leaves one, and a leaf with less than 120 days left is issued again with its key. Files are 0600. A
// key that we make is EC P-256; keys that are found are used as they are. Nothing valid is replaced.
// Corrupt names the file that contradicts another. Unavailable while the clock says a time before 1980.
Result<Certificates> ensure_certificates(const Layout& layout, const CertificateNames& names, WallTime now,
                                         const Logger& log);

// Splits a PEM text into its blocks with this label ("CERTIFICATE", or a suffix such as "PRIVATE KEY").
std::vector<std::string> pem_blocks(std::string_view text, std::string_view label_suffix);

}  // namespace coracle::daemon
