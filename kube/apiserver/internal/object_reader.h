#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/context.h"
#include "kube/apiserver/internal/registry.h"
#include "kube/apiserver/internal/resource_store.h"

namespace coracle::kube::apiserver {

// The built-in resources that identity, access and admission look up.
enum class KnownResource : std::uint8_t {
  Namespaces,
  Nodes,
  Pods,
  Secrets,
  ConfigMaps,
  ServiceAccounts,
  Services,
  LimitRanges,
  ResourceQuotas,
  PersistentVolumes,
  PersistentVolumeClaims,
  ClusterRoles,
  ClusterRoleBindings,
  Roles,
  RoleBindings,
  StorageClasses,
  VolumeAttachments,
  PriorityClasses,
  RuntimeClasses,
  IngressClasses,
  ResourceClaims,
  ResourceSlices,
};
inline constexpr std::size_t kKnownResources = static_cast<std::size_t>(KnownResource::ResourceSlices) + 1;

// Reads other objects out of the registry's caches for the code that decides about a request. Trees
// of objects that are asked for again and again are kept, a bounded number of them. Thread-safe.
class ObjectReader {
 public:
  static constexpr std::size_t kMaxTrees = 512;

  // `table` must hold the built-in resources; `store` outlives the reader.
  ObjectReader(const ResourceTablePtr& table, ResourceStore& store);

  ResourceStore& store() const { return store_; }
  // Never null for a table that holds the built-in resources.
  const ResourceDescriptor* descriptor(KnownResource resource) const;

  // The newest state as bytes and metadata; null when it does not exist.
  Result<StoredObjectPtr> find_stored(const Context& context, KnownResource resource, std::string_view ns,
                                      std::string_view name) const;
  // The same as a tree.
  Result<std::optional<Object>> find(const Context& context, KnownResource resource, std::string_view ns,
                                     std::string_view name) const;
  // Every object of a namespace, or of all for an empty one.
  Result<std::vector<Object>> list(const Context& context, KnownResource resource, std::string_view ns) const;
  Result<std::vector<StoredObjectPtr>> list_stored(const Context& context, KnownResource resource,
                                                   std::string_view ns) const;
  // Grows with every change of the resource.
  Result<store::Revision> last_change(const Context& context, KnownResource resource) const;

 private:
  struct Tree {
    store::Revision revision = 0;
    Object object;
  };
  Result<Object> tree_of(KnownResource resource, const StoredObject& stored) const;

  ResourceTablePtr table_;
  ResourceStore& store_;
  std::array<ResourcePtr, kKnownResources> descriptors_;
  mutable std::mutex mutex_;
  mutable std::unordered_map<std::string, Tree> trees_;  // by uid
};

}  // namespace coracle::kube::apiserver
