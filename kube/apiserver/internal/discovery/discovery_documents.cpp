#include "kube/apiserver/internal/discovery/discovery_documents.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/tls/crypto.h"
#include "kube/apiserver/internal/builtin_resources.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::size_t kHashBytes = 8;

Value text_list(const std::vector<std::string>& texts) {
  Value::ArrayBuilder list;
  for (const std::string& text : texts) list.add(text);
  return std::move(list).build();
}

std::string join_group_version(std::string_view group, std::string_view version) {
  return group.empty() ? std::string(version) : std::string(group) + "/" + std::string(version);
}

DiscoveryGroup& group_named(std::vector<DiscoveryGroup>& groups, std::string_view name, std::int64_t priority) {
  const auto found = std::find_if(groups.begin(), groups.end(), [&](const auto& group) { return group.name == name; });
  if (found != groups.end()) return *found;
  groups.push_back({std::string(name), priority, {}});
  return groups.back();
}

void add_remote(std::vector<DiscoveryGroup>& groups, const RemoteVersion& remote) {
  DiscoveryGroup& group = group_named(groups, remote.group, remote.group_priority);
  const auto same = std::find_if(group.versions.begin(), group.versions.end(),
                                 [&](const DiscoveryVersion& version) { return version.version == remote.version; });
  if (same != group.versions.end()) return;
  group.priority = std::max(group.priority, remote.group_priority);
  group.versions.push_back({remote.version, true, remote.version_priority, {}});
}

Value version_entry(const DiscoveryGroup& group, const DiscoveryVersion& version) {
  return Value::object(
      {{"groupVersion", join_group_version(group.name, version.version)}, {"version", version.version}});
}

Value group_entry(const DiscoveryGroup& group, Value::ObjectBuilder out) {
  Value::ArrayBuilder versions;
  for (const DiscoveryVersion& version : group.versions) versions.add(version_entry(group, version));
  out.set("name", group.name).set("versions", std::move(versions).build());
  out.set("preferredVersion", version_entry(group, group.versions.front()));
  return std::move(out).build();
}

// Upstream counts definitions of custom resources as kept in the first version that it has had of them.
GroupVersionKind hashed_storage(const ResourceDescriptor& resource) {
  GroupVersionKind stored = resource.storage_gvk;
  if (stored.group == "apiextensions.k8s.io") stored.version = "v1beta1";
  return stored;
}

void add_resource_rows(Value::ArrayBuilder& rows, const ResourceDescriptor& resource) {
  Value::ObjectBuilder row;
  row.set("name", resource.resource).set("singularName", resource.singular).set("namespaced", resource.namespaced);
  row.set("kind", resource.gvk.kind).set("verbs", text_list(resource.verbs));
  row.set_nonempty("shortNames", text_list(resource.short_names));
  row.set_nonempty("categories", text_list(resource.categories));
  if (!resource.storage_prefix.empty()) row.set("storageVersionHash", storage_version_hash(hashed_storage(resource)));
  rows.add(std::move(row).build());
  for (const SubresourceDescriptor& subresource : resource.subresources) {
    Value::ObjectBuilder sub;
    sub.set("name", resource.resource + "/" + subresource.name).set("singularName", "");
    sub.set("namespaced", resource.namespaced);
    sub.set_nonempty("group", subresource.group).set_nonempty("version", subresource.version);
    sub.set("kind", subresource.kind).set("verbs", text_list(subresource.verbs));
    rows.add(std::move(sub).build());
  }
}

Value response_kind(std::string_view group, std::string_view version, std::string_view kind) {
  return Value::object({{"group", group}, {"version", version}, {"kind", kind}});
}

Value aggregated_resource(const ResourceDescriptor& resource) {
  Value::ObjectBuilder out;
  out.set("resource", resource.resource);
  // Group and version are told where they may differ from where the resource stands: of custom resources.
  const GroupVersionKind& gvk = resource.gvk;
  out.set("responseKind",
          resource.custom ? response_kind(gvk.group, gvk.version, gvk.kind) : response_kind("", "", gvk.kind));
  out.set("scope", resource.namespaced ? "Namespaced" : "Cluster").set("singularResource", resource.singular);
  out.set("verbs", text_list(resource.verbs));
  out.set_nonempty("shortNames", text_list(resource.short_names));
  out.set_nonempty("categories", text_list(resource.categories));
  Value::ArrayBuilder subresources;
  for (const SubresourceDescriptor& subresource : resource.subresources) {
    const bool own = resource.custom && subresource.version.empty();
    subresources.add(
        Value::object({{"subresource", subresource.name},
                       {"responseKind", response_kind(own ? gvk.group : subresource.group,
                                                      own ? gvk.version : subresource.version, subresource.kind)},
                       {"verbs", text_list(subresource.verbs)}}));
  }
  if (subresources.size() > 0) out.set("subresources", std::move(subresources).build());
  return std::move(out).build();
}

}  // namespace

std::vector<DiscoveryGroup> discovery_groups(const ResourceTable& table, std::span<const RemoteVersion> remote) {
  std::vector<DiscoveryGroup> groups;
  for (const ResourcePtr& resource : table.all()) {
    DiscoveryGroup& group = group_named(groups, resource->gvk.group, group_priority(resource->gvk.group));
    if (group.versions.empty() || group.versions.back().version != resource->gvk.version) {
      group.versions.push_back({resource->gvk.version, false, 0, {}});
    }
    group.versions.back().resources.push_back(resource);
  }
  for (const RemoteVersion& version : remote) add_remote(groups, version);
  for (DiscoveryGroup& group : groups) {
    std::stable_sort(group.versions.begin(), group.versions.end(), [](const auto& a, const auto& b) {
      if (a.remote && b.remote && a.priority != b.priority) return a.priority > b.priority;
      return version_before(a.version, b.version);
    });
  }
  std::stable_sort(groups.begin(), groups.end(), [](const DiscoveryGroup& a, const DiscoveryGroup& b) {
    return a.priority != b.priority ? a.priority > b.priority : a.name < b.name;
  });
  return groups;
}

Value versions_document(std::string_view server_address) {
  const Value address = Value::object({{"clientCIDR", "0.0.0.0/0"}, {"serverAddress", server_address}});
  return Value::object({{"kind", "APIVersions"},
                        {"versions", Value::array({"v1"})},
                        {"serverAddressByClientCIDRs", Value::array({address})}});
}

Value group_list_document(std::span<const DiscoveryGroup> groups) {
  Value::ArrayBuilder list;
  for (const DiscoveryGroup& group : groups) {
    if (!group.name.empty()) list.add(group_entry(group, {}));
  }
  return Value::object({{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", std::move(list).build()}});
}

Value group_document(const DiscoveryGroup& group) {
  Value::ObjectBuilder out;
  out.set("kind", "APIGroup").set("apiVersion", "v1");
  return group_entry(group, std::move(out));
}

Value resource_list_document(std::string_view group, const DiscoveryVersion& version) {
  Value::ArrayBuilder rows;
  for (const ResourcePtr& resource : version.resources) add_resource_rows(rows, *resource);
  Value::ObjectBuilder out;
  out.set("kind", "APIResourceList");
  // The core group's document carries no version of its own.
  if (!group.empty()) out.set("apiVersion", "v1");
  out.set("groupVersion", join_group_version(group, version.version)).set("resources", std::move(rows).build());
  return std::move(out).build();
}

Value aggregated_document(std::span<const DiscoveryGroup> groups) {
  Value::ArrayBuilder items;
  for (const DiscoveryGroup& group : groups) {
    Value::ArrayBuilder versions;
    for (const DiscoveryVersion& version : group.versions) {
      Value::ArrayBuilder resources;
      for (const ResourcePtr& resource : version.resources) resources.add(aggregated_resource(*resource));
      Value::ObjectBuilder entry;
      entry.set("version", version.version);
      if (resources.size() > 0) entry.set("resources", std::move(resources).build());
      entry.set("freshness", version.remote ? "Stale" : "Current");
      versions.add(std::move(entry).build());
    }
    Value::ObjectBuilder metadata;
    metadata.set_nonempty("name", group.name);
    items.add(Value::object({{"metadata", std::move(metadata).build()}, {"versions", std::move(versions).build()}}));
  }
  return Value::object({{"kind", "APIGroupDiscoveryList"},
                        {"apiVersion", "apidiscovery.k8s.io/v2"},
                        {"metadata", Value::object()},
                        {"items", std::move(items).build()}});
}

std::string storage_version_hash(const GroupVersionKind& stored) {
  const std::string text = stored.group + "/" + stored.version + "/" + stored.kind;
  return base64_encode(crypto::sha256(text).substr(0, kHashBytes));
}

}  // namespace coracle::kube::apiserver
