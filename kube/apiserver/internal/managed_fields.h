#pragma once

#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "kube/apiserver/internal/resource.h"

namespace coracle::kube::apiserver {

// Who writes which part of what: the key of an entry in metadata.managedFields.
struct FieldOwner {
  const ResourceDescriptor& resource;  // of the version that the caller speaks
  std::string_view manager;
  std::string_view subresource;
  WallTime now;
};

// The object with managedFields that tell what this create or update has changed. `live` is null on
// create. Objects are in the caller's version. Never fails: an object that cannot be tracked keeps
// the fields of the live one, as upstream does.
Object track_managed_fields(const FieldOwner& owner, const Object* live, const Object& object);

// Server-side apply of `applied` onto `live` (null: it does not exist yet). Conflict lists the
// fields that other managers own, unless `force`.
Result<Object> apply_managed_fields(const FieldOwner& owner, const Object* live, const Object& applied, bool force);

}  // namespace coracle::kube::apiserver
