#include "daemon/server.h"

#include <array>
#include <utility>

#include "base/file_system.h"
#include "base/http/server.h"
#include "base/ip.h"
#include "daemon/certificates.h"
#include "daemon/host.h"
#include "daemon/idle_memory.h"
#include "daemon/kubeconfig.h"
#include "daemon/reconcilers.h"
#include "daemon/supervisor.h"
#include "daemon/tokens.h"
#include "daemon/version.h"
#include "kube/apiserver/server.h"
#include "store/sqlite.h"

namespace coracle::daemon {
namespace {

constexpr Duration kDrainTimeout = std::chrono::seconds(5);

bool listens_everywhere(const ServerSettings& settings) {
  return settings.bind_address == "0.0.0.0" || settings.bind_address == "::";
}

class Server : public RunningServer {
 public:
  Server(Executor& executor, const ServerSettings& settings, std::stop_source stop, Logger log)
      : executor_(executor),
        settings_(settings),
        log_(std::move(log)),
        stop_(std::move(stop)),
        files_(make_machine_file_system(executor)) {}

  ~Server() override {
    stop_.request_stop();
    reconcilers_.reset();
    if (api_server_) api_server_->end_watches();
    if (listener_) listener_->drain(Context(executor_).with_timeout(kDrainTimeout));
  }

  std::uint16_t port() const override { return listener_->port(); }

  Result<void> start() {
    struct Step {
      std::string_view name;
      Result<void> (Server::*run)();
    };
    constexpr std::array kSteps = {
        Step{"folders", &Server::make_folders},
        // It locks the folder: before that nothing of another server's may be touched.
        Step{"store", &Server::open_store},
        Step{"certificates", &Server::make_certificates},
        Step{"API server", &Server::make_api_server},
        Step{"listener", &Server::listen},
        // Whoever waits for the server to be ready then looks for this file.
        Step{"kubeconfig", &Server::write_kubeconfigs},
        Step{"API server", &Server::start_api_server},
        Step{"reconcilers", &Server::start_reconcilers},
    };
    for (const Step& step : kSteps) {
      const MonotonicTime begin = executor_.clock().monotonic();
      if (Result<void> done = (this->*step.run)(); !done.ok()) return done.error().in(step.name);
      const auto took = std::chrono::duration_cast<std::chrono::microseconds>(executor_.clock().monotonic() - begin);
      log_.debug("started", {{"step", step.name}, {"took_us", took.count()}});
    }
    return {};
  }

 private:
  Context context() const { return Context(executor_).with_stop(stop_.get_token()); }
  const Layout& layout() const { return settings_.layout; }

  Result<void> make_folders() {
    TRY(make_directories(layout().data_dir, 0755));
    for (const std::string& folder : {layout().server(), layout().manifests(), layout().server() + "/db"}) {
      TRY(make_directories(folder, 0700));
    }
    return make_directories(layout().static_files(), 0755);
  }

  // The names under which this server may be called.
  Result<CertificateNames> serving_names() const {
    CertificateNames names;
    names.dns_names = {"kubernetes",
                       "kubernetes.default",
                       "kubernetes.default.svc",
                       "kubernetes.default.svc." + settings_.cluster_domain,
                       "localhost",
                       settings_.node_name};
    ASSIGN_OR_RETURN(const std::string service_address, nth_address(settings_.service_cidr, 1));
    names.ip_addresses = {"127.0.0.1", "::1", service_address, settings_.advertise_address};
    if (!listens_everywhere(settings_)) names.ip_addresses.push_back(settings_.bind_address);
    for (const std::string& name : settings_.tls_san) {
      (is_ip_address(name) ? names.ip_addresses : names.dns_names).push_back(name);
    }
    return names;
  }

  Result<void> make_certificates() {
    ASSIGN_OR_RETURN(const CertificateNames names, serving_names());
    ASSIGN_OR_RETURN(certificates_, ensure_certificates(layout(), names, executor_.clock().wall(), log_));
    ASSIGN_OR_RETURN(ServerTokens tokens, ensure_tokens(layout(), settings_.token, settings_.agent_token,
                                                        certificates_.server_ca_pem, executor_.random()));
    passwd_ = std::move(tokens.passwd);
    return {};
  }

  Result<void> open_store() {
    store::SqliteOptions options;
    options.path = layout().database();
    ASSIGN_OR_RETURN(store_, store::make_sqlite_backend(options, executor_, log_.named("store")));
    return {};
  }

  Result<void> make_api_server() {
    kube::apiserver::Options options;
    options.client_ca_pem = certificates_.client_ca_pem;
    options.request_header_ca_pem = certificates_.request_header_ca_pem;
    options.request_header_allowed_names = {"system:auth-proxy"};
    options.server_ca_pem = certificates_.server_ca_pem;
    options.passwd_text = passwd_;
    options.tokens.issuer = "https://kubernetes.default.svc." + settings_.cluster_domain;
    options.tokens.audiences = {options.tokens.issuer, "k3s"};
    options.tokens.signing_key_pem = certificates_.service_key_pem;
    options.tokens.verify_keys_pem = certificates_.service_keys_pem;
    options.service_cidr = settings_.service_cidr;
    options.node_port_first = settings_.node_port_first;
    options.node_port_last = settings_.node_port_last;
    options.advertise_address = settings_.advertise_address;
    options.advertise_port = settings_.advertise_port;
    ASSIGN_OR_RETURN(options.host_name, host_name());
    options.git_version = kVersion;
    options.git_commit = kCommit;
    options.build_date = kBuildDate;
    ASSIGN_OR_RETURN(api_server_,
                     kube::apiserver::make_server(executor_, *store_, std::move(options), log_.named("apiserver")));
    supervisor_ = make_supervisor(api_server_->handler(), *files_,
                                  {certificates_.server_ca_pem, certificates_.client_ca_pem, layout().static_files()});
    return {};
  }

  Result<void> listen() {
    http::ServerOptions options;
    options.address = settings_.bind_address;
    options.port = settings_.port;
    ASSIGN_OR_RETURN(options.tls, tls::make_server_credentials(certificates_.serving.certificate_pem,
                                                               certificates_.serving.key_pem, true));
    ASSIGN_OR_RETURN(listener_, http::serve(executor_, *supervisor_, std::move(options), log_.named("http")));
    return {};
  }

  Result<void> start_api_server() { return api_server_->start(context()); }

  // Where this node reaches its own API server.
  std::string local_address() const {
    const std::string host = listens_everywhere(settings_) ? "127.0.0.1" : url_host(settings_.bind_address);
    return host + ":" + std::to_string(port());
  }

  Result<void> write_kubeconfigs() {
    const std::string text =
        kubeconfig_text("https://" + local_address(), certificates_.server_ca_pem, certificates_.admin);
    TRY(write_kubeconfig({.path = layout().cred("admin.kubeconfig")}, text));
    TRY(write_kubeconfig(settings_.kubeconfig, text));
    if (settings_.kubeconfig_configured) link_kubeconfig();
    return {};
  }

  // As k3s does: the usual path leads to wherever the file really is. Not being allowed to is no failure.
  void link_kubeconfig() {
    const std::string link(kUsualKubeconfig);
    const Result<FileInfo> there = link_info(link);
    if (there.ok() && there->kind != FileKind::Symlink) return;
    if (there.ok()) remove_file(link).ignore("make_link reports it");
    Result<void> made = make_directories(parent_path(link), 0755);
    if (made.ok()) made = make_link(settings_.kubeconfig.path, link);
    if (!made.ok()) log_.debug("cannot link the usual kubeconfig path", {{"error", made.error()}});
  }

  Result<void> start_reconcilers() {
    ASSIGN_OR_RETURN(reconcilers_, daemon::start_reconcilers(context(), api_server_->handler(), *files_, settings_,
                                                             certificates_, local_address(), log_));
    return {};
  }

  Executor& executor_;
  const ServerSettings settings_;
  Logger log_;
  std::stop_source stop_;
  std::unique_ptr<FileSystem> files_;
  Certificates certificates_;
  std::string passwd_;
  std::unique_ptr<store::Backend> store_;
  std::unique_ptr<kube::apiserver::Server> api_server_;
  std::unique_ptr<http::Handler> supervisor_;
  std::unique_ptr<http::Server> listener_;
  std::unique_ptr<Reconcilers> reconcilers_;
  const IdleMemory idle_memory_{executor_};
};

}  // namespace

Result<std::unique_ptr<RunningServer>> start_server(Executor& executor, const ServerSettings& settings,
                                                    std::stop_source stop, Logger log) {
  auto server = std::make_unique<Server>(executor, settings, std::move(stop), std::move(log));
  TRY(server->start());
  return std::unique_ptr<RunningServer>(std::move(server));
}

}  // namespace coracle::daemon
