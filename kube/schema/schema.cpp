#include "kube/schema/schema.h"

#include <algorithm>
#include <tuple>

#include "kube/schema/canonical.h"
#include "kube/schema/internal/tables.h"

namespace coracle::kube {

const Field* Schema::find(std::string_view json_name) const {
  for (const Field& field : fields) {
    if (field.name == json_name) return &field;
  }
  return nullptr;
}

std::span<const KindSchema> builtin_kinds() {
  return internal::kind_table();
}

std::span<const Schema* const> builtin_types() {
  return internal::type_table();
}

std::span<const TypeUnions> builtin_unions() {
  return internal::union_table();
}

const KindSchema* find_builtin_kind(std::string_view group, std::string_view version, std::string_view kind) {
  const auto wanted = std::tie(group, version, kind);
  const auto kinds = builtin_kinds();
  const auto found = std::lower_bound(kinds.begin(), kinds.end(), wanted, [](const KindSchema& row, const auto& key) {
    return std::tie(row.group, row.version, row.kind) < key;
  });
  if (found == kinds.end() || std::tie(found->group, found->version, found->kind) != wanted) return nullptr;
  return &*found;
}

const Schema* find_builtin_type(std::string_view name) {
  const auto types = builtin_types();
  const auto found = std::lower_bound(types.begin(), types.end(), name,
                                      [](const Schema* type, std::string_view key) { return type->name < key; });
  return found != types.end() && (*found)->name == name ? *found : nullptr;
}

Value sorted_members(Value map) {
  const std::span<const Value::Member> members = map.members();
  const auto by_key = [](const Value::Member& a, const Value::Member& b) { return a.key < b.key; };
  if (std::is_sorted(members.begin(), members.end(), by_key)) return map;
  std::vector<Value::Member> sorted(members.begin(), members.end());
  std::sort(sorted.begin(), sorted.end(), by_key);
  return Value::object(std::move(sorted));
}

}  // namespace coracle::kube
