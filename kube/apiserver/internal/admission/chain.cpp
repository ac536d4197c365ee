#include "kube/apiserver/internal/admission/chain.h"

namespace coracle::kube::apiserver {

Result<void> AdmissionChain::admit(const Context& context, const AdmissionAttributes& attributes, Object* object,
                                   std::vector<std::string>& warnings) const {
  for (const auto& plugin : plugins_) TRY(plugin->admit(context, attributes, object, warnings));
  return {};
}

Result<void> AdmissionChain::validate(const Context& context, const AdmissionAttributes& attributes,
                                      const Object* object, std::vector<std::string>& warnings) const {
  for (const auto& plugin : plugins_) TRY(plugin->validate(context, attributes, object, warnings));
  return {};
}

}  // namespace coracle::kube::apiserver
