#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "kube/cache/informer.h"

namespace coracle::kube {

// Informers on the metadata of resources that a controller learns of while it runs: from discovery, or from
// the objects that it serves. Thread-safe.
class MonitorSet {
 public:
  // As Informer::Handler.
  using Handler = std::function<void(const ResourceRef& resource, const std::optional<Object>& before,
                                     const std::optional<Object>& after)>;

  MonitorSet(const Context& context, const Client& client, Logger log, Handler handler);
  ~MonitorSet();  // stops

  // Follows this resource too.
  void add(const ResourceRef& resource);
  // Follows these resources and no others. What the others had left is handled as deleted.
  void replace(const std::vector<ResourceRef>& resources);
  // No handler runs after this, and nothing is followed any more.
  void stop();

  // Whether each informer has its first list.
  bool synced() const;

 private:
  using Informers = std::map<ResourceRef, std::unique_ptr<Informer>>;

  // With the mutex held; nothing when the resource is followed already.
  void start(const ResourceRef& resource);

  const Context context_;
  const Client& client_;
  const Logger log_;
  const Handler handler_;
  mutable std::mutex mutex_;
  Informers informers_;
  bool stopped_ = false;
};

}  // namespace coracle::kube
