#include "kube/apiserver/internal/extension_parts.h"

#include "kube/apiserver/internal/strategies/access/certificates_strategy.h"
#include "kube/apiserver/internal/strategies/cluster/namespace_strategy.h"
#include "kube/apiserver/internal/strategies/pods/pod_strategy.h"
#include "kube/apiserver/internal/strategies/strategies.h"
#include "kube/apiserver/internal/tables/tables.h"

namespace coracle::kube::apiserver {

namespace {

// Of identity and of custom resource definitions, whose rules stand with the rest of theirs.
std::shared_ptr<const Strategy> machinery_strategy(std::string_view group, std::string_view resource) {
  if (group == "certificates.k8s.io" && resource == "certificatesigningrequests") {
    return make_certificate_request_strategy();
  }
  if (group.empty() && resource == "namespaces") return make_namespace_strategy();
  if (group == kDefinitionGroup && resource == kDefinitionResource) return make_definition_strategy();
  if (group == kApiServiceGroup && resource == kApiServiceResource) return make_api_service_strategy();
  return nullptr;
}

}  // namespace

ExtensionParts::ExtensionParts(const ServerParts& parts)
    : log_(parts.log.named("extensions")),
      registry_(parts.registry),
      discovery_(parts.registry, parts.endpoints, parts.options),
      openapi_(parts.registry, parts.endpoints, parts.options),
      api_services_(parts.executor, parts.registry, parts.store, parts.endpoints, discovery_,
                    parts.log.named("apiservices")),
      custom_resources_(parts.executor, parts.registry, parts.store, parts.log.named("crd")) {
  discovery_.attach();
  add_pod_subresources(parts.subresources, parts.registry.table());
  openapi_.attach();
}

Result<void> ExtensionParts::start(const Context& context) {
  TRY(custom_resources_.start(context));
  return api_services_.start(context);
}

void ExtensionParts::refresh(const RequestScope& scope) {
  const RequestInfo& info = scope.info;
  const bool documents = info.path.starts_with("/apis") || info.path.starts_with("/openapi");
  if (info.resource_request ? registry_.table()->has_builtin_group(info.group) : !documents) return;
  auto refreshed = custom_resources_.refresh(scope.context);
  if (!refreshed.ok()) log_.debug("custom resource definitions could not be read", {{"error", refreshed.error()}});
}

BuiltinHooks extension_hooks(std::shared_ptr<const StrategyEnvironment> environment) {
  BuiltinHooks hooks;
  hooks.table = builtin_table;
  hooks.strategy = [factory = make_strategy_factory(std::move(environment))](
                       std::string_view group, std::string_view resource, const StandardBehaviour& behaviour) {
    if (auto strategy = machinery_strategy(group, resource)) return strategy;
    return factory(group, resource, behaviour);
  };
  return hooks;
}

}  // namespace coracle::kube::apiserver
