#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kube/apiserver/internal/admission.h"

namespace coracle::kube::apiserver {

// The plug-ins in upstream's order. Mutating calls of all run before validating calls of any.
class AdmissionChain {
 public:
  AdmissionChain() = default;
  explicit AdmissionChain(std::vector<std::unique_ptr<AdmissionPlugin>> plugins) : plugins_(std::move(plugins)) {}

  Result<void> admit(const Context& context, const AdmissionAttributes& attributes, Object* object,
                     std::vector<std::string>& warnings) const;
  Result<void> validate(const Context& context, const AdmissionAttributes& attributes, const Object* object,
                        std::vector<std::string>& warnings) const;

 private:
  std::vector<std::unique_ptr<AdmissionPlugin>> plugins_;
};

}  // namespace coracle::kube::apiserver
