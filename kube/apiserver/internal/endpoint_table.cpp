#include "kube/apiserver/internal/endpoint_table.h"

#include <algorithm>

namespace coracle::kube::apiserver {

EndpointTable::EndpointTable() : routes_(std::make_shared<Routes>()) {}

void EndpointTable::replace(const std::function<void(Routes&)>& change) {
  std::lock_guard lock(mutex_);
  auto next = std::make_shared<Routes>(*routes_);
  change(*next);
  routes_ = std::move(next);
}

void EndpointTable::set_exact(std::string path, EndpointHandler handler) {
  replace([&](Routes& routes) { routes.exact[std::move(path)] = std::move(handler); });
}

void EndpointTable::set_prefix(std::string prefix, EndpointHandler handler) {
  replace([&](Routes& routes) { routes.prefixes[std::move(prefix)] = std::move(handler); });
}

void EndpointTable::remove(std::string_view path_or_prefix) {
  replace([&](Routes& routes) {
    routes.exact.erase(std::string(path_or_prefix));
    routes.prefixes.erase(std::string(path_or_prefix));
  });
}

void EndpointTable::remove_prefix(std::string_view prefix) {
  replace([&](Routes& routes) { routes.prefixes.erase(std::string(prefix)); });
}

EndpointHandler EndpointTable::find(std::string_view path) const {
  std::shared_ptr<const Routes> routes;
  {
    std::lock_guard lock(mutex_);
    routes = routes_;
  }
  if (auto exact = routes->exact.find(path); exact != routes->exact.end()) return exact->second;
  // Documents below /apis are also asked for with a slash at their end.
  if (path.starts_with("/api") && path.ends_with('/')) {
    auto exact = routes->exact.find(path.substr(0, path.size() - 1));
    if (exact != routes->exact.end()) return exact->second;
  }
  // Shorten the path segment by segment until a prefix fits.
  while (!path.empty()) {
    if (auto prefix = routes->prefixes.find(path); prefix != routes->prefixes.end()) return prefix->second;
    path = path.substr(0, path.rfind('/') == std::string_view::npos ? 0 : path.rfind('/'));
  }
  return {};
}

std::vector<std::string> EndpointTable::paths() const {
  std::shared_ptr<const Routes> routes;
  {
    std::lock_guard lock(mutex_);
    routes = routes_;
  }
  std::vector<std::string> paths;
  for (const auto& [path, handler] : routes->exact) paths.push_back(path);
  for (const auto& [path, handler] : routes->prefixes) paths.push_back(path);
  std::sort(paths.begin(), paths.end());
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  return paths;
}

}  // namespace coracle::kube::apiserver
