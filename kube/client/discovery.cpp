#include "kube/client/discovery.h"

#include <algorithm>
#include <set>
#include <utility>

namespace coracle::kube {
namespace {

constexpr std::string_view kAggregatedAccept =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

constexpr std::string_view kNoKindMatch = "NoKindMatch";

DiscoveredResource read_resource(std::string_view group, std::string_view version, const Value& entry) {
  DiscoveredResource resource;
  const Value& kind = entry["responseKind"];
  resource.ref.gvr = {std::string(group), std::string(version), std::string(entry["resource"].as_string())};
  resource.ref.kind = kind["kind"].as_string();
  resource.ref.namespaced = entry["scope"].as_string() == "Namespaced";
  resource.verbs = string_items(entry["verbs"]);
  for (const Value& subresource : entry["subresources"].items()) {
    resource.subresources.emplace_back(subresource["subresource"].as_string());
  }
  return resource;
}

}  // namespace

bool is_no_kind_match(const Error& error) {
  return std::any_of(error.causes().begin(), error.causes().end(),
                     [](const Cause& cause) { return cause.reason == kNoKindMatch; });
}

Error no_kind_match(std::string message) {
  return Error(Reason::NotFound, std::move(message)).with_cause({std::string(kNoKindMatch), {}, {}});
}

bool DiscoveredResource::can(std::string_view verb) const {
  return std::find(verbs.begin(), verbs.end(), verb) != verbs.end();
}

Result<std::shared_ptr<const Discovery>> Discovery::read(const Context& context, const Client& client) {
  auto discovery = std::make_shared<Discovery>();
  for (const std::string_view path : {"/api", "/apis"}) {
    ASSIGN_OR_RETURN(Value document, client.raw_get(context, path, kAggregatedAccept));
    if (document["kind"].as_string() != "APIGroupDiscoveryList") {
      return unsupported("the server does not speak aggregated discovery (apidiscovery.k8s.io/v2) at " +
                         std::string(path));
    }
    discovery->add_groups(document);
  }
  return std::shared_ptr<const Discovery>(std::move(discovery));
}

void Discovery::add_groups(const Value& document) {
  for (const Value& group : document["items"].items()) {
    const std::string_view group_name = group["metadata"]["name"].as_string();
    std::set<std::string, std::less<>> seen;
    for (const Value& version : group["versions"].items()) {
      const std::string_view version_name = version["version"].as_string();
      if (version["freshness"].as_string() == "Stale") {
        stale_.push_back(GroupVersionResource{std::string(group_name), std::string(version_name), {}}.api_version());
      }
      for (const Value& entry : version["resources"].items()) {
        DiscoveredResource resource = read_resource(group_name, version_name, entry);
        resource.preferred = seen.insert(resource.ref.gvr.resource).second;
        resources_.push_back(std::move(resource));
      }
    }
  }
}

const DiscoveredResource* Discovery::find_kind(const GroupVersionKind& gvk) const {
  for (const DiscoveredResource& resource : resources_) {
    if (resource.ref.kind == gvk.kind && resource.ref.gvr.group == gvk.group &&
        resource.ref.gvr.version == gvk.version) {
      return &resource;
    }
  }
  return nullptr;
}

const DiscoveredResource* Discovery::find_kind_at_any_version(const GroupVersionKind& gvk) const {
  if (const DiscoveredResource* resource = find_kind(gvk)) return resource;
  const auto found = std::find_if(resources_.begin(), resources_.end(), [&gvk](const DiscoveredResource& resource) {
    return resource.ref.kind == gvk.kind && resource.ref.gvr.group == gvk.group;
  });
  return found == resources_.end() ? nullptr : &*found;
}

bool Discovery::has_group_version(std::string_view group, std::string_view version) const {
  return std::any_of(resources_.begin(), resources_.end(), [&](const DiscoveredResource& resource) {
    return resource.ref.gvr.group == group && resource.ref.gvr.version == version;
  });
}

std::vector<std::string> Discovery::api_versions() const {
  std::set<std::string> names;
  for (const DiscoveredResource& resource : resources_) {
    const std::string api_version = resource.ref.gvr.api_version();
    names.insert(api_version);
    names.insert(api_version + "/" + resource.ref.kind);
  }
  return {names.begin(), names.end()};
}

Result<std::shared_ptr<const Discovery>> RestMapper::current(const Context& context) {
  {
    std::lock_guard lock(mutex_);
    if (discovery_) return discovery_;
  }
  ASSIGN_OR_RETURN(std::shared_ptr<const Discovery> fresh, Discovery::read(context, client_));
  std::lock_guard lock(mutex_);
  discovery_ = fresh;
  return fresh;
}

Result<DiscoveredResource> RestMapper::find(const Context& context, const GroupVersionKind& gvk) {
  return find(context, gvk, &Discovery::find_kind);
}

Result<DiscoveredResource> RestMapper::find_at_any_version(const Context& context, const GroupVersionKind& gvk) {
  return find(context, gvk, &Discovery::find_kind_at_any_version);
}

Result<DiscoveredResource> RestMapper::find(const Context& context, const GroupVersionKind& gvk, LookUp look_up) {
  ASSIGN_OR_RETURN(std::shared_ptr<const Discovery> known, current(context));
  if (const DiscoveredResource* resource = (*known.*look_up)(gvk)) return *resource;
  invalidate();
  ASSIGN_OR_RETURN(known, current(context));
  if (const DiscoveredResource* resource = (*known.*look_up)(gvk)) return *resource;
  return no_kind_match("no matches for kind \"" + gvk.kind + "\" in version \"" + gvk.api_version() + "\"");
}

void RestMapper::invalidate() {
  std::lock_guard lock(mutex_);
  discovery_.reset();
}

}  // namespace coracle::kube
