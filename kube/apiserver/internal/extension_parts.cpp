#include "kube/apiserver/internal/extension_parts.h"

#include "kube/apiserver/internal/certificates_strategy.h"
#include "kube/apiserver/internal/namespace_strategy.h"
#include "kube/apiserver/internal/tables/tables.h"

namespace coracle::kube::apiserver {

ExtensionParts::ExtensionParts(const ServerParts& parts) : discovery_(parts.registry, parts.endpoints, parts.options) {
  discovery_.attach();
}

namespace {

std::shared_ptr<const Strategy> builtin_strategy(std::string_view group, std::string_view resource,
                                                 const StandardBehaviour&) {
  if (group == "certificates.k8s.io" && resource == "certificatesigningrequests") {
    return make_certificate_request_strategy();
  }
  if (group.empty() && resource == "namespaces") return make_namespace_strategy();
  return nullptr;
}

}  // namespace

BuiltinHooks extension_hooks() {
  BuiltinHooks hooks;
  hooks.table = builtin_table;
  hooks.strategy = builtin_strategy;
  return hooks;
}

}  // namespace coracle::kube::apiserver
