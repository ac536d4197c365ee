#include "kube/apiserver/internal/discovery/api_services.h"

#include <algorithm>
#include <map>
#include <utility>

#include "kube/apiserver/internal/builtin_resources.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kManagedLabel = "kube-aggregator.kubernetes.io/automanaged";
constexpr std::int64_t kCoreGroupPriority = 18000;
constexpr std::int64_t kCustomVersionPriority = 100;

// Version priorities that are not the usual one.
struct VersionPriority {
  std::string_view group, version;
  std::int64_t value;
};
constexpr std::int64_t kUsualVersionPriority = 15;
constexpr VersionPriority kVersionPriorities[] = {{"", "v1", 1},
                                                  {"autoscaling", "v2", 30},
                                                  {"resource.k8s.io", "v1", 21},
                                                  {"flowcontrol.apiserver.k8s.io", "v1", 21}};

std::int64_t version_priority(std::string_view group, std::string_view version) {
  for (const VersionPriority& priority : kVersionPriorities) {
    if (priority.group == group && priority.version == version) return priority.value;
  }
  return kUsualVersionPriority;
}

Object local_service(const ResourceDescriptor& resource) {
  const GroupVersionKind& gvk = resource.gvk;
  const std::int64_t priority = gvk.group.empty() ? kCoreGroupPriority : group_priority(gvk.group);
  Value::ObjectBuilder spec;
  spec.set_nonempty("group", gvk.group);
  spec.set("version", gvk.version).set("groupPriorityMinimum", priority);
  spec.set("versionPriority", resource.custom ? kCustomVersionPriority : version_priority(gvk.group, gvk.version));
  const Value labels = Value::object({{kManagedLabel, resource.custom ? "true" : "onstart"}});
  return Object(
      Value::object({{"kind", "APIService"},
                     {"apiVersion", "apiregistration.k8s.io/v1"},
                     {"metadata", Value::object({{"name", gvk.version + "." + gvk.group}, {"labels", labels}})},
                     {"spec", std::move(spec).build()}}));
}

bool is_managed(const Object& service) {
  return service.has_label(kManagedLabel);
}
bool is_remote(const Object& service) {
  return service["spec"]["service"].is_object();
}

http::Response unavailable_response() {
  return http::Response::text(503, "service unavailable\n");
}

WriteRequest own_write(const Context& context, const ResourceDescriptor& resource, std::string_view name) {
  WriteRequest write{context, resource, "", std::string(name), "", std::string(kOwnManager)};
  write.admission = false;
  return write;
}

}  // namespace

ApiServiceController::ApiServiceController(Executor& executor, Registry& registry, GenericStore& store,
                                           EndpointTable& endpoints, Discovery& discovery, Logger log)
    : registry_(registry),
      store_(store),
      endpoints_(endpoints),
      discovery_(discovery),
      follower_(
          executor, store.feed()->backend(),
          [this](const Context& context) -> Result<bool> {
            TRY(sync(context));
            return false;
          },
          std::move(log)) {}

ResourcePtr ApiServiceController::resource() const {
  return registry_.table()->find(kApiServiceGroup, "v1", kApiServiceResource);
}

Result<void> ApiServiceController::start(const Context& context) {
  ASSIGN_OR_RETURN(const std::vector<Object> services, list(context));
  route_remote(services);
  registry_.on_change([this](const ResourceTablePtr&) { follower_.wake(); });
  return follower_.start(context, resource()->storage_prefix);
}

Result<std::vector<Object>> ApiServiceController::list(const Context& context) {
  ASSIGN_OR_RETURN(const auto stored, store_.list(context, *resource(), ""));
  std::vector<Object> services;
  services.reserve(stored.size());
  for (const StoredObjectPtr& one : stored) {
    ASSIGN_OR_RETURN(Object service, one->object());
    services.push_back(std::move(service));
  }
  return services;
}

Result<void> ApiServiceController::sync(const Context& context) {
  ASSIGN_OR_RETURN(const std::vector<Object> services, list(context));
  route_remote(services);
  const ResourceTablePtr table = registry_.table();
  std::map<std::string, Object, std::less<>> wanted;
  for (const ResourcePtr& served : table->all()) {
    // Upstream's aggregator, which keeps these objects, is no version of the server behind it.
    if (served->gvk.group == kApiServiceGroup) continue;
    Object service = local_service(*served);
    std::string name(service.name());
    wanted.emplace(std::move(name), std::move(service));
  }
  for (const auto& [name, service] : wanted) TRY(write_wanted(context, service, services));
  for (const Object& service : services) {
    if (is_managed(service) && wanted.find(service.name()) == wanted.end()) TRY(remove(context, service));
  }
  return {};
}

Result<void> ApiServiceController::write_wanted(const Context& context, const Object& wanted,
                                                const std::vector<Object>& services) {
  const ResourcePtr kept = resource();
  const WriteRequest write = own_write(context, *kept, wanted.name());
  const auto found = std::find_if(services.begin(), services.end(),
                                  [&](const Object& service) { return service.name() == wanted.name(); });
  if (found == services.end()) {
    auto created = store_.create(write, wanted);
    if (!created.ok() && created.error().reason() != Reason::AlreadyExists) return created.error();
    return {};
  }
  // What somebody else has put there is theirs.
  if (!is_managed(*found) || (*found)["spec"] == wanted["spec"]) return {};
  const auto change = [&](const Object* current) -> Result<Object> {
    if (current == nullptr) return not_found(*kept, wanted.name());
    return current->with("spec", wanted["spec"]);
  };
  TRY(store_.update(write, {}, change));
  return {};
}

Result<void> ApiServiceController::remove(const Context& context, const Object& service) {
  const ResourcePtr kept = resource();
  auto removed = store_.remove(own_write(context, *kept, service.name()), {});
  if (!removed.ok() && removed.error().reason() != Reason::NotFound) return removed.error();
  return {};
}

void ApiServiceController::route_remote(const std::vector<Object>& services) {
  const ResourceTablePtr table = registry_.table();
  std::vector<RemoteVersion> remote;
  std::set<std::string> paths;
  for (const Object& service : services) {
    const Value& spec = service["spec"];
    RemoteVersion version{std::string(spec["group"].as_string()), std::string(spec["version"].as_string()),
                          spec["groupPriorityMinimum"].as_int(), spec["versionPriority"].as_int()};
    // What is served here stays here.
    if (!is_remote(service) || table->has_group_version(version.group, version.version)) continue;
    paths.insert("/apis/" + version.group + "/" + version.version);
    remote.push_back(std::move(version));
  }
  std::lock_guard lock(route_mutex_);
  for (const std::string& path : paths) {
    if (remote_paths_.count(path) > 0) continue;
    endpoints_.set_prefix(path, [](RequestScope&) -> Result<http::Response> { return unavailable_response(); });
  }
  for (const std::string& path : remote_paths_) {
    if (paths.count(path) == 0) endpoints_.remove_prefix(path);
  }
  remote_paths_ = std::move(paths);
  discovery_.set_remote(std::move(remote));
}

}  // namespace coracle::kube::apiserver
