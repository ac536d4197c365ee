#include "kube/patch/internal/ownership.h"

#include <algorithm>

namespace coracle::kube::patch::internal {

const FieldSet& unowned_fields() {
  static const FieldSet fields =
      FieldSet::of_fields({"apiVersion", "kind", "metadata", "metadata.name", "metadata.namespace",
                           "metadata.creationTimestamp", "metadata.selfLink", "metadata.uid", "metadata.clusterName",
                           "metadata.generation", "metadata.managedFields", "metadata.resourceVersion"});
  return fields;
}

Value without_managed_fields(const Value& tree) {
  const Value& metadata = tree["metadata"];
  if (!metadata.contains("managedFields")) return tree;
  return tree.with("metadata", metadata.without("managedFields"));
}

Object with_managers(const Value& tree, Managers managers) {
  Value written = write_managers(std::move(managers));
  if (written.is_null()) return Object(tree);
  return Object(tree.with("metadata", tree["metadata"].with("managedFields", std::move(written))));
}

Versions::Versions(const FieldManagement& management, Value tree)
    : management_(management), own_(management.gvk.api_version()) {
  trees_.emplace(own_, std::pair{true, VersionedTree{std::move(tree), management.schema}});
}

const VersionedTree* Versions::in(const std::string& api_version) {
  auto found = trees_.find(api_version);
  if (found == trees_.end()) {
    std::pair<bool, VersionedTree> made{false, {}};
    if (management_.convert) {
      Result<VersionedTree> converted = management_.convert(trees_.find(own_)->second.second.tree, api_version);
      if (converted.ok()) made = {true, std::move(*converted)};
    }
    found = trees_.emplace(api_version, std::move(made)).first;
  }
  return found->second.first ? &found->second.second : nullptr;
}

Change::Change(const FieldManagement& management, Value from, Value to)
    : management_(management), from_(management, std::move(from)), to_(management, std::move(to)) {}

const Comparison* Change::in(const std::string& api_version) {
  if (const auto found = comparisons_.find(api_version); found != comparisons_.end()) return &found->second;
  const VersionedTree* from = from_.in(api_version);
  const VersionedTree* to = to_.in(api_version);
  if (from == nullptr || to == nullptr) return nullptr;
  Comparison comparison = compare(TypeRef::declared(to->schema), &from->tree, &to->tree);
  if (management_.reset_fields != nullptr) {
    comparison.added = std::move(comparison.added).recursive_difference(*management_.reset_fields);
    comparison.modified = std::move(comparison.modified).recursive_difference(*management_.reset_fields);
    comparison.removed = std::move(comparison.removed).recursive_difference(*management_.reset_fields);
  }
  return &comparisons_.emplace(api_version, std::move(comparison)).first->second;
}

std::vector<Conflict> take_changed(Change& change, Managers& managers, const Manager* self) {
  std::vector<Conflict> conflicts;
  Managers kept;
  kept.reserve(managers.size());
  for (Manager& manager : managers) {
    if (self != nullptr && manager.same_identity(*self)) {
      kept.push_back(std::move(manager));
      continue;
    }
    const Comparison* changed = change.in(manager.api_version);
    if (changed == nullptr) continue;
    if (manager.fields.intersects(changed->added) || manager.fields.intersects(changed->modified)) {
      const FieldSet written = changed->modified.united(changed->added);
      FieldSet lost = manager.fields.intersection(written);
      manager.set_fields(manager.fields.difference(lost));
      conflicts.push_back({manager.identity(), manager.readable(), std::move(lost)});
    }
    if (manager.fields.intersects(changed->removed)) manager.set_fields(manager.fields.difference(changed->removed));
    if (!manager.fields.empty()) kept.push_back(std::move(manager));
  }
  managers = std::move(kept);
  return conflicts;
}

Value blank_object(const FieldManagement& management) {
  const bool built_in = management.schema != nullptr && !management.custom;
  Value::ObjectBuilder blank(built_in ? zero_object(*management.schema) : Value());
  blank.set("apiVersion", management.gvk.api_version()).set("kind", management.gvk.kind);
  return std::move(blank).build();
}

void record_update(const FieldManagement& management, std::string_view manager_name, const Value& live,
                   const Value& updated, Managers& managers) {
  Change change(management, live, updated);
  take_changed(change, managers, nullptr);
  Manager self;
  self.name = manager_name.empty() ? "unknown" : std::string(manager_name);
  self.api_version = management.gvk.api_version();
  self.subresource = management.subresource;
  const Comparison* own = change.in(self.api_version);
  FieldSet written = own->modified.united(own->added).difference(unowned_fields());
  if (!written.empty()) {
    Manager* previous = find_manager(managers, self);
    if (previous == nullptr) {
      managers.push_back(std::move(self));
      previous = &managers.back();
      previous->set_fields(std::move(written));
    } else {
      previous->set_fields(previous->fields.united(written));
    }
    previous->time = format_time(management.now);
  }
  cap_updaters(managers);
}

}  // namespace coracle::kube::patch::internal
