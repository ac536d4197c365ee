#include <algorithm>
#include <utility>

#include "base/json/json.h"
#include "kube/apiserver/internal/custom_resources/stored_text.h"
#include "kube/apiserver/internal/generic_store.h"
#include "kube/apiserver/internal/object_meta.h"
#include "kube/apiserver/internal/stored_versions.h"
#include "kube/apiserver/internal/strategies/network/service_fields.h"
#include "kube/codec/normalise.h"
#include "kube/codec/protobuf.h"
#include "kube/schema/defaulting.h"
#include "kube/schema/pruning.h"

namespace coracle::kube::apiserver {

namespace {

// The schema of what is stored: where only apiVersion differs, the served version's.
const Schema* storage_schema(const ResourceDescriptor& resource) {
  if (resource.storage_gvk == resource.gvk) return resource.schema();
  if (resource.schema_of_version) return resource.schema_of_version(resource.storage_gvk.api_version());
  const auto& stored = resource.storage_gvk;
  const KindSchema* kind = find_builtin_kind(stored.group, stored.version, stored.kind);
  return kind != nullptr ? kind->schema : resource.builtin_schema;
}

Result<Object> relabel(const ResourceDescriptor& resource, const Object& object, const GroupVersionKind& to) {
  if (object.gvk() == to) return object;
  if (resource.convert) return resource.convert(object, to);
  return object.with("apiVersion", to.api_version()).with("kind", to.kind);
}

Value with_types_first(const Value& tree, const GroupVersionKind& gvk, bool custom) {
  Value::ObjectBuilder out;
  if (custom) out.append("apiVersion", gvk.api_version()).append("kind", gvk.kind);
  if (!custom) out.append("kind", gvk.kind).append("apiVersion", gvk.api_version());
  if (const Value* metadata = tree.find("metadata")) out.append("metadata", *metadata);
  for (const Value::Member& member : tree.members()) {
    if (member.key == "kind" || member.key == "apiVersion" || member.key == "metadata") continue;
    out.append(member.key, member.value);
  }
  return std::move(out).build();
}

// How stored_bytes() begins a built-in kind's value, behind the brace.
std::string own_type_members(const GroupVersionKind& stored) {
  return R"("kind":")" + stored.kind + R"(","apiVersion":")" + stored.api_version() + "\",";
}

// Whether a value of a built-in kind is what stored_bytes() has written: in the stored version, and as only we begin
// and end JSON. Upstream's ends with a line break, and nobody prints kind first who does it by hand.
bool is_own_text(const StoredObject& object, std::string_view own_types) {
  return object.type_members() == own_types && object.json()->back() == '}';
}

// Whether a value of a custom resource is what its definition makes of it.
bool is_custom_text(const StoredObject& object, const ResourceDescriptor& resource) {
  const std::string api_version = resource.storage_gvk.api_version();
  if (resource.convert && object.type_members().find("\"" + api_version + "\"") == std::string::npos) return false;
  const Schema* schema = resource.schema_of_version ? resource.schema_of_version(api_version) : nullptr;
  return schema == nullptr || fits_schema(*object.json(), *schema);
}

// What the store holds of a resource, in the stored version; built-in kinds in canonical form, as defaults ask for it.
Result<Object> read_tree(const ResourceDescriptor& resource, const std::string& stored, const Schema* schema) {
  if (!resource.custom) {
    ASSIGN_OR_RETURN(Value tree, read_builtin(stored, resource, schema));
    const bool canonical = has_envelope(stored) && Object(tree).gvk() == resource.storage_gvk;
    ASSIGN_OR_RETURN(Object object, to_storage(resource, Object(std::move(tree))));
    if (canonical || schema == nullptr) return object;
    ASSIGN_OR_RETURN(Value normal, kube::normalise(object.tree(), *schema));
    return Object(std::move(normal));
  }
  if (has_envelope(stored)) return Error(Reason::Corrupt, "a custom resource is stored as protobuf");
  auto tree = json::read(stored);
  if (!tree.ok()) return unreadable(stored, tree.error());
  ASSIGN_OR_RETURN(Object object, to_storage(resource, Object(std::move(tree).value())));
  // Written before generations were counted.
  return object.generation() == 0 ? object.with_metadata("generation", 1) : object;
}

// What has come into being since an object was stored shows all the same.
Value with_later_fields(const ResourceDescriptor& resource, const Value& tree, const Schema& schema) {
  const Value defaulted = apply_defaults(tree, schema, WallTime());
  const bool service = !resource.custom && resource.storage_gvk.group.empty() && resource.storage_gvk.kind == "Service";
  return service ? defaulted.with("spec", complete_stored_service(defaulted["spec"])) : defaulted;
}

}  // namespace

std::string storage_key(const ResourceDescriptor& resource, std::string_view ns, std::string_view name) {
  std::string key = resource.storage_prefix;
  key.reserve(key.size() + ns.size() + name.size() + 1);
  if (!ns.empty()) key.append(ns).append("/");
  key.append(name);
  return key;
}

Result<Object> to_storage(const ResourceDescriptor& resource, const Object& object) {
  // What the stored version does not know goes when bytes are made: until then the rules of the written one hold.
  const bool as_written = resource.custom && !resource.webhook_conversion;
  if (as_written) return object.with("apiVersion", resource.storage_gvk.api_version());
  return relabel(resource, object, resource.storage_gvk);
}

Result<Object> to_served(const ResourceDescriptor& resource, const Object& object) {
  return relabel(resource, object, resource.gvk);
}

Result<store::Bytes> stored_bytes(const ResourceDescriptor& resource, const Object& object) {
  Value tree = object.tree().with("metadata", object.metadata().without("resourceVersion").without("selfLink"));
  const Schema* schema = storage_schema(resource);
  if (resource.custom) {
    // Nulls that an apply has made and no rule has refused say nothing.
    if (schema != nullptr) tree = drop_nulls(prune(tree, *schema), *schema);
    ASSIGN_OR_RETURN(tree, kube::normalise_custom(tree));
  } else if (schema != nullptr) {
    ASSIGN_OR_RETURN(tree, kube::normalise(tree, *schema));
  }
  return std::make_shared<const std::string>(
      json::write(with_types_first(tree, resource.storage_gvk, resource.custom)));
}

Normalise normalise_for(const ResourceDescriptor& resource) {
  // What the closures need of the descriptor, which a cache outlives.
  auto made = std::make_shared<ResourceDescriptor>();
  made->gvk = resource.gvk;
  made->storage_gvk = resource.storage_gvk;
  made->builtin_schema = resource.builtin_schema;
  made->custom = resource.custom;
  made->convert = resource.convert;
  made->webhook_conversion = resource.webhook_conversion;
  made->schema_of_version = resource.schema_of_version;
  const ResourcePtr kept = std::move(made);
  Normalise normalise;
  normalise.always = resource.fills_in;
  normalise.definition = resource.definition;
  normalise.as_it_is = [kept, own_types = own_type_members(kept->storage_gvk)](const StoredObject& object) {
    return kept->custom ? is_custom_text(object, *kept) : is_own_text(object, own_types);
  };
  normalise.convert = [kept](const store::Bytes& stored) -> Result<store::Bytes> {
    const Schema* schema = storage_schema(*kept);
    ASSIGN_OR_RETURN(Object object, read_tree(*kept, *stored, schema));
    if (schema != nullptr) object = Object(with_later_fields(*kept, object.tree(), *schema));
    ASSIGN_OR_RETURN(store::Bytes bytes, stored_bytes(*kept, object));
    return *bytes == *stored ? stored : bytes;
  };
  return normalise;
}

WriteContext write_context(const WriteRequest& write) {
  return {write.context, write.subresource, write.namespace_, write.dry_run, write.context.clock().wall()};
}

Result<std::shared_ptr<WatchCache>> GenericStore::cache(const Context& context, const ResourceDescriptor& resource) {
  if (resource.storage_prefix.empty()) {
    return Error(Reason::MethodNotAllowed, resource.qualified_resource() + " are not stored");
  }
  if (auto loaded = feed_->loaded(resource.storage_prefix, resource.definition)) return loaded;
  return feed_->cache(context, resource.storage_prefix, normalise_for(resource));
}

Result<std::shared_ptr<WatchCache>> GenericStore::fresh_cache(const Context& context,
                                                              const ResourceDescriptor& resource) {
  // In this order: catching up may find that everything has to be loaded again.
  TRY(feed_->catch_up(context));
  return cache(context, resource);
}

Result<CacheSnapshot> GenericStore::snapshot_at(const Context& context, const ResourceDescriptor& resource,
                                                std::string_view ns, store::Revision revision) {
  store::ListOptions options;
  options.at = revision;
  const auto range = store::KeyRange::prefix(storage_key(resource, ns, ""));
  ASSIGN_OR_RETURN(const store::ListResult list, feed_->backend().list(context, range, options));
  ASSIGN_OR_RETURN(const std::shared_ptr<WatchCache> now, cache(context, resource));
  auto objects = std::make_shared<std::vector<StoredObjectPtr>>();
  objects->reserve(list.entries.size());
  for (const store::Entry& entry : list.entries) {
    if (auto object = now->read_value(entry.key, entry.value, entry.mod_revision))
      objects->push_back(std::move(object));
  }
  CacheSnapshot snapshot;
  snapshot.objects = std::move(objects);
  snapshot.revision = revision;
  return snapshot;
}

Result<GenericStore::Attempt<StoredObjectPtr>> GenericStore::replace(const WriteRequest& write, store::Bytes bytes,
                                                                     const StoredObject& current) {
  const ResourceDescriptor& resource = write.resource;
  const std::string key = storage_key(resource, current.namespace_(), current.name());
  ASSIGN_OR_RETURN(const store::WriteOutcome outcome,
                   feed_->backend().update(write.context, key, bytes, current.revision(), resource.lease));
  if (const auto* lost = std::get_if<store::Lost>(&outcome)) {
    ASSIGN_OR_RETURN(StoredObjectPtr winner, winner_of(resource, *lost));
    return Attempt<StoredObjectPtr>{std::nullopt, std::move(winner)};
  }
  ASSIGN_OR_RETURN(StoredObjectPtr stored,
                   StoredObject::make(std::move(bytes), std::get<store::Written>(outcome).revision));
  return Attempt<StoredObjectPtr>{std::move(stored), nullptr};
}

// Null when the object is gone.
Result<StoredObjectPtr> GenericStore::winner_of(const ResourceDescriptor& resource, const store::Lost& lost) const {
  return lost.entry ? read_entry(resource, *lost.entry) : StoredObjectPtr();
}

Result<StoredObjectPtr> GenericStore::read_entry(const ResourceDescriptor& resource, const store::Entry& entry) const {
  // Building the converter costs more than most values need.
  if (!resource.custom) {
    auto object = StoredObject::make(entry.value, entry.mod_revision);
    if (object.ok() && is_own_text(**object, own_type_members(resource.storage_gvk))) return object;
  }
  return read_stored(normalise_for(resource), entry.value, entry.mod_revision);
}

Result<StoredObjectPtr> GenericStore::find(const Context& context, const ResourceDescriptor& resource,
                                           std::string_view ns, std::string_view name) {
  if (resource.storage_prefix.empty()) return StoredObjectPtr();
  // The store knows what is newest; waiting until the caches do would delay every write.
  ASSIGN_OR_RETURN(const auto got, feed_->backend().get(context, storage_key(resource, ns, name)));
  if (!got.entry) return StoredObjectPtr();
  if (const auto loaded = feed_->loaded(resource.storage_prefix, resource.definition)) {
    StoredObjectPtr known = loaded->find(ns, name);
    if (known != nullptr && known->revision() == got.entry->mod_revision) return known;
  }
  return read_entry(resource, *got.entry);
}

Result<Object> GenericStore::get(const Context& context, const ResourceDescriptor& resource, std::string_view ns,
                                 std::string_view name) {
  ASSIGN_OR_RETURN(const StoredObjectPtr found, find(context, resource, ns, name));
  if (found == nullptr) return not_found(resource, name);
  return found->object();
}

Result<std::vector<StoredObjectPtr>> GenericStore::list(const Context& context, const ResourceDescriptor& resource,
                                                        std::string_view ns) {
  // Admission lists what most namespaces have none of; to know that takes no cache.
  if (!resource.storage_prefix.empty()) {
    const auto keys = store::KeyRange::prefix(storage_key(resource, ns, ""));
    ASSIGN_OR_RETURN(const std::size_t count, feed_->backend().count(context, keys));
    if (count == 0) return std::vector<StoredObjectPtr>();
  }
  ASSIGN_OR_RETURN(const auto loaded, fresh_cache(context, resource));
  const CacheSnapshot snapshot = loaded->snapshot(feed_->progress());
  const auto range = snapshot.range(ns);
  return std::vector<StoredObjectPtr>(range.begin(), range.end());
}

Result<store::Revision> GenericStore::last_change(const Context& context, const ResourceDescriptor& resource) {
  ASSIGN_OR_RETURN(const auto loaded, fresh_cache(context, resource));
  return loaded->last_change();
}

Result<void> GenericStore::admit(const WriteRequest& write, Operation operation, Object* object, const Object* old) {
  if (!write.admission) return {};
  std::vector<std::string> ignored;
  const AdmissionAttributes attributes{
      operation, write.resource, write.subresource, write.namespace_, write.name, *write.context.identity(),
      old,       write.dry_run,  write.request_name};
  return admission_.admit(write.context, attributes, object, write.warnings != nullptr ? *write.warnings : ignored);
}

Result<void> GenericStore::admit_validating(const WriteRequest& write, Operation operation, const Object* object,
                                            const Object* old) {
  if (!write.admission) return {};
  std::vector<std::string> ignored;
  const std::string_view name = write.name.empty() && object != nullptr ? object->name() : write.name;
  const AdmissionAttributes attributes{
      operation, write.resource, write.subresource, write.namespace_, name, *write.context.identity(),
      old,       write.dry_run,  write.request_name};
  return admission_.validate(write.context, attributes, object, write.warnings != nullptr ? *write.warnings : ignored);
}

}  // namespace coracle::kube::apiserver
