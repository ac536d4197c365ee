#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "kube/apiserver/internal/discovery/openapi_paths.h"
#include "kube/apiserver/internal/endpoint_table.h"
#include "kube/apiserver/internal/registry.h"
#include "kube/apiserver/server.h"

namespace coracle::kube::apiserver {

// /openapi/v3 (an index, and one document per group version) and /openapi/v2 (everything at once, in
// JSON or protobuf). Documents are made for the request that asks and then forgotten: clients keep
// them, and ask again by hash. Thread-safe.
class OpenApi {
 public:
  // All arguments outlive it.
  OpenApi(Registry& registry, EndpointTable& endpoints, const Options& options)
      : registry_(registry), endpoints_(endpoints), options_(options) {}

  void attach();

 private:
  // One document of /openapi/v3.
  struct Part {
    std::string path;                    // "apis/apps/v1"
    GroupVersionKind own;                // group and version
    std::string hash;                    // grows from what the document is made of, without making it
    std::vector<ResourcePtr> resources;  // none: what lists groups and versions, and the like
  };
  struct Parts {
    std::uint64_t generation = 0;
    std::vector<Part> parts;
    std::string hash;  // of all
  };

  Result<http::Response> index(RequestScope& scope);
  Result<http::Response> document(RequestScope& scope);
  Result<http::Response> version2(RequestScope& scope);
  std::shared_ptr<const Parts> parts();
  static void add_paths(const Part& part, OpenApiPaths& paths);
  Value info() const;

  Registry& registry_;
  EndpointTable& endpoints_;
  const Options& options_;
  std::mutex mutex_;
  std::shared_ptr<const Parts> parts_;
};

}  // namespace coracle::kube::apiserver
