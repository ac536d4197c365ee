#include "kube/apiserver/server.h"

#include <atomic>
#include <mutex>
#include <utility>

#include "base/executor.h"
#include "base/task_group.h"
#include "kube/apiserver/internal/admission/plugins.h"
#include "kube/apiserver/internal/basic_endpoints.h"
#include "kube/apiserver/internal/bootstrap/bootstrap.h"
#include "kube/apiserver/internal/builtin_resources.h"
#include "kube/apiserver/internal/computed_answers.h"
#include "kube/apiserver/internal/extension_parts.h"
#include "kube/apiserver/internal/handler_chain.h"
#include "kube/apiserver/internal/health.h"
#include "kube/apiserver/internal/identity/identity_parts.h"
#include "kube/apiserver/internal/request_metrics.h"
#include "kube/apiserver/internal/rest_handler.h"
#include "kube/apiserver/internal/server_parts.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kOwnUser = "system:apiserver";

std::shared_ptr<const Identity> own_identity() {
  Identity identity;
  identity.user = kOwnUser;
  identity.groups = {std::string(kMastersGroup), std::string(kAuthenticatedGroup)};
  return std::make_shared<const Identity>(std::move(identity));
}

class ServerImpl : public Server {
 public:
  ServerImpl(Executor& executor, std::shared_ptr<StoreFeed> feed, Options options, Logger log)
      : executor_(executor),
        options_(std::move(options)),
        log_(std::move(log)),
        feed_(std::move(feed)),
        environment_(std::make_shared<StrategyEnvironment>()),
        registry_(make_registry(builtin_resources(extension_hooks(environment_)))),
        store_(feed_, admission_),
        tasks_(Context(executor).with_identity(own_identity())) {}

  ~ServerImpl() override { feed_->stop(); }

  Result<void> assemble() {
    environment_->bind(store_, *registry_, options_);
    ASSIGN_OR_RETURN(identity_, IdentityParts::make(options_, registry_->table(), store_, log_));
    admission_ = AdmissionChain(make_admission_plugins(*identity_, *registry_, options_));
    rest_ = std::make_unique<RestHandler>(*registry_, store_, subresources_, admission_, identity_->authorizer());
    identity_->add_subresources(subresources_);
    identity_->add_endpoints(endpoints_, options_);
    add_basic_endpoints(endpoints_, options_);
    add_metrics_endpoint(endpoints_, metric_registry_);
    add_health_checks();
    const ServerParts shared{executor_, options_, *registry_, store_, subresources_, endpoints_, log_};
    extensions_ = std::make_unique<ExtensionParts>(shared);
    watch_registry();
    ChainParts parts{executor_,
                     identity_->authenticator(),
                     identity_->authorizer(),
                     identity_->impersonation(),
                     [this](RequestScope& scope) { return route(scope); },
                     {[this](const RequestRecord& record) { metrics_.observe(record); }},
                     {},
                     log_};
    chain_ = make_handler_chain(std::move(parts));
    return {};
  }

  http::Handler& handler() override { return *chain_; }

  Result<void> start(const Context& context) override {
    bootstrap_ = std::make_unique<Bootstrap>(registry_->table(), store_, options_, executor_.random().uuid(),
                                             log_.named("bootstrap"));
    TRY(bootstrap_->run(context.with_identity(own_identity())));
    TRY(extensions_->start(context.with_identity(own_identity())));
    tasks_.spawn(Lane::Worker, [this](const Context& own) { renew_identity(own); });
    started_ = true;
    return {};
  }

  void end_watches() override { feed_->end_watches(); }

 private:
  Result<http::Response> route(RequestScope& scope) {
    extensions_->refresh(scope);
    if (const EndpointHandler endpoint = endpoints_.find(scope.request.path)) return endpoint(scope);
    if (scope.info.resource_request) return rest_->serve(scope);
    return rest_->serve_nothing(scope);
  }

  bool is_served(const RequestInfo& info) const {
    const ResourcePtr resource = registry_->table()->find(info.group, info.version, info.resource);
    return resource != nullptr && resource->serves(info.subresource);
  }

  void add_health_checks() {
    const auto well = [] { return std::string(); };
    health_.add("ping", well);
    health_.add("log", well);
    const Health::Check store = [this] {
      auto got = feed_->backend().get(Context(executor_).with_timeout(std::chrono::seconds(2)), "/registry/health");
      return got.ok() ? std::string() : got.error().message();
    };
    health_.add("etcd", store);
    subresources_.add("", "componentstatuses", "",
                      make_component_statuses(registry_->table()->find("", "v1", "componentstatuses"), store));
    health_.add("poststarthook/rbac/bootstrap-roles",
                [this] { return started_ ? std::string() : std::string("not finished"); });
    health_.add("informer-sync", well, Health::kReadyz);
    health_.add("shutdown", well, Health::kReadyz);
    health_.add_endpoints(endpoints_);
  }

  // A resource that is served differently from now on is loaded again; its watches end.
  void watch_registry() {
    known_ = registry_->table();
    registry_->on_change([this](const ResourceTablePtr& table) {
      ResourceTablePtr before;
      {
        std::lock_guard lock(known_mutex_);
        before = std::exchange(known_, table);
      }
      for (const ResourcePtr& resource : before->all()) {
        if (!resource->custom) continue;
        if (table->find(resource->gvk.group, resource->gvk.version, resource->resource) != resource) {
          feed_->drop(resource->storage_prefix);
        }
      }
    });
  }

  void renew_identity(const Context& context) {
    while (context.sleep(kIdentityLeaseRenewal).ok()) {
      const auto renewed = bootstrap_->renew_identity_lease(context);
      if (!renewed.ok() && !context.stopped())
        log_.warning("the API server's lease was not renewed", {{"error", renewed.error()}});
    }
  }

  Executor& executor_;
  const Options options_;
  const Logger log_;
  const std::shared_ptr<StoreFeed> feed_;
  AdmissionChain admission_;
  const std::shared_ptr<StrategyEnvironment> environment_;
  // Told of changes of the registry until the extensions are gone.
  std::mutex known_mutex_;
  ResourceTablePtr known_;
  const std::unique_ptr<Registry> registry_;
  GenericStore store_;
  SubresourceTable subresources_;
  EndpointTable endpoints_;
  Health health_;
  MetricRegistry metric_registry_;
  RequestMetrics metrics_{metric_registry_, [this](const RequestInfo& info) { return is_served(info); }};
  std::unique_ptr<IdentityParts> identity_;
  std::unique_ptr<RestHandler> rest_;
  std::unique_ptr<ExtensionParts> extensions_;
  std::unique_ptr<http::Handler> chain_;
  std::unique_ptr<Bootstrap> bootstrap_;
  std::atomic<bool> started_{false};
  TaskGroup tasks_;
};

}  // namespace

Result<std::unique_ptr<Server>> make_server(Executor& executor, store::Backend& store, Options options, Logger log) {
  ASSIGN_OR_RETURN(auto feed, StoreFeed::make(Context(executor), store, log.named("feed")));
  auto server = std::make_unique<ServerImpl>(executor, std::move(feed), std::move(options), std::move(log));
  TRY(server->assemble());
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace coracle::kube::apiserver
