#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "kube/client/client.h"

namespace coracle::kube {

struct DiscoveredResource {
  ResourceRef ref;
  std::vector<std::string> verbs;
  std::vector<std::string> subresources;
  bool preferred = false;  // its group's first version that serves this resource

  bool can(std::string_view verb) const;
};

// One reading of a server's aggregated discovery documents (/api and /apis). Immutable.
class Discovery {
 public:
  static Result<std::shared_ptr<const Discovery>> read(const Context& context, const Client& client);

  const std::vector<DiscoveredResource>& resources() const { return resources_; }
  const DiscoveredResource* find_kind(const GroupVersionKind& gvk) const;
  // The kind at its version, or where that is not served at the first of its group that is.
  const DiscoveredResource* find_kind_at_any_version(const GroupVersionKind& gvk) const;
  bool has_group_version(std::string_view group, std::string_view version) const;
  // "v1", "apps/v1", "apps/v1/Deployment": what Helm calls Capabilities.APIVersions.
  std::vector<std::string> api_versions() const;
  // Group versions whose server did not answer ("metrics.k8s.io/v1beta1").
  const std::vector<std::string>& stale() const { return stale_; }

 private:
  void add_groups(const Value& document);

  std::vector<DiscoveredResource> resources_;
  std::vector<std::string> stale_;
};

// Whether an error came of RestMapper::find, for want of a kind that a definition may bring. Wrapping it in words keeps
// that; an error of other words about it is made by no_kind_match.
bool is_no_kind_match(const Error& error);
Error no_kind_match(std::string message);

// Maps kinds to resources and keeps the last reading; a kind that is not known makes it read again.
// Thread-safe.
class RestMapper {
 public:
  explicit RestMapper(const Client& client) : client_(client) {}

  // NotFound names the kind: `no matches for kind "Widget" in version "ex.io/v1"`.
  Result<DiscoveredResource> find(const Context& context, const GroupVersionKind& gvk);
  // For what was applied in the past, whose version need not be served any more: the kind at any version, its own
  // first. NotFound when there is no such kind.
  Result<DiscoveredResource> find_at_any_version(const Context& context, const GroupVersionKind& gvk);
  Result<std::shared_ptr<const Discovery>> current(const Context& context);
  // The next call reads again.
  void invalidate();

 private:
  using LookUp = const DiscoveredResource* (Discovery::*)(const GroupVersionKind&) const;
  Result<DiscoveredResource> find(const Context& context, const GroupVersionKind& gvk, LookUp look_up);

  const Client& client_;
  std::mutex mutex_;
  std::shared_ptr<const Discovery> discovery_;
};

}  // namespace coracle::kube
