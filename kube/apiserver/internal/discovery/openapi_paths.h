#pragma once

#include "base/value.h"
#include "kube/apiserver/internal/discovery/openapi_schema.h"
#include "kube/apiserver/resource.h"

namespace coracle::kube::apiserver {

// Adds the paths of one resource and its subresources: every operation with its kind, its action and
// the query parameters that clients look for.
void add_openapi_paths(Value::ObjectBuilder& paths, const ResourceDescriptor& resource, OpenApiDialect dialect,
                       OpenApiTypes& types);

}  // namespace coracle::kube::apiserver
