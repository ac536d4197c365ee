#pragma once

#include "base/clock.h"
#include "kube/apiserver/resource.h"

namespace coracle::kube::apiserver {

// The defaults of the version that the caller speaks, filled in.
Object default_object(const ResourceDescriptor& resource, const Object& object, WallTime now);

// What the schema demands: required fields, enums, bounds, patterns, immutable fields. `old` is null on create.
void validate_schema(const ResourceDescriptor& resource, const Object& object, const Object* old, FieldErrors& errors);

}  // namespace coracle::kube::apiserver
