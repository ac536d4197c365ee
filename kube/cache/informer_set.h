#pragma once

#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "kube/cache/informer.h"

namespace coracle::kube {

// Informers shared by everyone who follows the same resource in the same way. Ask for all of them
// before start(); readers hold references that live as long as the set.
class InformerSet {
 public:
  InformerSet(const Context& context, const Client& client, Logger log);

  // The informer for this resource and selection; made when first asked for. Indexes of later
  // requests must have been declared by the first.
  Informer& get(const ResourceRef& resource, InformerOptions options = {});

  void start();
  // No handler runs after this; stores keep their last content.
  void stop();
  // Waits until every informer has its first list.
  Result<void> wait_synced(const Context& context) const;

 private:
  using Key = std::tuple<ResourceRef, std::string, std::string, std::string, bool>;

  const Context context_;
  const Client& client_;
  const Logger log_;
  std::map<Key, std::unique_ptr<Informer>> informers_;
};

}  // namespace coracle::kube
