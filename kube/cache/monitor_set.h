#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "kube/cache/informer_set.h"

namespace coracle::kube {

// What a controller hears of the metadata of resources that it learns of while it runs: from discovery, or from
// the objects that it serves. Objects may have more than their metadata. Thread-safe.
class MonitorSet {
 public:
  // As Informer::Handler.
  using Handler = std::function<void(const ResourceRef& resource, const std::optional<Object>& before,
                                     const std::optional<Object>& after)>;

  MonitorSet(InformerSet& informers, Handler handler);
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
  struct Monitor {
    std::shared_ptr<Informer> informer;
    unsigned handler = 0;
  };
  using Monitors = std::map<ResourceRef, Monitor>;

  // With the mutex held; nothing when the resource is followed already.
  void start(const ResourceRef& resource);

  InformerSet& informers_;
  const Handler handler_;
  mutable std::mutex mutex_;
  Monitors monitors_;
  bool stopped_ = false;
};

}  // namespace coracle::kube
