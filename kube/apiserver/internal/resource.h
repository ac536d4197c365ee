#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "kube/object/object.h"
#include "kube/schema/schema.h"

namespace coracle::kube::apiserver {

// Entries of an Invalid status: upstream's field.ErrorList, made by kube/schema/field_error.h.
using FieldErrors = std::vector<Cause>;

// What a hook may know about the write it takes part in.
struct WriteContext {
  const Context& context;
  std::string_view subresource;  // "" for the main resource
  std::string_view namespace_;
  bool dry_run = false;
  WallTime now;
};

// What is special about a resource. Names and order of the hooks are upstream's: prepare, validate,
// warnings, then allocation around the write. Every default does what most resources need. Objects
// arrive in the storage version, decoded, defaulted and checked against the schema. Thread-safe.
class Strategy {
 public:
  virtual ~Strategy() = default;

  virtual Result<Object> prepare_for_create(const WriteContext& write, Object object) const;
  virtual Result<Object> prepare_for_update(const WriteContext& write, Object object, const Object& old) const;
  virtual void validate(const WriteContext& write, const Object& object, FieldErrors& errors) const;
  virtual void validate_update(const WriteContext& write, const Object& object, const Object& old,
                               FieldErrors& errors) const;
  virtual std::vector<std::string> warnings(const WriteContext& write, const Object& object, const Object* old) const;

  // Takes what must be unique (cluster IPs, node ports) before the store is written; `undo` runs when
  // the write fails, or always with dry run; `commit` once it is in the store, to give back what the
  // old object had and the new one does not need. Both may be empty. `old` is null on create.
  struct Allocation {
    Object object;
    std::function<void()> undo;
    std::function<void()> commit;
  };
  virtual Result<Allocation> begin_write(const WriteContext& write, Object object, const Object* old) const;
  // After the object is gone from the store.
  virtual void after_delete(const WriteContext& write, const Object& object) const;
  // The propagation that a DELETE without a policy means: "Background", "Orphan" or "".
  virtual std::string_view default_propagation() const { return ""; }
  // Why nobody may delete the object of this name (system priority classes); "" when they may. Deleting a collection
  // does not ask, as upstream's does not.
  virtual std::string_view deletion_refusal(std::string_view name) const;
  // Seconds that a deleted object stays for its owner to end it (pods), given what the caller asks
  // for; nothing when the resource knows no grace.
  virtual std::optional<std::int64_t> grace_period(const WriteContext& write, const Object& object,
                                                   std::optional<std::int64_t> requested) const;
  // Keeps something else than metadata.finalizers the deleted object (namespaces: spec.finalizers)?
  virtual bool holds_deletion(const Object& object) const;
  // What the mark of deletion changes beside metadata (namespaces: the phase).
  virtual Object mark_deleted(const WriteContext& write, Object object) const;

  virtual bool allow_create_on_update() const { return false; }     // PUT of a missing object
  virtual bool allow_unconditional_update() const { return true; }  // PUT without resourceVersion
  virtual bool returns_object_on_delete() const { return false; }
  virtual bool status_resets_metadata() const { return false; }  // /status keeps the old metadata
};

// The strategy of resources with nothing special but status and generation:
// create clears status and sets generation 1; update keeps the old status and counts spec changes.
struct StandardBehaviour {
  bool has_status = false;  // clear on create, keep on update, /status writes only it
  bool counts_generation = false;
  bool status_resets_metadata = false;  // /status keeps all metadata but managedFields
  bool create_on_update = false;
  bool unconditional_update = true;
  bool returns_object_on_delete = false;
};
std::unique_ptr<Strategy> make_standard_strategy(StandardBehaviour behaviour);

struct TableColumn {
  std::string name;
  std::string type = "string";
  std::string format;
  std::string description;
  int priority = 0;
};

// How objects of one resource become rows; cells are JSON values in the order of `columns`.
struct TableConvertor {
  std::vector<TableColumn> columns;
  std::function<std::vector<Value>(const Object& object, WallTime now)> cells;
  // Conditions of the row (a finished pod is Completed); may be empty.
  std::function<Value(const Object& object)> conditions;
};

struct SubresourceDescriptor {
  std::string name;            // "status", "scale", "token"
  std::string kind;            // of what is sent and answered
  std::string group, version;  // empty: as the resource
  std::vector<std::string> verbs;
  // Of "scale" where the paths are not spec.replicas and status.replicas (custom resources).
  std::string spec_replicas_path, status_replicas_path, label_selector_path;
};

// Everything the registry knows of one resource in one group version. One table serves built-ins and
// custom resources alike; values are immutable once registered.
struct ResourceDescriptor {
  GroupVersionKind gvk;
  std::string resource;  // plural, "deployments"
  std::string singular;
  std::string list_kind;
  bool namespaced = true;
  std::vector<std::string> short_names;
  std::vector<std::string> categories;
  std::vector<std::string> verbs;
  std::vector<SubresourceDescriptor> subresources;

  std::string storage_prefix;              // "/registry/pods/"; empty for resources that are not stored
  GroupVersionKind storage_gvk;            // the version that is written
  const Schema* builtin_schema = nullptr;  // of this version; null for custom resources
  std::shared_ptr<const Strategy> strategy;
  std::shared_ptr<const TableConvertor> table;
  bool custom = false;  // from a CustomResourceDefinition
  // What is wrong with a name, in upstream's words; null: a DNS-1123 subdomain.
  std::vector<std::string> (*check_name)(std::string_view name) = nullptr;
  // Fields that ?fieldSelector= may name beside metadata.name and metadata.namespace, with their values.
  std::vector<std::string> selectable_fields;
  std::function<std::string(const Object&, std::string_view field)> field_value;
  // Custom resources: the schema of a version ("example.com/v2"); null when objects are neither served nor stored
  // in it. Compiled at the first call, lives as long as this function does.
  std::function<const Schema*(std::string_view api_version)> schema_of_version;
  bool fills_in = false;        // custom resources: some version's schema has defaults
  std::int64_t definition = 0;  // custom resources: the revision of the definition that made this
  // Custom resources in OpenAPI documents: the schema as it was given, read at every call, and what changes with it.
  std::function<Value()> published_schema;
  std::string published_id;
  // Between versions of one resource; empty where only apiVersion differs.
  std::function<Result<Object>(const Object&, const GroupVersionKind& to)> convert;
  bool webhook_conversion = false;  // convert says that another server would have to do it
  std::string deprecation_warning;
  std::chrono::seconds lease{0};  // objects expire (events)

  // Of this version; null where there is none.
  const Schema* schema() const { return schema_of_version ? schema_of_version(gvk.api_version()) : builtin_schema; }
  GroupVersionResource gvr() const { return {gvk.group, gvk.version, resource}; }
  // "deployments.apps", "pods": as error messages name it.
  std::string qualified_resource() const { return gvk.group.empty() ? resource : resource + "." + gvk.group; }
  const SubresourceDescriptor* find_subresource(std::string_view name) const;
  // The resource itself ("") or a subresource.
  bool serves(std::string_view subresource) const {
    return subresource.empty() || find_subresource(subresource) != nullptr;
  }
};

using ResourcePtr = std::shared_ptr<const ResourceDescriptor>;

}  // namespace coracle::kube::apiserver
