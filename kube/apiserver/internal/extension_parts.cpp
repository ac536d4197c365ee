#include "kube/apiserver/internal/extension_parts.h"

#include "kube/apiserver/internal/tables/tables.h"

namespace coracle::kube::apiserver {

ExtensionParts::ExtensionParts(const ServerParts& parts) : discovery_(parts.registry, parts.endpoints, parts.options) {
  discovery_.attach();
}

BuiltinHooks extension_hooks() {
  BuiltinHooks hooks;
  hooks.table = builtin_table;
  return hooks;
}

}  // namespace coracle::kube::apiserver
