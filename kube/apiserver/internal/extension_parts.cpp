#include "kube/apiserver/internal/extension_parts.h"

namespace coracle::kube::apiserver {

ExtensionParts::ExtensionParts(const ServerParts& parts) : discovery_(parts.registry, parts.endpoints, parts.options) {
  discovery_.attach();
}

}  // namespace coracle::kube::apiserver
