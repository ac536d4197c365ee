#include "kube/apply/inventory.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "base/text.h"

namespace coracle::kube {
namespace {

constexpr char kSeparator = '_';

}  // namespace

InventoryEntry InventoryEntry::of(const Object& object) {
  const GroupVersionKind gvk = object.gvk();
  return {std::string(object.namespace_()), std::string(object.name()), gvk.group, gvk.kind, gvk.version};
}

std::string InventoryEntry::id() const {
  return namespace_ + kSeparator + replace_all(name, ":", "__") + kSeparator + group + kSeparator + kind;
}

std::string InventoryEntry::subject() const {
  return kind + "/" + key().text();
}

// The namespace holds no underscore and group and kind neither, so the name is what lies between the
// first and the last but one.
Result<InventoryEntry> InventoryEntry::parse(std::string_view id, std::string_view version) {
  const std::size_t first = id.find(kSeparator);
  const std::size_t last = id.rfind(kSeparator);
  const std::size_t middle = last == std::string_view::npos || last == 0 ? last : id.rfind(kSeparator, last - 1);
  if (first == std::string_view::npos || middle == std::string_view::npos || middle <= first) {
    return Error(Reason::Corrupt,
                 "inventory id \"" + std::string(id) + "\": expected <namespace>_<name>_<group>_<kind>");
  }
  InventoryEntry entry;
  entry.namespace_ = id.substr(0, first);
  entry.name = replace_all(id.substr(first + 1, middle - first - 1), "__", ":");
  entry.group = id.substr(middle + 1, last - middle - 1);
  entry.kind = id.substr(last + 1);
  entry.version = version;
  return entry;
}

Value inventory_value(const Inventory& inventory) {
  Value::ArrayBuilder entries;
  for (const InventoryEntry& entry : inventory) {
    entries.add(Value::object({{"id", entry.id()}, {"v", entry.version}}));
  }
  return Value::object({{"entries", std::move(entries).build()}});
}

Result<Inventory> read_inventory(const Value& value) {
  Inventory inventory;
  for (const Value& item : value["entries"].items()) {
    ASSIGN_OR_RETURN(InventoryEntry entry, InventoryEntry::parse(item["id"].as_string(), item["v"].as_string()));
    inventory.push_back(std::move(entry));
  }
  return inventory;
}

Inventory inventory_difference(const Inventory& before, const Inventory& now) {
  std::set<std::string> kept;
  for (const InventoryEntry& entry : now) kept.insert(entry.id());
  Inventory difference;
  std::copy_if(before.begin(), before.end(), std::back_inserter(difference),
               [&kept](const InventoryEntry& entry) { return !kept.contains(entry.id()); });
  return difference;
}

}  // namespace coracle::kube
