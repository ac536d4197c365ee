#include "kube/apiserver/internal/object_reader.h"

#include <utility>

namespace coracle::kube::apiserver {
namespace {

struct KnownName {
  std::string_view group;
  std::string_view resource;
};

// In the order of KnownResource.
constexpr std::array<KnownName, kKnownResources> kKnownNames = {{
    {"", "namespaces"},
    {"", "nodes"},
    {"", "pods"},
    {"", "secrets"},
    {"", "configmaps"},
    {"", "serviceaccounts"},
    {"", "services"},
    {"", "limitranges"},
    {"", "resourcequotas"},
    {"", "persistentvolumes"},
    {"", "persistentvolumeclaims"},
    {"rbac.authorization.k8s.io", "clusterroles"},
    {"rbac.authorization.k8s.io", "clusterrolebindings"},
    {"rbac.authorization.k8s.io", "roles"},
    {"rbac.authorization.k8s.io", "rolebindings"},
    {"storage.k8s.io", "storageclasses"},
    {"storage.k8s.io", "volumeattachments"},
    {"scheduling.k8s.io", "priorityclasses"},
    {"node.k8s.io", "runtimeclasses"},
    {"networking.k8s.io", "ingressclasses"},
    {"resource.k8s.io", "resourceclaims"},
    {"resource.k8s.io", "resourceslices"},
}};

std::size_t known_index(KnownResource resource) {
  return static_cast<std::size_t>(resource);
}

// Trees of these are asked for by most writes; others are parsed when they are wanted.
bool keeps_tree(KnownResource resource) {
  switch (resource) {
    case KnownResource::Pods:
    case KnownResource::Secrets:
    case KnownResource::ConfigMaps:
    case KnownResource::ResourceSlices:
      return false;
    default:
      return true;
  }
}

Error unknown_resource(KnownResource resource) {
  return internal_error("the built-in resource " + std::string(kKnownNames[known_index(resource)].resource) +
                        " is not registered");
}

}  // namespace

ObjectReader::ObjectReader(const ResourceTablePtr& table, ResourceStore& store) : table_(table), store_(store) {
  for (std::size_t i = 0; i < kKnownResources; ++i) {
    descriptors_[i] = table_->find(kKnownNames[i].group, "v1", kKnownNames[i].resource);
  }
}

const ResourceDescriptor* ObjectReader::descriptor(KnownResource resource) const {
  return descriptors_[known_index(resource)].get();
}

Result<StoredObjectPtr> ObjectReader::find_stored(const Context& context, KnownResource resource, std::string_view ns,
                                                  std::string_view name) const {
  const ResourceDescriptor* found = descriptor(resource);
  if (found == nullptr) return unknown_resource(resource);
  return store_.find(context, *found, ns, name);
}

Result<std::optional<Object>> ObjectReader::find(const Context& context, KnownResource resource, std::string_view ns,
                                                 std::string_view name) const {
  ASSIGN_OR_RETURN(StoredObjectPtr stored, find_stored(context, resource, ns, name));
  if (stored == nullptr) return std::optional<Object>();
  ASSIGN_OR_RETURN(Object object, tree_of(resource, *stored));
  return std::optional<Object>(std::move(object));
}

Result<std::vector<StoredObjectPtr>> ObjectReader::list_stored(const Context& context, KnownResource resource,
                                                               std::string_view ns) const {
  const ResourceDescriptor* found = descriptor(resource);
  if (found == nullptr) return unknown_resource(resource);
  return store_.list(context, *found, ns);
}

Result<std::vector<Object>> ObjectReader::list(const Context& context, KnownResource resource,
                                               std::string_view ns) const {
  ASSIGN_OR_RETURN(std::vector<StoredObjectPtr> stored, list_stored(context, resource, ns));
  std::vector<Object> objects;
  objects.reserve(stored.size());
  for (const StoredObjectPtr& one : stored) {
    ASSIGN_OR_RETURN(Object object, tree_of(resource, *one));
    objects.push_back(std::move(object));
  }
  return objects;
}

Result<store::Revision> ObjectReader::last_change(const Context& context, KnownResource resource) const {
  const ResourceDescriptor* found = descriptor(resource);
  if (found == nullptr) return unknown_resource(resource);
  return store_.last_change(context, *found);
}

Result<Object> ObjectReader::tree_of(KnownResource resource, const StoredObject& stored) const {
  if (!keeps_tree(resource) || stored.uid().empty()) return stored.object();
  std::string uid(stored.uid());
  {
    std::lock_guard lock(mutex_);
    auto found = trees_.find(uid);
    if (found != trees_.end() && found->second.revision == stored.revision()) return found->second.object;
  }
  ASSIGN_OR_RETURN(Object object, stored.object());
  std::lock_guard lock(mutex_);
  if (trees_.size() >= kMaxTrees) trees_.clear();
  trees_[std::move(uid)] = Tree{stored.revision(), object};
  return object;
}

}  // namespace coracle::kube::apiserver
