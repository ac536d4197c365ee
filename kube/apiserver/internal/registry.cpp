#include "kube/apiserver/internal/registry.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "kube/apiserver/internal/builtin_resources.h"

namespace coracle::kube::apiserver {

namespace {

// A version name as Kubernetes ranks it: v10 > v2 > v11beta2 > v10beta3 > v3alpha1 > foo.
struct VersionRank {
  int stability = 0;  // 3 stable, 2 beta, 1 alpha, 0 anything else
  std::uint64_t major = 0;
  std::uint64_t minor = 0;
};

VersionRank rank_version(std::string_view text) {
  const auto number = [](std::string_view& rest) -> std::optional<std::uint64_t> {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    if (error != std::errc() || end == rest.data()) return std::nullopt;
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    return value;
  };
  if (!text.starts_with('v')) return {};
  text.remove_prefix(1);
  const auto major = number(text);
  if (!major) return {};
  if (text.empty()) return {3, *major, 0};
  const bool beta = text.starts_with("beta");
  if (!beta && !text.starts_with("alpha")) return {};
  text.remove_prefix(beta ? 4 : 5);
  const auto minor = number(text);
  if (!minor || !text.empty()) return {};
  return {beta ? 2 : 1, *major, *minor};
}

bool discovery_order(const ResourcePtr& a, const ResourcePtr& b) {
  if (a->gvk.group != b->gvk.group) {
    const int left = group_priority(a->gvk.group);
    const int right = group_priority(b->gvk.group);
    return left != right ? left > right : a->gvk.group < b->gvk.group;
  }
  if (a->gvk.version != b->gvk.version) return version_before(a->gvk.version, b->gvk.version);
  return a->resource < b->resource;
}

std::string table_key(std::string_view group, std::string_view version, std::string_view last) {
  std::string key;
  key.reserve(group.size() + version.size() + last.size() + 2);
  key.append(group).append("/").append(version).append("/").append(last);
  return key;
}

class ResourceTableImpl : public ResourceTable {
 public:
  ResourceTableImpl(std::vector<ResourcePtr> resources, std::uint64_t generation)
      : resources_(std::move(resources)), generation_(generation) {
    std::sort(resources_.begin(), resources_.end(), discovery_order);
    for (const ResourcePtr& resource : resources_) {
      by_name_.emplace(table_key(resource->gvk.group, resource->gvk.version, resource->resource), resource);
      by_kind_.emplace(table_key(resource->gvk.group, resource->gvk.version, resource->gvk.kind), resource);
      versions_.insert(table_key(resource->gvk.group, resource->gvk.version, ""));
      if (!resource->custom) builtin_groups_.insert(resource->gvk.group);
    }
  }

  ResourcePtr find(std::string_view group, std::string_view version, std::string_view resource) const override {
    const auto found = by_name_.find(table_key(group, version, resource));
    return found == by_name_.end() ? nullptr : found->second;
  }
  ResourcePtr find_kind(const GroupVersionKind& gvk) const override {
    const auto found = by_kind_.find(table_key(gvk.group, gvk.version, gvk.kind));
    return found == by_kind_.end() ? nullptr : found->second;
  }
  const std::vector<ResourcePtr>& all() const override { return resources_; }
  bool has_group_version(std::string_view group, std::string_view version) const override {
    return versions_.contains(table_key(group, version, ""));
  }
  bool has_builtin_group(std::string_view group) const override { return builtin_groups_.contains(group); }
  std::uint64_t generation() const override { return generation_; }

 private:
  std::vector<ResourcePtr> resources_;
  const std::uint64_t generation_;
  std::unordered_map<std::string, ResourcePtr> by_name_;
  std::unordered_map<std::string, ResourcePtr> by_kind_;
  std::set<std::string> versions_;
  std::set<std::string, std::less<>> builtin_groups_;
};

class RegistryImpl : public Registry {
 public:
  explicit RegistryImpl(std::vector<ResourcePtr> builtin)
      : builtin_(std::move(builtin)), table_(std::make_shared<ResourceTableImpl>(builtin_, generation_)) {}

  ResourceTablePtr table() const override {
    std::lock_guard lock(mutex_);
    return table_;
  }

  void set_custom(std::string_view group, std::string_view plural, std::vector<ResourcePtr> versions) override {
    ResourceTablePtr table;
    std::vector<std::function<void(const ResourceTablePtr&)>> callbacks;
    {
      std::lock_guard lock(mutex_);
      const auto key = std::make_pair(std::string(group), std::string(plural));
      if (versions.empty()) {
        custom_.erase(key);
      } else {
        custom_[key] = std::move(versions);
      }
      std::vector<ResourcePtr> all = builtin_;
      for (const auto& [name, resources] : custom_) all.insert(all.end(), resources.begin(), resources.end());
      table_ = std::make_shared<ResourceTableImpl>(std::move(all), ++generation_);
      table = table_;
      callbacks = callbacks_;
    }
    for (const auto& callback : callbacks) callback(table);
  }

  void on_change(std::function<void(const ResourceTablePtr&)> callback) override {
    std::lock_guard lock(mutex_);
    callbacks_.push_back(std::move(callback));
  }

 private:
  const std::vector<ResourcePtr> builtin_;
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::vector<ResourcePtr>> custom_;
  std::uint64_t generation_ = 1;
  ResourceTablePtr table_;
  std::vector<std::function<void(const ResourceTablePtr&)>> callbacks_;
};

}  // namespace

bool version_before(std::string_view left, std::string_view right) {
  const VersionRank a = rank_version(left);
  const VersionRank b = rank_version(right);
  if (a.stability == 0 && b.stability == 0) return left < right;
  return std::tie(a.stability, a.major, a.minor) > std::tie(b.stability, b.major, b.minor);
}

std::unique_ptr<Registry> make_registry(std::vector<ResourcePtr> builtin) {
  return std::make_unique<RegistryImpl>(std::move(builtin));
}

}  // namespace coracle::kube::apiserver
