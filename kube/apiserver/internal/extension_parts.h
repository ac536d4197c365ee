#pragma once

#include <memory>

#include "kube/apiserver/internal/builtin_resources.h"
#include "kube/apiserver/internal/crd_controller.h"
#include "kube/apiserver/internal/discovery.h"
#include "kube/apiserver/internal/openapi.h"
#include "kube/apiserver/internal/server_parts.h"

namespace coracle::kube::apiserver {

// What tells clients which resources there are, and lets them add some: discovery, OpenAPI
// and custom resources. One per server; it must live longer than the handler chain.
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
  Discovery discovery_;
  OpenApi openapi_;
  CustomResourceController custom_resources_;
};

// What is special about built-in resources: strategies and tables.
BuiltinHooks extension_hooks();

}  // namespace coracle::kube::apiserver
