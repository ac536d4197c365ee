#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "kube/apiserver/internal/request_scope.h"

namespace coracle::kube::apiserver {

// Paths that are answered by something else than the resource router: discovery, OpenAPI, health,
// key documents, and (at run time) the group versions of aggregated API servers. Thread-safe.
class EndpointTable {
 public:
  EndpointTable();

  // Answers exactly `path` ("/version").
  void set_exact(std::string path, EndpointHandler handler);
  // Answers `prefix` itself and everything below it ("/openapi/v3"); the longest prefix wins.
  void set_prefix(std::string prefix, EndpointHandler handler);
  void remove(std::string_view path_or_prefix);
  void remove_prefix(std::string_view prefix);
  // Empty when nobody answers the path.
  EndpointHandler find(std::string_view path) const;
  // Every registered path, sorted, as "/" lists them.
  std::vector<std::string> paths() const;

 private:
  struct Routes {
    std::map<std::string, EndpointHandler, std::less<>> exact;
    std::map<std::string, EndpointHandler, std::less<>> prefixes;
  };
  void replace(const std::function<void(Routes&)>& change);

  mutable std::mutex mutex_;
  std::shared_ptr<const Routes> routes_;
};

}  // namespace coracle::kube::apiserver
