#include <algorithm>
#include <utility>

#include "kube/patch/apply.h"
#include "kube/patch/internal/ownership.h"

namespace coracle::kube::patch {
namespace {

using internal::Manager;
using internal::Managers;
using internal::TypeRef;

// [] and [{}] ask the server to forget all owners.
bool resets_owners(const Value* managed_fields) {
  if (managed_fields == nullptr || !managed_fields->is_array()) return false;
  return managed_fields->empty() ||
         (managed_fields->size() == 1 && managed_fields->at(0).is_object() && managed_fields->at(0).empty());
}

Managers managers_or_none(const Value& managed_fields) {
  Result<Managers> managers = internal::read_managers(managed_fields);
  return managers.ok() ? std::move(*managers) : Managers();
}

// Clients may edit managedFields through the main resource; what they leave out or get wrong counts
// as unchanged.
Managers starting_managers(const FieldManagement& management, const Object* live, const Object& updated) {
  const Value& live_fields = live != nullptr ? live->metadata()["managedFields"] : Value();
  if (!management.subresource.empty()) return managers_or_none(live_fields);
  const Value* sent = updated.metadata().find("managedFields");
  if (resets_owners(sent)) return {};
  Managers managers = sent != nullptr ? managers_or_none(*sent) : Managers();
  return managers.empty() ? managers_or_none(live_fields) : managers;
}

bool differ_only_in_times(const Value& old_fields, const Value& new_fields) {
  if (old_fields.size() != new_fields.size()) return false;
  for (std::size_t i = 0; i < old_fields.size(); ++i) {
    const Value& old_entry = old_fields.at(i);
    const Value& new_entry = new_fields.at(i);
    if (!(old_entry.without("time") == new_entry.without("time"))) return false;
  }
  return true;
}

// managedFields are sorted by time: compare them in an order that times cannot change.
Value by_identity(const Value& managed_fields) {
  std::vector<Value> entries(managed_fields.items().begin(), managed_fields.items().end());
  const auto key = [](const Value& entry) {
    return std::string(entry["operation"].as_string()) + '\0' + std::string(entry["manager"].as_string()) + '\0' +
           std::string(entry["apiVersion"].as_string()) + '\0' + std::string(entry["subresource"].as_string());
  };
  std::sort(entries.begin(), entries.end(), [&](const Value& a, const Value& b) { return key(a) < key(b); });
  return Value::array(std::move(entries));
}

}  // namespace

Object update_managed_fields(const FieldManagement& management, const Object* live, const Object& updated) {
  const Value after = internal::without_managed_fields(updated.tree());
  Managers managers = starting_managers(management, live, updated);
  // An object whose owners were forgotten stays untracked until it is applied.
  const bool create = live == nullptr || live->uid().empty();
  if (managers.empty() && !create) return Object(after);
  const Value before =
      live != nullptr ? internal::without_managed_fields(live->tree()) : internal::blank_object(management);
  if (management.custom) {
    const TypeRef type = TypeRef::declared(management.schema);
    for (Manager& manager : managers) {
      if (manager.api_version != management.gvk.api_version()) continue;
      FieldSet collapsed = internal::collapse_atomics(type, manager.fields);
      if (!(collapsed == manager.fields)) manager.set_fields(std::move(collapsed));
    }
  }
  internal::record_update(management, management.manager, before, after, managers);
  return internal::with_managers(after, std::move(managers));
}

Object without_timestamp_changes(const Object& old, const Object& updated) {
  const Value& old_fields = old.metadata()["managedFields"];
  const Value& new_fields = updated.metadata()["managedFields"];
  if (!differ_only_in_times(by_identity(old_fields), by_identity(new_fields))) return updated;
  const auto rest = [](const Object& object) {
    const Value tree = internal::without_managed_fields(object.tree());
    return tree.with("metadata", tree["metadata"].without("resourceVersion"));
  };
  return rest(old) == rest(updated) ? old : updated;
}

}  // namespace coracle::kube::patch
