#include "kube/object/quota_usage.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace coracle::kube {
namespace {

constexpr std::string_view kCountPrefix = "count/";
constexpr std::string_view kStorageClassSuffix = ".storageclass.storage.k8s.io/";
// Kinds of the core group that may be counted by their plain name.
constexpr std::string_view kPlainCounts[] = {
    "configmaps", "persistentvolumeclaims", "pods", "replicationcontrollers", "resourcequotas", "secrets", "services"};

bool quota_pod_ended(const Value& pod) {
  std::string_view phase = pod["status"]["phase"].as_string();
  return phase == "Succeeded" || phase == "Failed";
}

void add_pod_usage(const Object& pod, ResourceAmounts& usage) {
  if (quota_pod_ended(pod.tree())) return;
  usage["pods"] = Quantity::of(1);
  const ResourceAmounts overhead = read_amounts(pod["spec"]["overhead"]);
  ResourceAmounts requests = pod_amounts(pod["spec"], "requests");
  add_amounts(requests, overhead);
  for (const auto& [name, quantity] : requests) {
    usage["requests." + name] = quantity;
    if (name == "cpu" || name == "memory" || name == "ephemeral-storage" || name.rfind("hugepages-", 0) == 0) {
      usage[name] = quantity;
    }
  }
  ResourceAmounts limits = pod_amounts(pod["spec"], "limits");
  for (const auto& [name, quantity] : limits) {
    auto extra = overhead.find(name);
    usage["limits." + name] = extra == overhead.end() ? quantity : quantity + extra->second;
  }
}

void add_service_usage(const Object& service, ResourceAmounts& usage) {
  const Value& spec = service["spec"];
  std::string_view type = spec["type"].as_string();
  bool balanced = type == "LoadBalancer";
  if (balanced) usage["services.loadbalancers"] = Quantity::of(1);
  bool node_ports = type == "NodePort" || (balanced && spec["allocateLoadBalancerNodePorts"].as_bool(true));
  if (node_ports) usage["services.nodeports"] = Quantity::of(static_cast<std::int64_t>(spec["ports"].size()));
}

void add_claim_usage(const Object& claim, ResourceAmounts& usage) {
  ResourceAmounts requests = read_amounts(claim["spec"]["resources"]["requests"]);
  auto storage = requests.find("storage");
  if (storage != requests.end()) usage["requests.storage"] = storage->second;
  std::string storage_class(claim["spec"]["storageClassName"].as_string());
  if (storage_class.empty()) return;
  std::string prefix = storage_class.append(kStorageClassSuffix);
  usage[prefix + "persistentvolumeclaims"] = Quantity::of(1);
  if (storage != requests.end()) usage[prefix + "requests.storage"] = storage->second;
}

bool best_effort(const Value& spec) {
  for (std::string_view list : {"containers", "initContainers"}) {
    for (const Value& container : spec[list].items()) {
      for (std::string_view part : {"requests", "limits"}) {
        for (const auto& [name, quantity] : read_amounts(container["resources"][part])) {
          if ((name == "cpu" || name == "memory") && !quantity.is_zero()) return false;
        }
      }
    }
  }
  return true;
}

bool uses_cross_namespace_affinity(const Value& spec) {
  for (std::string_view kind : {"podAffinity", "podAntiAffinity"}) {
    const Value& affinity = spec["affinity"][kind];
    auto crosses = [](const Value& term) {
      return !term["namespaces"].empty() || !term["namespaceSelector"].is_null();
    };
    for (const Value& term : affinity["requiredDuringSchedulingIgnoredDuringExecution"].items()) {
      if (crosses(term)) return true;
    }
    for (const Value& weighted : affinity["preferredDuringSchedulingIgnoredDuringExecution"].items()) {
      if (crosses(weighted["podAffinityTerm"])) return true;
    }
  }
  return false;
}

// In, NotIn, Exists and DoesNotExist over one text; an empty text does not exist.
bool scope_text_matches(const Value& expression, std::string_view text) {
  std::string_view op = expression["operator"].as_string("Exists");
  std::span<const Value> values = expression["values"].items();
  bool listed = std::any_of(values.begin(), values.end(), [&](const Value& v) { return v.as_string() == text; });
  if (op == "In") return listed;
  if (op == "NotIn") return !listed;
  return (op == "Exists") == !text.empty();
}

bool scope_matches(const Value& expression, bool pod, const Object& object) {
  std::string_view scope = expression["scopeName"].as_string();
  const Value& spec = object["spec"];
  if (scope == "VolumeAttributesClass") {
    return !pod && scope_text_matches(expression, spec["volumeAttributesClassName"].as_string());
  }
  if (!pod) return false;
  bool terminating = spec["activeDeadlineSeconds"].is_int();
  if (scope == "Terminating") return terminating;
  if (scope == "NotTerminating") return !terminating;
  if (scope == "BestEffort") return best_effort(spec);
  if (scope == "NotBestEffort") return !best_effort(spec);
  if (scope == "PriorityClass") return scope_text_matches(expression, spec["priorityClassName"].as_string());
  if (scope == "CrossNamespacePodAffinity") return uses_cross_namespace_affinity(spec);
  return false;
}

// The resource whose objects a name of spec.hard counts; empty when none.
std::string quota_counted_resource(std::string_view hard_name) {
  if (hard_name.substr(0, kCountPrefix.size()) == kCountPrefix) {
    return std::string(hard_name.substr(kCountPrefix.size()));
  }
  if (hard_name == "services.nodeports" || hard_name == "services.loadbalancers") return "services";
  if (std::find(std::begin(kPlainCounts), std::end(kPlainCounts), hard_name) != std::end(kPlainCounts)) {
    return std::string(hard_name);
  }
  bool storage = hard_name == "requests.storage" || hard_name.find(kStorageClassSuffix) != std::string_view::npos;
  if (storage) return "persistentvolumeclaims";
  bool compute = hard_name == "cpu" || hard_name == "memory" || hard_name == "ephemeral-storage" ||
                 hard_name.substr(0, 9) == "requests." || hard_name.substr(0, 7) == "limits." ||
                 hard_name.substr(0, 10) == "hugepages-";
  return compute ? "pods" : "";
}

}  // namespace

ResourceAmounts quota_usage(std::string_view resource, const Object& object) {
  ResourceAmounts usage;
  usage[std::string(kCountPrefix) + std::string(resource)] = Quantity::of(1);
  if (resource == "pods") {
    add_pod_usage(object, usage);
    return usage;
  }
  const bool plain = std::find(std::begin(kPlainCounts), std::end(kPlainCounts), resource) != std::end(kPlainCounts);
  if (plain) usage[std::string(resource)] = Quantity::of(1);
  if (resource == "services") add_service_usage(object, usage);
  if (resource == "persistentvolumeclaims") add_claim_usage(object, usage);
  return usage;
}

bool quota_takes_in(const Object& quota, std::string_view resource, const Object& object) {
  const Value& scopes = quota["spec"]["scopes"];
  const Value& expressions = quota["spec"]["scopeSelector"]["matchExpressions"];
  if (scopes.empty() && expressions.empty()) return true;
  bool pod = resource == "pods";
  if (!pod && resource != "persistentvolumeclaims") return false;
  for (const Value& scope : scopes.items()) {
    if (!scope_matches(Value::object({{"scopeName", scope}, {"operator", "Exists"}}), pod, object)) return false;
  }
  std::span<const Value> items = expressions.items();
  return std::all_of(items.begin(), items.end(),
                     [&](const Value& expression) { return scope_matches(expression, pod, object); });
}

std::string quota_missing_compute(const ResourceAmounts& hard, const Object& pod) {
  if (quota_pod_ended(pod.tree()) || !pod["spec"]["resources"].empty()) return {};
  std::vector<std::string> lines;
  for (std::string_view name : {"cpu", "limits.cpu", "limits.memory", "memory", "requests.cpu", "requests.memory"}) {
    if (hard.count(name) == 0) continue;
    std::size_t dot = name.find('.');
    std::string_view part = name.substr(0, dot) == "limits" ? "limits" : "requests";
    std::string_view compute = dot == std::string_view::npos ? name : name.substr(dot + 1);
    std::vector<std::string> containers;
    for (std::string_view list : {"containers", "initContainers"}) {
      for (const Value& container : pod["spec"][list].items()) {
        if (!container["resources"][part].contains(compute)) containers.emplace_back(container["name"].as_string());
      }
    }
    if (!containers.empty()) lines.push_back(std::string(name) + " for: " + join(containers, ","));
  }
  return join(lines, "; ");
}

void add_quota_usage(const Object& quota, std::string_view resource, const Object& object, ResourceAmounts& used) {
  if (!quota_takes_in(quota, resource, object)) return;
  for (const auto& [name, quantity] : quota_usage(resource, object)) {
    auto entry = used.find(name);
    if (entry != used.end()) entry->second = entry->second + quantity;
  }
}

std::vector<std::string> quota_counted_resources(const ResourceAmounts& hard) {
  std::vector<std::string> resources;
  for (const auto& [name, limit] : hard) {
    std::string resource = quota_counted_resource(name);
    const bool known = std::find(resources.begin(), resources.end(), resource) != resources.end();
    if (!resource.empty() && !known) resources.push_back(std::move(resource));
  }
  return resources;
}

}  // namespace coracle::kube
