// An API server alone, over SQLite and HTTPS, for load generators: api_server DIRECTORY PORT TOKEN.
// Runs until standard input ends.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/executor.h"
#include "base/log.h"
#include "base/text.h"
#include "base/tls/tls.h"
#include "kube/apiserver/server.h"
#include "store/sqlite.h"
#include "tests/bench/bench_server.h"

namespace coracle {
namespace {

Result<void> run(const std::string& directory, std::uint16_t port, const std::string& token) {
  const auto executor = make_thread_executor();
  const Logger log(make_log_sink(LogLevel::Warning), "bench");
  store::SqliteOptions sqlite;
  sqlite.path = directory + "/state.db";
  ASSIGN_OR_RETURN(auto store, store::make_sqlite_backend(sqlite, *executor, log.named("store")));
  kube::apiserver::Options options;
  options.passwd_text = token + ",admin,admin,system:masters\n";
  ASSIGN_OR_RETURN(options.tokens.signing_key_pem, tls::make_ec_key());
  options.tokens.verify_keys_pem = {options.tokens.signing_key_pem};
  ASSIGN_OR_RETURN(auto server, kube::apiserver::make_server(*executor, *store, std::move(options), log));
  TRY(server->start(Context(*executor)));
  return serve_until_input_ends(*executor, server->handler(), port, log);
}

}  // namespace
}  // namespace coracle

int main(int argc, char** argv) {
  const auto port = argc == 4 ? coracle::parse_int<std::uint16_t>(argv[2]) : std::nullopt;
  if (!port) {
    std::fputs("usage: api_server DIRECTORY PORT TOKEN\n", stderr);
    return 2;
  }
  const auto served = coracle::run(argv[1], *port, argv[3]);
  if (!served.ok()) std::fprintf(stderr, "%s\n", served.error().message().c_str());
  return served.ok() ? 0 : 1;
}
