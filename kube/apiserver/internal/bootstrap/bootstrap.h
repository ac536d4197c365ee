#pragma once

#include <string>

#include "base/log.h"
#include "kube/apiserver/internal/registry.h"
#include "kube/apiserver/internal/resource_store.h"
#include "kube/apiserver/server.h"

namespace coracle::kube::apiserver {

// How often the lease of this API server is renewed; it lasts three times as long.
inline constexpr std::chrono::minutes kIdentityLeaseRenewal(20);

// Writes the objects that must exist and are missing: namespaces, default roles and bindings (what an
// existing one lacks is added, what it has more stays), priority classes, flow control defaults,
// ServiceCIDR, default/kubernetes with its endpoints, the ConfigMaps for aggregated API servers and the
// lease of this one. Writes nothing where nothing is missing. An object that is there but cannot be
// completed, because the disk is full, is a warning: the server can serve without. Runs up to
// kBootstrapWriters writes at a time, so that the store can commit them together.
class Bootstrap {
 public:
  static constexpr unsigned kBootstrapWriters = 16;

  // `store` outlives it. `instance_id` tells this process from others at the same address.
  Bootstrap(const ResourceTablePtr& table, ResourceStore& store, const Options& options, std::string instance_id,
            Logger log)
      : table_(table), store_(store), options_(options), instance_id_(std::move(instance_id)), log_(std::move(log)) {}

  Result<void> run(const Context& context) const;
  // Tells that this API server lives on.
  Result<void> renew_identity_lease(const Context& context) const;

 private:
  // Brings the stored object to what is wanted: the changed object, or nothing when it may stay.
  using Complete = std::function<std::optional<Object>(const Object& current, const Object& wanted)>;
  struct Task {
    Object wanted;
    Complete complete;  // null: an existing object stays as it is
    Value status;       // written through /status after a creation; null: none
    // True: what is there changes each time, which is nothing to tell.
    bool renewal = false;
  };

  std::vector<Task> cluster_tasks(WallTime now) const;
  std::vector<Task> namespaced_tasks(WallTime now) const;
  Task identity_lease_task(WallTime now) const;
  Result<void> run_all(const Context& context, std::vector<Task> tasks) const;
  Result<void> run_one(const Context& context, const Task& task) const;
  Result<void> write_status(const Context& context, const ResourceDescriptor& resource, const Task& task) const;

  ResourceTablePtr table_;
  ResourceStore& store_;
  const Options& options_;
  std::string instance_id_;
  Logger log_;
};

}  // namespace coracle::kube::apiserver
