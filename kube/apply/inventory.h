#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/value.h"
#include "kube/object/object.h"

namespace coracle::kube {

// What one owner has applied, in the form that Flux keeps in status.inventory:
// id "<namespace>_<name>_<group>_<kind>" (a colon in a name is written "__"), v "<version>".
struct InventoryEntry {
  std::string namespace_;
  std::string name;
  std::string group;
  std::string kind;
  std::string version;

  static InventoryEntry of(const Object& object);
  static Result<InventoryEntry> parse(std::string_view id, std::string_view version);
  std::string id() const;
  // "Deployment/shop/web", as messages name an object.
  std::string subject() const;
  GroupVersionKind gvk() const { return {group, version, kind}; }
  ObjectKey key() const { return {namespace_, name}; }
  bool operator==(const InventoryEntry&) const = default;
};

using Inventory = std::vector<InventoryEntry>;

// {"entries": [{"id": ..., "v": ...}]}
Value inventory_value(const Inventory& inventory);
// Entries that cannot be read are an error: they would otherwise be forgotten and never pruned.
Result<Inventory> read_inventory(const Value& value);
// Entries of `before` whose object is not in `now`, whatever the version, in the order of `before`.
Inventory inventory_difference(const Inventory& before, const Inventory& now);

}  // namespace coracle::kube
