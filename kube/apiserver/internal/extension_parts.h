#pragma once

#include <memory>

#include "kube/apiserver/internal/builtin_resources.h"
#include "kube/apiserver/internal/custom_resources/controller.h"
#include "kube/apiserver/internal/discovery/api_services.h"
#include "kube/apiserver/internal/discovery/discovery.h"
#include "kube/apiserver/internal/discovery/openapi.h"
#include "kube/apiserver/internal/server_parts.h"
#include "kube/apiserver/internal/strategies/environment.h"

namespace coracle::kube::apiserver {

// What tells clients which resources there are, and lets them add some: discovery, OpenAPI,
// custom resources and API services. One per server; it must live longer than the handler chain.
class ExtensionParts {
 public:
  // Registers its endpoints. Everything in `parts` outlives it.
  explicit ExtensionParts(const ServerParts& parts);

  // Serves what the store defines, and follows it from then on.
  Result<void> start(const Context& context);
  // Before a request is routed: what was defined before it counts.
  void refresh(const RequestScope& scope);

 private:
  const Logger log_;
  const Registry& registry_;
  Discovery discovery_;
  OpenApi openapi_;
  ApiServiceController api_services_;
  CustomResourceController custom_resources_;  // changes the registry, of which those above are told
};

// What is special about built-in resources: strategies, which use `environment`, and tables.
BuiltinHooks extension_hooks(std::shared_ptr<const StrategyEnvironment> environment);

}  // namespace coracle::kube::apiserver
