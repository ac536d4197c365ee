#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/json/json.h"
#include "base/sim_executor.h"
#include "kube/apiserver/internal/object_reader.h"
#include "kube/apiserver/internal/registry.h"
#include "kube/apiserver/internal/resource_store.h"

namespace coracle::kube::apiserver::testing {

// A registry without strategies over a map, for the code that only looks other objects up.
class MapStore : public ResourceStore {
 public:
  void put(const ResourceDescriptor& resource, const Object& object) {
    ++revision_;
    Object named = object.with_metadata("resourceVersion", Value());
    if (object.uid().empty()) named = named.with_metadata("uid", "uid-" + std::string(object.name()));
    Result<StoredObjectPtr> stored =
        StoredObject::make(std::make_shared<const std::string>(json::write(named.tree())), revision_);
    objects_[key(resource, object.namespace_(), object.name())] = std::move(stored).value();
    last_[resource.qualified_resource()] = revision_;
  }
  void erase(const ResourceDescriptor& resource, std::string_view ns, std::string_view name) {
    objects_.erase(key(resource, ns, name));
    last_[resource.qualified_resource()] = ++revision_;
  }
  std::size_t writes() const { return writes_; }
  // Every later write fails with it.
  void refuse_writes(Error refusal) { refusal_ = std::move(refusal); }

  Result<StoredObjectPtr> find(const Context&, const ResourceDescriptor& resource, std::string_view ns,
                               std::string_view name) override {
    auto found = objects_.find(key(resource, ns, name));
    return found == objects_.end() ? StoredObjectPtr() : found->second;
  }
  Result<Object> get(const Context& context, const ResourceDescriptor& resource, std::string_view ns,
                     std::string_view name) override {
    ASSIGN_OR_RETURN(StoredObjectPtr stored, find(context, resource, ns, name));
    if (stored == nullptr) {
      return Error(Reason::NotFound, resource.qualified_resource() + " \"" + std::string(name) + "\" not found");
    }
    return stored->object();
  }
  Result<std::vector<StoredObjectPtr>> list(const Context&, const ResourceDescriptor& resource,
                                            std::string_view ns) override {
    std::vector<StoredObjectPtr> result;
    for (const auto& [place, stored] : objects_) {
      if (std::get<0>(place) != resource.qualified_resource()) continue;
      if (ns.empty() || std::get<1>(place) == ns) result.push_back(stored);
    }
    return result;
  }
  Result<store::Revision> last_change(const Context&, const ResourceDescriptor& resource) override {
    return last_[resource.qualified_resource()];
  }
  Result<WriteResult> create(const WriteRequest& write, Object object) override {
    if (objects_.count(key(write.resource, object.namespace_(), object.name())) != 0) {
      return Error(Reason::AlreadyExists, "already exists");
    }
    return written(write, object, true);
  }
  Result<WriteResult> update(const WriteRequest& write, const UpdateOptions&, const Change& change) override {
    ASSIGN_OR_RETURN(Object current, get(write.context, write.resource, write.namespace_, write.name));
    ASSIGN_OR_RETURN(Object changed, change(&current));
    return written(write, changed, false);
  }
  Result<DeleteResult> remove(const WriteRequest& write, const DeleteOptions&) override {
    erase(write.resource, write.namespace_, write.name);
    return DeleteResult{nullptr, true};
  }

 private:
  using Place = std::tuple<std::string, std::string, std::string>;
  static Place key(const ResourceDescriptor& resource, std::string_view ns, std::string_view name) {
    return {resource.qualified_resource(), std::string(ns), std::string(name)};
  }
  Result<WriteResult> written(const WriteRequest& write, const Object& object, bool created) {
    if (refusal_) return *refusal_;
    ++writes_;
    put(write.resource, object);
    return WriteResult{objects_[key(write.resource, object.namespace_(), object.name())], created, false};
  }

  std::map<Place, StoredObjectPtr> objects_;
  std::map<std::string, store::Revision> last_;
  store::Revision revision_ = 0;
  std::size_t writes_ = 0;
  std::optional<Error> refusal_;
};

// The resources that the lookups and the bootstrap objects name.
class TestTable : public ResourceTable {
 public:
  TestTable() {
    for (const auto& [group, kind, plural, namespaced] : kinds()) {
      auto descriptor = std::make_shared<ResourceDescriptor>();
      descriptor->gvk = {group, "v1", kind};
      descriptor->resource = plural;
      descriptor->namespaced = namespaced;
      descriptor->storage_prefix = std::string("/registry/") + plural + "/";
      descriptor->storage_gvk = descriptor->gvk;
      all_.push_back(std::move(descriptor));
    }
  }
  ResourcePtr find(std::string_view group, std::string_view version, std::string_view resource) const override {
    for (const ResourcePtr& one : all_) {
      if (one->gvk.group == group && one->gvk.version == version && one->resource == resource) return one;
    }
    return nullptr;
  }
  ResourcePtr find_kind(const GroupVersionKind& gvk) const override {
    for (const ResourcePtr& one : all_) {
      if (one->gvk == gvk) return one;
    }
    return nullptr;
  }
  const std::vector<ResourcePtr>& all() const override { return all_; }
  bool has_group_version(std::string_view, std::string_view) const override { return true; }
  bool has_builtin_group(std::string_view) const override { return true; }
  std::uint64_t generation() const override { return 1; }

 private:
  struct KindRow {
    const char* group;
    const char* kind;
    const char* plural;
    bool namespaced;
  };
  static std::vector<KindRow> kinds() {
    constexpr const char* kRbac = "rbac.authorization.k8s.io";
    return {
        {"", "Namespace", "namespaces", false},
        {"", "Node", "nodes", false},
        {"", "Pod", "pods", true},
        {"", "Secret", "secrets", true},
        {"", "ConfigMap", "configmaps", true},
        {"", "ServiceAccount", "serviceaccounts", true},
        {"", "Service", "services", true},
        {"", "Endpoints", "endpoints", true},
        {"", "LimitRange", "limitranges", true},
        {"", "ResourceQuota", "resourcequotas", true},
        {"", "PersistentVolume", "persistentvolumes", false},
        {"", "PersistentVolumeClaim", "persistentvolumeclaims", true},
        {kRbac, "ClusterRole", "clusterroles", false},
        {kRbac, "ClusterRoleBinding", "clusterrolebindings", false},
        {kRbac, "Role", "roles", true},
        {kRbac, "RoleBinding", "rolebindings", true},
        {"storage.k8s.io", "StorageClass", "storageclasses", false},
        {"storage.k8s.io", "VolumeAttachment", "volumeattachments", false},
        {"scheduling.k8s.io", "PriorityClass", "priorityclasses", false},
        {"node.k8s.io", "RuntimeClass", "runtimeclasses", false},
        {"networking.k8s.io", "IngressClass", "ingressclasses", false},
        {"networking.k8s.io", "Ingress", "ingresses", true},
        {"networking.k8s.io", "ServiceCIDR", "servicecidrs", false},
        {"resource.k8s.io", "ResourceClaim", "resourceclaims", true},
        {"resource.k8s.io", "ResourceSlice", "resourceslices", false},
        {"apps", "Deployment", "deployments", true},
        {"certificates.k8s.io", "CertificateSigningRequest", "certificatesigningrequests", false},
        {"admissionregistration.k8s.io", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", false},
        {"discovery.k8s.io", "EndpointSlice", "endpointslices", true},
        {"coordination.k8s.io", "Lease", "leases", true},
        {"flowcontrol.apiserver.k8s.io", "FlowSchema", "flowschemas", false},
        {"flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", "prioritylevelconfigurations", false}};
  }

  std::vector<ResourcePtr> all_;
};

// A store, its resources, a reader and virtual time.
struct TestCluster {
  std::unique_ptr<SimExecutor> executor = SimExecutor::make(1, WallTime(std::chrono::seconds(1'800'000'000)));
  Context context{*executor};
  std::shared_ptr<const TestTable> table = std::make_shared<TestTable>();
  MapStore store;
  ObjectReader objects{table, store};

  // Puts an object given as JSON.
  void put(std::string_view text) {
    Object object(json::read(text).value());
    store.put(*table->find_kind(object.gvk()), object);
  }
  const ResourceDescriptor& resource(std::string_view group, std::string_view plural) const {
    return *table->find(group, "v1", plural);
  }
};

inline Object object_of(std::string_view text) {
  return Object(json::read(text).value());
}

inline Identity person(std::string user, std::vector<std::string> groups = {}) {
  return Identity{std::move(user), "", std::move(groups), {}};
}

}  // namespace coracle::kube::apiserver::testing
