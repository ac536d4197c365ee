#include "tests/bench/self_signed.h"

#include <string>

namespace coracle {

Result<std::shared_ptr<tls::ServerCredentials>> self_signed_credentials(WallTime now) {
  tls::CertificateRequest request;
  request.subject.common_name = "bench";
  request.usage = tls::Usage::Authority;
  request.not_before = now - std::chrono::hours(1);
  request.not_after = now + std::chrono::hours(24);
  ASSIGN_OR_RETURN(const std::string authority_key, tls::make_ec_key());
  ASSIGN_OR_RETURN(const std::string authority, tls::make_authority(request, authority_key));
  request.usage = tls::Usage::Server;
  request.ip_addresses = {"127.0.0.1"};
  ASSIGN_OR_RETURN(const std::string key, tls::make_ec_key());
  ASSIGN_OR_RETURN(const std::string leaf, tls::issue_certificate(request, key, authority, authority_key));
  return tls::make_server_credentials(leaf, key, false);
}

}  // namespace coracle
