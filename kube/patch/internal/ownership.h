#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "kube/patch/apply.h"
#include "kube/patch/internal/managers.h"
#include "kube/patch/internal/typed_tree.h"

namespace coracle::kube::patch::internal {

// The pieces that update and apply share.

// An object without metadata.managedFields: they own nothing and are owned by nobody.
Value without_managed_fields(const Value& tree);
// The same with the managers written into metadata.managedFields.
Object with_managers(const Value& tree, Managers managers);

// One object in the versions that its managers used. Holds the request's version from the start.
class Versions {
 public:
  Versions(const FieldManagement& management, Value tree);
  // Nothing for a version that is not served.
  const VersionedTree* in(const std::string& api_version);

 private:
  const FieldManagement& management_;
  std::string own_;
  std::map<std::string, std::pair<bool, VersionedTree>, std::less<>> trees_;
};

struct Conflict {
  std::string manager;  // identity, for the order
  std::string readable;
  FieldSet fields;
};

// What changed between two objects, per version of its managers.
class Change {
 public:
  Change(const FieldManagement& management, Value from, Value to);
  const Comparison* in(const std::string& api_version);

 private:
  const FieldManagement& management_;
  Versions from_, to_;
  std::map<std::string, Comparison, std::less<>> comparisons_;
};

// Takes what changed from every manager but `self` (null: from all). Returns what they lost to
// additions and modifications; managers under unserved versions are dropped.
std::vector<Conflict> take_changed(Change& change, Managers& managers, const Manager* self);

// What a created object is compared with.
Value blank_object(const FieldManagement& management);

// Records that `management.manager` changed `live` into `updated`.
void record_update(const FieldManagement& management, std::string_view manager, const Value& live, const Value& updated,
                   Managers& managers);

// Fields that belong to nobody: name, uid and the like.
const FieldSet& unowned_fields();

}  // namespace coracle::kube::patch::internal
