#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kube/apiserver/internal/resource.h"

namespace coracle::kube::apiserver {

// Every served resource at one moment. Immutable; a change of the set (a CRD comes or goes) makes a
// new one.
class ResourceTable {
 public:
  virtual ~ResourceTable() = default;
  virtual ResourcePtr find(std::string_view group, std::string_view version, std::string_view resource) const = 0;
  virtual ResourcePtr find_kind(const GroupVersionKind& gvk) const = 0;
  // In discovery order: groups by priority, versions by preference, resources by name.
  virtual const std::vector<ResourcePtr>& all() const = 0;
  virtual bool has_group_version(std::string_view group, std::string_view version) const = 0;
  // Whether resources that are not custom belong to the group.
  virtual bool has_builtin_group(std::string_view group) const = 0;
  // Grows with every change; also the source of discovery's and OpenAPI's ETag.
  virtual std::uint64_t generation() const = 0;
};
using ResourceTablePtr = std::shared_ptr<const ResourceTable>;

// The living set of resources. Thread-safe.
class Registry {
 public:
  virtual ~Registry() = default;
  virtual ResourceTablePtr table() const = 0;
  // Replaces all custom resources of one plural.group (its served versions); empty removes it.
  virtual void set_custom(std::string_view group, std::string_view plural, std::vector<ResourcePtr> versions) = 0;
  // Called after each change, on the thread that made it.
  virtual void on_change(std::function<void(const ResourceTablePtr&)> callback) = 0;
};

std::unique_ptr<Registry> make_registry(std::vector<ResourcePtr> builtin);

// v2 before v1 before v1beta1 before anything else.
bool version_before(std::string_view left, std::string_view right);

}  // namespace coracle::kube::apiserver
