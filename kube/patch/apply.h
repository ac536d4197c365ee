#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "kube/object/object.h"
#include "kube/patch/field_set.h"
#include "kube/schema/schema.h"

// Field ownership and server-side apply as pure functions.
// https://kubernetes.io/docs/reference/using-api/server-side-apply/
namespace coracle::kube::patch {

// An object in another version of its resource, with that version's schema.
struct VersionedTree {
  Value tree;
  const Schema* schema = nullptr;
};
// Converts to an apiVersion. NotFound for one that is not served any more: its owners are dropped.
using VersionConverter = std::function<Result<VersionedTree>(const Value& tree, std::string_view api_version)>;

// Who writes what.
struct FieldManagement {
  GroupVersionKind gvk;            // of the request; live, updated and applied objects are in this version
  const Schema* schema = nullptr;  // of that version; null tracks by the shape of values
  std::string manager;             // field manager; empty reads "unknown"
  std::string subresource;         // "" for the main resource
  WallTime now;
  const FieldSet* reset_fields = nullptr;  // what this (sub)resource never writes: not owned, not in conflict
  bool custom = false;                     // explicit nulls of custom objects stay
  VersionConverter convert;                // empty: owners under other versions are dropped
};

// Create (`live` null), PUT and every patch but apply: `updated` with its managedFields brought up to
// date. Cannot fail: where fields cannot be tracked, managedFields are left out, as upstream does.
Object update_managed_fields(const FieldManagement& management, const Object* live, const Object& updated);

// The object that applying `applied` to `live` (null: create) makes, with managedFields. The errors
// are upstream's: Conflict with a cause for each field, BadRequest, and code 500 for an object that
// does not fit its schema. An apply that changes nothing answers `live` itself.
Result<Object> apply(const FieldManagement& management, const Object* live, const Object& applied, bool force);

// `updated`, or `old` where the two differ in nothing but managedFields' times: such a write is none.
Object without_timestamp_changes(const Object& old, const Object& updated);

// managedFields of a Scale and of its parent. `replicas_path` are the field names of the replicas in
// the parent ("spec", "replicas"); `parent_api_version` is the parent's.
Value scale_managed_fields(const Value& parent_managed_fields, std::string_view parent_api_version,
                           std::span<const std::string_view> replicas_path);
Value parent_managed_fields(const Value& parent_managed_fields, const Value& scale_managed_fields,
                            std::string_view parent_api_version, std::span<const std::string_view> replicas_path);

}  // namespace coracle::kube::patch
