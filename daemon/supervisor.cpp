#include "daemon/supervisor.h"

#include <utility>

namespace coracle::daemon {
namespace {

constexpr std::string_view kStaticPrefix = "/static/";
constexpr std::string_view kJoinPrefix = "/v1-k3s/";
constexpr std::size_t kMaxStaticFile = 64 * 1024 * 1024;

class Supervisor : public http::Handler {
 public:
  Supervisor(http::Handler& next, FileSystem& files, SupervisorOptions options)
      : next_(next), files_(files), options_(std::move(options)) {}

  // What the supervisor answers itself may read files.
  bool is_quick(const http::Request& request) const override {
    return !request.path.starts_with(kStaticPrefix) && next_.is_quick(request);
  }

  http::Response refusal(int status, std::string_view why) const override { return next_.refusal(status, why); }

  http::Response handle(const Context& context, const http::Request& request) override {
    const std::string_view path = request.path;
    const bool reads = request.method == "GET" || request.method == "HEAD";
    if (path == "/ping") return http::Response::text(200, "pong");
    if (path == "/cacerts") return http::Response::text(200, options_.server_ca_pem);
    if (reads && path.starts_with(kStaticPrefix)) return static_file(path.substr(kStaticPrefix.size()));
    if (path.starts_with(kJoinPrefix)) return join(path.substr(kJoinPrefix.size()));
    return next_.handle(context, request);
  }

 private:
  // What an agent may read before it has any identity; the rest of the join protocol answers that it
  // is not there, so that an agent fails with a reason.
  http::Response join(std::string_view what) const {
    if (what == "client-ca.crt") return http::Response::text(200, options_.client_ca_pem);
    if (what == "server-ca.crt") return http::Response::text(200, options_.server_ca_pem);
    return http::Response::text(
        501, "this server does not take agents yet: /v1-k3s/" + std::string(what) + " is not built in\n");
  }

  // Only files whose real path lies below the folder: neither ".." nor links lead out of it.
  http::Response static_file(std::string_view name) const {
    Result<std::string> decoded = http::percent_decode(name);
    if (!decoded.ok() || decoded->find('\0') != std::string::npos) return not_found();
    const Result<std::string> root = files_.canonical_path(options_.static_folder);
    const Result<std::string> path = files_.canonical_path(join_path(options_.static_folder, *decoded));
    if (!root.ok() || !path.ok() || !path->starts_with(*root + "/")) return not_found();
    Result<std::string> content = files_.read_file(*path, kMaxStaticFile);
    if (!content.ok()) return not_found();
    const bool archive = path->ends_with(".tgz") || path->ends_with(".tar.gz");
    return http::Response::text(200, std::move(*content), archive ? "application/gzip" : "application/octet-stream");
  }

  static http::Response not_found() { return http::Response::text(404, "404 page not found\n"); }

  http::Handler& next_;
  FileSystem& files_;
  const SupervisorOptions options_;
};

}  // namespace

std::unique_ptr<http::Handler> make_supervisor(http::Handler& next, FileSystem& files, SupervisorOptions options) {
  return std::make_unique<Supervisor>(next, files, std::move(options));
}

}  // namespace coracle::daemon
