#pragma once

#include <string>
#include <string_view>

#include "kube/apiserver/internal/resource_store.h"
#include "kube/apiserver/registry.h"
#include "kube/apiserver/server.h"

namespace coracle::kube::apiserver {

// What strategies need of the server around them. Strategies exist before there is a store, so that
// is bound later: once, before the first write.
class StrategyEnvironment {
 public:
  // `store` and `options` outlive every write.
  void bind(ResourceStore& store, ResourceTablePtr table, const Options& options) {
    store_ = &store;
    table_ = std::move(table);
    options_ = &options;
  }

  ResourceStore& store() const { return *store_; }
  const Options& options() const { return *options_; }
  // A built-in resource; never null for one that is served.
  ResourcePtr resource(std::string_view group, std::string_view version, std::string_view name) const {
    return table_->find(group, version, name);
  }

 private:
  ResourceStore* store_ = nullptr;
  ResourceTablePtr table_;
  const Options* options_ = nullptr;
};

}  // namespace coracle::kube::apiserver
