#pragma once

#include <string>
#include <string_view>

#include "kube/apiserver/internal/registry.h"
#include "kube/apiserver/internal/resource_store.h"
#include "kube/apiserver/server.h"

namespace coracle::kube::apiserver {

// What strategies need of the server around them. Strategies exist before there is a store, so that
// is bound later: once, before the first write.
class StrategyEnvironment {
 public:
  // All outlive every write. The registry is not owned: its resources own the strategies, and these
  // own this environment.
  void bind(ResourceStore& store, const Registry& registry, const Options& options) {
    store_ = &store;
    registry_ = &registry;
    options_ = &options;
  }

  ResourceStore& store() const { return *store_; }
  const Options& options() const { return *options_; }
  // A built-in resource; never null for one that is served.
  ResourcePtr resource(std::string_view group, std::string_view version, std::string_view name) const {
    return registry_->table()->find(group, version, name);
  }

 private:
  ResourceStore* store_ = nullptr;
  const Registry* registry_ = nullptr;
  const Options* options_ = nullptr;
};

}  // namespace coracle::kube::apiserver
