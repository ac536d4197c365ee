#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/log.h"
#include "kube/apiserver/internal/custom_resources/definition.h"
#include "kube/apiserver/internal/custom_resources/resources.h"
#include "kube/apiserver/internal/generic_store.h"
#include "kube/apiserver/internal/prefix_follower.h"
#include "kube/apiserver/internal/registry.h"

namespace coracle::kube::apiserver {

// Serves what CustomResourceDefinitions define, and brings definitions through their life: names and
// conditions, and the end of their objects when they are deleted. Thread-safe.
class CustomResourceController {
 public:
  // All arguments outlive it.
  CustomResourceController(Executor& executor, Registry& registry, GenericStore& store, Logger log);

  // Serves every definition in the store and follows them from then on.
  Result<void> start(const Context& context);
  // Serves every definition that is in the store by now. Cheap while none has changed: requests for
  // groups that are not built in call it first, so that nobody waits for a watch.
  Result<void> refresh(const Context& context);

 private:
  struct Served {
    std::string group, plural;
    Value shape;  // what the resources were made from
    std::shared_ptr<CustomState> state;
    std::shared_ptr<DefinitionSchemas> schemas;
    std::vector<ResourcePtr> resources;  // the version that stores them first
  };
  // Every definition at one revision. Heads are without spec.versions, which is all that is large.
  struct Definitions {
    std::vector<StoredObjectPtr> stored;
    std::vector<Object> heads;
    store::Revision revision = 0;
  };

  Result<Definitions> definitions(const Context& context);
  Result<Object> head_of(const StoredObjectPtr& stored);
  Result<void> serve(const Definitions& definitions);
  Result<void> serve_one(const Object& head, const StoredObjectPtr& stored);
  void withdraw(const std::string& name);
  Result<bool> advance(const Context& context);
  Result<void> write_status(const Context& context, const Object& definition, const NameVerdict& verdict);
  Result<bool> clean_up(const Context& context, const Object& definition);
  ResourcePtr instances_of(const Object& definition);
  ResourcePtr definition_resource() const;

  Executor& executor_;
  Registry& registry_;
  GenericStore& store_;

  // Held while the registry is changed, so that changes arrive there in the order of revisions.
  std::mutex serve_mutex_;
  std::map<std::string, Served, std::less<>> served_;
  store::Revision served_revision_ = 0;

  // The heads that were read last: between two readings few definitions change.
  std::mutex heads_mutex_;
  std::map<std::string, Object, std::less<>> heads_;

  PrefixFollower follower_;
};

}  // namespace coracle::kube::apiserver
