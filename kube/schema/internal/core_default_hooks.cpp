#include <array>
#include <map>
#include <string>

#include "base/encoding.h"
#include "kube/object/quantity.h"
#include "kube/schema/defaulting.h"
#include "kube/schema/internal/default_hooks.h"

namespace coracle::kube::internal {
namespace {

constexpr std::int64_t kClientIpSeconds = 10800;

// Members of `from` that `into` lacks.
Value with_missing(const Value& into, const Value& from) {
  Value::ObjectBuilder merged(into);
  bool changed = !into.is_object();
  for (const Value::Member& member : from.members()) {
    if (merged.find(member.key) != nullptr) continue;
    merged.append(member.key, member.value);
    changed = true;
  }
  return changed ? std::move(merged).build() : into;
}

// Each item of a list field, changed by `change` as a draft of the list's item type.
template <class Change>
void change_items(StructDraft& draft, std::string_view field, Change change) {
  if (!draft[field].is_array()) return;
  const Schema& items = field_schema(draft.schema(), field);
  std::vector<Value> changed(draft[field].items().begin(), draft[field].items().end());
  bool any = false;
  for (Value& item : changed) {
    StructDraft one(item, items);
    change(one);
    Value result = std::move(one).build();
    any = any || !result.same_tree(item);
    item = std::move(result);
  }
  if (any) draft.set(field, Value::array(std::move(changed)));
}

// A structure field, changed by `change` as a draft. Nothing happens where it is absent.
template <class Change>
void change_struct(StructDraft& draft, std::string_view field, Change change) {
  if (!draft[field].is_object()) return;
  StructDraft inner(draft[field], field_schema(draft.schema(), field));
  change(inner);
  draft.set(field, std::move(inner).build());
}

void default_container(StructDraft& container, WallTime) {
  if (container["imagePullPolicy"].as_string().empty()) {
    container.set("imagePullPolicy", Value(default_pull_policy(container["image"].as_string())));
  }
}

void default_volume(StructDraft& volume, WallTime) {
  bool has_source = false;
  for (std::size_t i = 0; i < volume.schema().fields.size(); ++i) {
    has_source = has_source || (volume.schema().fields[i].pointer && !volume.at(i).is_null());
  }
  if (!has_source) volume.set("emptyDir", Value::object());
  change_struct(volume, "image", [](StructDraft& image) {
    image.set_default("pullPolicy", Value(default_pull_policy(image["reference"].as_string())));
  });
}

using Amounts = std::map<std::string, Quantity, std::less<>>;

void add_amounts(Amounts& sum, const Value& list) {
  for (const Value::Member& member : list.members()) {
    const auto amount = Quantity::from_value(member.value);
    if (!amount.ok()) continue;  // refused by validation
    const auto [found, fresh] = sum.try_emplace(member.key, *amount);
    if (!fresh) found->second = found->second + *amount;
  }
}

void raise_amounts(Amounts& most, const Amounts& others) {
  for (const auto& [name, amount] : others) {
    const auto [found, fresh] = most.try_emplace(name, amount);
    if (!fresh && found->second < amount) found->second = amount;
  }
}

// What the containers of a pod need together: `which` is "requests" or "limits". Init containers run one after
// another beside the sidecars that were started before them.
Amounts container_amounts(const Value& spec, std::string_view which) {
  Amounts together;
  for (const Value& container : spec["containers"].items()) add_amounts(together, container["resources"][which]);
  Amounts sidecars;
  Amounts starting;
  for (const Value& container : spec["initContainers"].items()) {
    const Value& amounts = container["resources"][which];
    if (container["restartPolicy"].as_string() == "Always") {
      add_amounts(together, amounts);
      add_amounts(sidecars, amounts);
      raise_amounts(starting, sidecars);
    } else {
      Amounts one = sidecars;
      add_amounts(one, amounts);
      raise_amounts(starting, one);
    }
  }
  raise_amounts(together, starting);
  return together;
}

bool is_huge_pages(std::string_view resource) {
  return resource.starts_with("hugepages-");
}
bool counts_for_pod(std::string_view resource) {
  return resource == "cpu" || resource == "memory" || is_huge_pages(resource);
}

// spec.resources, where a pod has it, is completed from its containers.
void default_pod_resources(StructDraft& spec) {
  const Value whole =
      spec["containers"].is_null()
          ? Value()
          : Value::object({{"containers", spec["containers"]}, {"initContainers", spec["initContainers"]}});
  change_struct(spec, "resources", [&](StructDraft& resources) {
    const Value& requests = resources["requests"];
    if (!resources["limits"].empty() || !requests.empty()) {
      Value::ObjectBuilder limits(resources["limits"]);
      const std::size_t before = limits.size();
      for (const auto& [name, amount] : container_amounts(whole, "limits")) {
        if (!is_huge_pages(name) || requests.contains(name) || limits.find(name) != nullptr) continue;
        limits.append(name, Value(amount.text()));
      }
      if (limits.size() > before) resources.set("limits", std::move(limits).build());
    }
    if (resources["limits"].empty()) return;
    Value::ObjectBuilder filled(requests);
    for (const auto& [name, amount] : container_amounts(whole, "requests")) {
      if (filled.find(name) != nullptr || !counts_for_pod(name) || is_huge_pages(name)) continue;
      filled.append(name, Value(amount.text()));
    }
    for (const Value::Member& limit : resources["limits"].members()) {
      if (filled.find(limit.key) == nullptr && counts_for_pod(limit.key)) filled.append(limit.key, limit.value);
    }
    if (filled.size() > requests.size()) resources.set("requests", std::move(filled).build());
  });
}

void default_requests(StructDraft& container) {
  change_struct(container, "resources", [](StructDraft& resources) {
    if (resources["limits"].empty()) return;
    const Value filled = with_missing(resources["requests"], resources["limits"]);
    resources.set("requests", filled);
  });
}

void default_host_ports(StructDraft& container) {
  change_items(container, "ports", [](StructDraft& port) {
    if (port["hostPort"].as_int() == 0 && port["containerPort"].as_int() != 0) {
      port.set("hostPort", port["containerPort"]);
    }
  });
}

// What holds for pods but not for the templates of pods.
void default_pod(StructDraft& pod, WallTime) {
  change_struct(pod, "spec", [](StructDraft& spec) {
    for (const std::string_view list : {"containers", "initContainers"}) change_items(spec, list, default_requests);
    default_pod_resources(spec);
    spec.set_default("enableServiceLinks", Value(true));
    if (!spec["hostNetwork"].as_bool()) return;
    for (const std::string_view list : {"containers", "initContainers"}) change_items(spec, list, default_host_ports);
  });
}

// The old name of serviceAccountName is kept equal to it.
void default_pod_spec(StructDraft& spec, WallTime) {
  if (spec["serviceAccountName"].as_string().empty()) {
    if (!spec["serviceAccount"].as_string().empty()) spec.set("serviceAccountName", spec["serviceAccount"]);
  } else if (spec["serviceAccount"].as_string() != spec["serviceAccountName"].as_string()) {
    spec.set("serviceAccount", spec["serviceAccountName"]);
  }
}

// The singular form of a list of addresses is the list's first entry. Where they differ the single one counts: who
// writes only that knows nothing of the list.
void mirror_first(StructDraft& draft, std::string_view single, std::string_view list, std::string_view key) {
  const Value& first = draft[list].at(0);
  const std::string text(key.empty() ? first.as_string() : first[key].as_string());
  const std::string one(draft[single].as_string());
  if (one == text) return;
  if (one.empty()) {
    draft.set(single, Value(text));
  } else {
    draft.set(list, Value::array({key.empty() ? Value(one) : Value::object({{key, Value(one)}})}));
  }
}

void default_pod_status(StructDraft& status, WallTime) {
  mirror_first(status, "podIP", "podIPs", "ip");
}
void default_node_spec(StructDraft& spec, WallTime) {
  mirror_first(spec, "podCIDR", "podCIDRs", "");
}

void default_node_status(StructDraft& status, WallTime) {
  if (status["allocatable"].is_null() && !status["capacity"].is_null()) status.set("allocatable", status["capacity"]);
}

void default_replication_controller(StructDraft& controller, WallTime) {
  const Value labels = controller["spec"]["template"]["metadata"]["labels"];
  if (labels.empty()) return;
  change_struct(controller, "spec", [&](StructDraft& spec) {
    if (spec["selector"].empty()) spec.set("selector", labels);
  });
  change_struct(controller, "metadata", [&](StructDraft& metadata) {
    if (metadata["labels"].empty()) metadata.set("labels", labels);
  });
}

void default_service_port(StructDraft& port) {
  const Value& target = port["targetPort"];
  const bool unset = target.is_null() || (target.is_int() && target.as_int() == 0) ||
                     (target.is_string() && target.as_string().empty());
  if (unset) port.set("targetPort", Value(port["port"].as_int()));
}

void default_service_spec(StructDraft& spec) {
  if (spec["type"].as_string().empty()) spec.set("type", Value("ClusterIP"));
  if (spec["sessionAffinity"].as_string().empty()) spec.set("sessionAffinity", Value("None"));
  const std::string type(spec["type"].as_string());
  const std::string affinity(spec["sessionAffinity"].as_string());
  if (affinity == "None") spec.remove("sessionAffinityConfig");
  if (affinity == "ClientIP" && spec["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"].is_null()) {
    spec.set("sessionAffinityConfig",
             Value::object({{"clientIP", Value::object({{"timeoutSeconds", Value(kClientIpSeconds)}})}}));
  }
  change_items(spec, "ports", default_service_port);
  const bool external = type == "NodePort" || type == "LoadBalancer";
  const bool accessible = external || (type == "ClusterIP" && !spec["externalIPs"].empty());
  if (accessible && spec["externalTrafficPolicy"].as_string().empty()) {
    spec.set("externalTrafficPolicy", Value("Cluster"));
  }
  if (external || type == "ClusterIP") spec.set_default("internalTrafficPolicy", Value("Cluster"));
  if (type == "LoadBalancer") spec.set_default("allocateLoadBalancerNodePorts", Value(true));
}

void default_service(StructDraft& service, WallTime) {
  change_struct(service, "spec", default_service_spec);
  if (service["spec"]["type"].as_string() != "LoadBalancer") return;
  change_struct(service, "status", [](StructDraft& status) {
    change_struct(status, "loadBalancer", [](StructDraft& balancer) {
      change_items(balancer, "ingress", [](StructDraft& ingress) {
        if (!ingress["ip"].as_string().empty()) ingress.set_default("ipMode", Value("VIP"));
      });
    });
  });
}

void default_persistent_volume(StructDraft& volume, WallTime) {
  change_struct(volume, "spec", [](StructDraft& spec) {
    if (spec["persistentVolumeReclaimPolicy"].as_string().empty()) {
      spec.set("persistentVolumeReclaimPolicy", Value("Retain"));
    }
    spec.set_default("volumeMode", Value("Filesystem"));
  });
}

void default_namespace(StructDraft& ns, WallTime) {
  constexpr std::string_view kNameLabel = "kubernetes.io/metadata.name";
  const std::string name(ns["metadata"]["name"].as_string());
  if (name.empty()) return;
  change_struct(ns, "metadata", [&](StructDraft& metadata) {
    if (metadata["labels"][kNameLabel].as_string() == name) return;
    metadata.set("labels", metadata["labels"].with(kNameLabel, Value(name)));
  });
}

void default_limit_range_item(StructDraft& item, WallTime) {
  if (item["type"].as_string() != "Container") return;
  const Value limits = with_missing(item["default"], item["max"]);
  const Value requests = with_missing(with_missing(item["defaultRequest"], limits), item["min"]);
  if (!limits.empty()) item.set("default", limits);
  if (!requests.empty()) item.set("defaultRequest", requests);
}

// stringData is for writing only: its texts become data.
void merge_string_data(StructDraft& secret, WallTime) {
  if (secret["stringData"].is_null()) return;
  Value::ObjectBuilder data(secret["data"]);
  for (const Value::Member& member : secret["stringData"].members()) {
    data.set(member.key, Value(base64_encode(member.value.as_string())));
  }
  if (data.size() > 0) secret.set("data", std::move(data).build());
  secret.remove("stringData");
}

constexpr std::array kCoreHooks = {
    DefaultHookRow{"io.k8s.api.core.v1.Container", default_container},
    DefaultHookRow{"io.k8s.api.core.v1.EphemeralContainer", default_container},
    DefaultHookRow{"io.k8s.api.core.v1.LimitRangeItem", default_limit_range_item},
    DefaultHookRow{"io.k8s.api.core.v1.Namespace", default_namespace},
    DefaultHookRow{"io.k8s.api.core.v1.NodeSpec", default_node_spec},
    DefaultHookRow{"io.k8s.api.core.v1.NodeStatus", default_node_status},
    DefaultHookRow{"io.k8s.api.core.v1.PersistentVolume", default_persistent_volume},
    DefaultHookRow{"io.k8s.api.core.v1.Pod", default_pod},
    DefaultHookRow{"io.k8s.api.core.v1.PodSpec", default_pod_spec},
    DefaultHookRow{"io.k8s.api.core.v1.PodStatus", default_pod_status},
    DefaultHookRow{"io.k8s.api.core.v1.ReplicationController", default_replication_controller},
    DefaultHookRow{"io.k8s.api.core.v1.Secret", merge_string_data},
    DefaultHookRow{"io.k8s.api.core.v1.Service", default_service},
    DefaultHookRow{"io.k8s.api.core.v1.Volume", default_volume},
};

}  // namespace

std::span<const DefaultHookRow> core_default_hooks() {
  return kCoreHooks;
}

}  // namespace coracle::kube::internal
