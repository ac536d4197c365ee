#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>

#include "kube/cache/informer.h"

namespace coracle::kube {

// Informers shared by everyone who follows the same resource in the same way.
class InformerSet {
 public:
  InformerSet(const Context& context, const Client& client, Logger log);

  // The informer for this resource and selection; made when first asked for. Indexes of later
  // requests must have been declared by the first. Ask for all of them before start(); readers hold references that
  // live as long as the set.
  Informer& get(const ResourceRef& resource, InformerOptions options = {});

  // For resources that are learnt of later: an informer that has at least the metadata of all objects. One that
  // nobody else asked for starts here and ends with its last holder. Thread-safe.
  std::shared_ptr<Informer> monitor(const ResourceRef& resource);

  void start();
  // No handler runs after this; stores keep their last content.
  void stop();
  // Waits until every informer has its first list.
  Result<void> wait_synced(const Context& context) const;

 private:
  using Key = std::tuple<ResourceRef, std::string, std::string, std::string, bool>;

  Informer* complete(const ResourceRef& resource) const;

  const Context context_;
  const Client& client_;
  const Logger log_;
  std::map<Key, std::unique_ptr<Informer>> informers_;
  std::mutex mutex_;  // of what follows
  std::map<ResourceRef, std::weak_ptr<Informer>> monitors_;
};

}  // namespace coracle::kube
