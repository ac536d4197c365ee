#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/value.h"
#include "kube/patch/field_set.h"

namespace coracle::kube::patch::internal {

// One entry of metadata.managedFields.
struct Manager {
  std::string name;
  bool applied = false;  // operation Apply, else Update
  std::string api_version;
  std::string subresource;
  std::string time;  // RFC 3339; empty where the entry has none
  FieldSet fields;
  Value written;  // fieldsV1 as it was read; null once `fields` differ from it

  // Appliers are one manager whatever their version, updaters are one per version.
  bool same_identity(const Manager& other) const;
  // The entry's identity as text: the order of conflicts and of forgetting.
  std::string identity() const;
  // "name" with subresource "status" using v1, as conflict messages name a manager.
  std::string readable() const;
  void set_fields(FieldSet set) {
    fields = std::move(set);
    written = Value();
  }
};

using Managers = std::vector<Manager>;

// BadRequest for entries that upstream would not accept.
Result<Managers> read_managers(const Value& managed_fields);
// Sorted as upstream sorts; null when there is none.
Value write_managers(Managers managers);

Manager* find_manager(Managers& managers, const Manager& identity);
void drop_empty(Managers& managers);
// More than ten updaters: the oldest are merged into one named "ancient-changes" per version.
void cap_updaters(Managers& managers);

}  // namespace coracle::kube::patch::internal
