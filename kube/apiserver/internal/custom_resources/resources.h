#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "kube/apiserver/internal/custom_resources/schemas.h"
#include "kube/apiserver/internal/resource.h"
#include "kube/object/object.h"

namespace coracle::kube::apiserver {

// What may change about served custom resources without serving them anew.
struct CustomState {
  std::atomic<bool> terminating{false};  // creates are refused
};

// The served versions of an accepted definition as resources of the table.
std::vector<ResourcePtr> custom_resources_of(const Object& definition, std::shared_ptr<const DefinitionSchemas> schemas,
                                             std::shared_ptr<const CustomState> state);

// Of one version of a custom resource, by what its definition says.
struct CustomBehaviour {
  GroupVersionKind gvk;
  std::string resource;
  std::shared_ptr<const DefinitionSchemas> schemas;
  std::shared_ptr<const CustomState> state;
  bool has_status = false;
  bool validates = false;                           // the registry does not check the schema itself
  std::string replicas_path, status_replicas_path;  // of the scale subresource, with a leading dot
};
std::shared_ptr<const Strategy> make_custom_strategy(CustomBehaviour behaviour);

}  // namespace coracle::kube::apiserver
