#pragma once

#include "kube/apiserver/internal/resource.h"

namespace coracle::kube::apiserver {

// What the schema demands: required fields, enums, bounds, patterns, immutable fields. `old` is null on create.
void validate_schema(const ResourceDescriptor& resource, const Object& object, const Object* old, FieldErrors& errors);

}  // namespace coracle::kube::apiserver
