#pragma once

#include <map>
#include <string>

#include "base/value.h"
#include "kube/apiserver/internal/discovery/openapi_operations.h"
#include "kube/apiserver/internal/discovery/openapi_schema.h"
#include "kube/apiserver/internal/resource.h"

namespace coracle::kube::apiserver {

// "paths" of a document in the making.
struct OpenApiPaths {
  OpenApiOperations& operations;
  OpenApiTypes& types;
  std::map<std::string, Value> items;

  Value build() &&;
};

// Adds the paths of one resource and its subresources: every operation with its kind, its action and
// the query parameters that clients look for.
void add_openapi_paths(OpenApiPaths& paths, const ResourceDescriptor& resource);

// Adds the path that lists or tells something else than objects: "api", "apis", "apis/apps", "apis/apps/v1",
// "version", "openid/v1/jwks", ".well-known/openid-configuration".
void add_discovery_path(OpenApiPaths& paths, const std::string& path);

}  // namespace coracle::kube::apiserver
