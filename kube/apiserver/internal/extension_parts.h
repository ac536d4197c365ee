#pragma once

#include <memory>

#include "kube/apiserver/internal/builtin_resources.h"
#include "kube/apiserver/internal/discovery.h"
#include "kube/apiserver/internal/server_parts.h"

namespace coracle::kube::apiserver {

// What tells clients which resources there are, and lets them add some: discovery. One per server;
// it must live longer than the handler chain.
class ExtensionParts {
 public:
  // Registers its endpoints. Everything in `parts` outlives it.
  explicit ExtensionParts(const ServerParts& parts);

 private:
  Discovery discovery_;
};

// What is special about built-in resources as far as it is known here: their tables.
BuiltinHooks extension_hooks();

}  // namespace coracle::kube::apiserver
