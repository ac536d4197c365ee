#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/http/message.h"
#include "kube/apiserver/internal/discovery/discovery_documents.h"
#include "kube/apiserver/internal/endpoint_table.h"
#include "kube/apiserver/internal/registry.h"
#include "kube/apiserver/server.h"

namespace coracle::kube::apiserver {

// /api, /apis and the documents of each group and version, in the classic form and the aggregated
// one (https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api). Thread-safe.
class Discovery {
 public:
  // All arguments outlive it.
  Discovery(Registry& registry, EndpointTable& endpoints, const Options& options);

  // Puts the handlers into the table of endpoints, and keeps them in step with the registry.
  void attach();
  // Group versions that other servers serve.
  void set_remote(std::vector<RemoteVersion> remote);

 private:
  // An aggregated document as it is sent.
  struct Document {
    http::Bytes body;
    std::string etag;
  };
  struct Documents {
    std::uint64_t generation = 0;
    Document core, groups;
  };

  Result<http::Response> core(RequestScope& scope);
  Result<http::Response> groups(RequestScope& scope);
  Result<http::Response> group(RequestScope& scope, const std::string& name);
  Result<http::Response> version(RequestScope& scope, const std::string& group, const std::string& version);
  std::shared_ptr<const Documents> documents();
  std::vector<DiscoveryGroup> current_groups() const;
  void sync_endpoints();
  std::string server_address() const;

  Registry& registry_;
  EndpointTable& endpoints_;
  const Options& options_;

  mutable std::mutex mutex_;
  std::vector<RemoteVersion> remote_;
  std::uint64_t remote_generation_ = 0;
  std::shared_ptr<const Documents> documents_;
  std::mutex sync_mutex_;
  std::set<std::string> paths_;  // of groups and versions, as they stand in the table of endpoints
};

}  // namespace coracle::kube::apiserver
