#include "tests/bench/bench_server.h"

#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "base/http/server.h"
#include "base/tls/tls.h"

namespace coracle {
namespace {

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

}  // namespace

Result<void> serve_until_input_ends(Executor& executor, http::Handler& handler, std::uint16_t port, const Logger& log) {
  http::ServerOptions options;
  options.port = port;
  ASSIGN_OR_RETURN(options.tls, self_signed_credentials(executor.clock().wall()));
  ASSIGN_OR_RETURN(const auto listener, http::serve(executor, handler, std::move(options), log.named("http")));
  std::printf("ready on port %d\n", listener->port());
  std::fflush(stdout);
  while (std::getchar() != EOF) continue;
  return {};
}

}  // namespace coracle
