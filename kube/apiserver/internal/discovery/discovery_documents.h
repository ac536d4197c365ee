#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"
#include "kube/apiserver/internal/registry.h"

namespace coracle::kube::apiserver {

// A group version that another API server serves (an APIService with spec.service).
struct RemoteVersion {
  std::string group;
  std::string version;
  std::int64_t group_priority = 0;  // groupPriorityMinimum
  std::int64_t version_priority = 0;
  bool operator==(const RemoteVersion&) const = default;
};

struct DiscoveryVersion {
  std::string version;
  bool remote = false;
  std::int64_t priority = 0;           // of a remote one
  std::vector<ResourcePtr> resources;  // by name; empty for a remote one
};

struct DiscoveryGroup {
  std::string name;
  std::int64_t priority = 0;
  std::vector<DiscoveryVersion> versions;  // the preferred one first
};

// Everything that is served, in the order of discovery: groups by priority, then by name.
std::vector<DiscoveryGroup> discovery_groups(const ResourceTable& table, std::span<const RemoteVersion> remote);

// APIVersions, as /api answers.
Value versions_document(std::string_view server_address);
// APIGroupList of every group but the core's.
Value group_list_document(std::span<const DiscoveryGroup> groups);
// APIGroup.
Value group_document(const DiscoveryGroup& group);
// APIResourceList of one group version.
Value resource_list_document(std::string_view group, const DiscoveryVersion& version);
// APIGroupDiscoveryList (apidiscovery.k8s.io/v2) of the given groups.
Value aggregated_document(std::span<const DiscoveryGroup> groups);

// What clients compare to learn that an object's storage has changed: of the version that is stored.
std::string storage_version_hash(const GroupVersionKind& stored);

}  // namespace coracle::kube::apiserver
