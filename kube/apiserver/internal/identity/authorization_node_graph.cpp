#include "kube/apiserver/internal/identity/authorization_node_graph.h"

#include <algorithm>
#include <utility>

namespace coracle::kube::apiserver {
namespace {

constexpr std::string_view kMirrorAnnotation = "kubernetes.io/config.mirror";

void add_reference(std::vector<std::string>& names, const Value& name) {
  std::string_view text = name.as_string();
  if (!text.empty() && std::find(names.begin(), names.end(), text) == names.end()) names.emplace_back(text);
}

void add_container_references(const Value& containers, PodReferences& references) {
  for (const Value& container : containers.items()) {
    for (const Value& variable : container["env"].items()) {
      add_reference(references.secrets, variable["valueFrom"]["secretKeyRef"]["name"]);
      add_reference(references.config_maps, variable["valueFrom"]["configMapKeyRef"]["name"]);
    }
    for (const Value& source : container["envFrom"].items()) {
      add_reference(references.secrets, source["secretRef"]["name"]);
      add_reference(references.config_maps, source["configMapRef"]["name"]);
    }
  }
}

void add_volume_references(const Object& pod, PodReferences& references) {
  constexpr std::string_view kWithSecretRef[] = {"cephfs",  "cinder", "flexVolume", "rbd",
                                                 "scaleIO", "iscsi",  "storageos"};
  for (const Value& volume : pod["spec"]["volumes"].items()) {
    for (std::string_view source : kWithSecretRef) {
      add_reference(references.secrets, volume[source]["secretRef"]["name"]);
    }
    add_reference(references.secrets, volume["azureFile"]["secretName"]);
    add_reference(references.secrets, volume["secret"]["secretName"]);
    add_reference(references.secrets, volume["csi"]["nodePublishSecretRef"]["name"]);
    add_reference(references.config_maps, volume["configMap"]["name"]);
    for (const Value& source : volume["projected"]["sources"].items()) {
      add_reference(references.secrets, source["secret"]["name"]);
      add_reference(references.config_maps, source["configMap"]["name"]);
    }
    add_reference(references.claims, volume["persistentVolumeClaim"]["claimName"]);
    if (volume.contains("ephemeral")) {
      references.claims.push_back(std::string(pod.name()) + "-" + std::string(volume["name"].as_string()));
    }
  }
}

std::string node_place(std::string_view ns, std::string_view name) {
  return std::string(ns).append("/").append(name);
}

void add_places(std::unordered_set<std::string>& places, const std::string& ns, const std::vector<std::string>& names) {
  for (const std::string& name : names) places.insert(node_place(ns, name));
}

}  // namespace

PodReferences pod_references(const Object& pod) {
  PodReferences references;
  const Value& spec = pod["spec"];
  references.node = spec["nodeName"].as_string();
  references.namespace_ = pod.namespace_();
  if (references.node.empty() || pod.has_annotation(kMirrorAnnotation)) return references;
  references.service_account = spec["serviceAccountName"].as_string();
  for (const Value& secret : spec["imagePullSecrets"].items()) add_reference(references.secrets, secret["name"]);
  for (std::string_view list : {"initContainers", "containers", "ephemeralContainers"}) {
    add_container_references(spec[list], references);
  }
  add_volume_references(pod, references);
  for (const Value& claim : spec["resourceClaims"].items()) {
    add_reference(references.resource_claims, claim["resourceClaimName"]);
  }
  for (const Value& claim : pod["status"]["resourceClaimStatuses"].items()) {
    add_reference(references.resource_claims, claim["resourceClaimName"]);
  }
  return references;
}

std::vector<std::string> volume_secrets(const Object& volume) {
  const Value& spec = volume["spec"];
  std::string_view claim_namespace = spec["claimRef"]["namespace"].as_string();
  std::vector<std::string> secrets;
  auto add = [&](const Value& reference, std::string_view name_field, std::string_view namespace_field) {
    std::string_view name = reference[name_field].as_string();
    std::string_view ns = reference[namespace_field].as_string();
    if (!name.empty()) secrets.push_back(node_place(ns.empty() ? claim_namespace : ns, name));
  };
  for (std::string_view source : {"cephfs", "cinder", "flexVolume", "rbd", "scaleIO", "iscsi", "storageos"}) {
    add(spec[source]["secretRef"], "name", "namespace");
  }
  add(spec["azureFile"], "secretName", "secretNamespace");
  for (std::string_view use : {"nodePublishSecretRef", "nodeStageSecretRef", "nodeExpandSecretRef"}) {
    add(spec["csi"][use], "name", "namespace");
  }
  return secrets;
}

Result<std::shared_ptr<const NodeGraph::Graph>> NodeGraph::graph(const Context& context) {
  ASSIGN_OR_RETURN(store::Revision now, objects_.last_change(context, KnownResource::Pods));
  {
    std::lock_guard lock(mutex_);
    if (graph_ != nullptr && graph_->built_from == now) return graph_;
  }
  return build(context, now);
}

Result<std::shared_ptr<const NodeGraph::Graph>> NodeGraph::build(const Context& context, store::Revision revision) {
  ASSIGN_OR_RETURN(std::vector<StoredObjectPtr> stored, objects_.list_stored(context, KnownResource::Pods, {}));
  auto graph = std::make_shared<Graph>();
  graph->built_from = revision;
  std::lock_guard lock(mutex_);
  std::unordered_map<std::string, Known> pods;
  for (const StoredObjectPtr& one : stored) {
    std::string place = node_place(one->namespace_(), one->name());
    Known known = pods_[place];
    if (known.references == nullptr || known.revision != one->revision()) {
      ASSIGN_OR_RETURN(Object pod, one->object());
      known = {one->revision(), std::make_shared<const PodReferences>(pod_references(pod))};
    }
    const PodReferences& uses = *known.references;
    if (!uses.node.empty()) {
      Node& node = graph->nodes[uses.node];
      add_places(node.secrets, uses.namespace_, uses.secrets);
      add_places(node.config_maps, uses.namespace_, uses.config_maps);
      add_places(node.claims, uses.namespace_, uses.claims);
      add_places(node.resource_claims, uses.namespace_, uses.resource_claims);
      if (!uses.service_account.empty()) {
        node.service_accounts.insert(node_place(uses.namespace_, uses.service_account));
      }
    }
    pods.emplace(std::move(place), std::move(known));
  }
  pods_.swap(pods);
  graph_ = graph;
  return std::shared_ptr<const Graph>(std::move(graph));
}

Result<bool> NodeGraph::secret_through_volume(const Context& context, const Node& node,
                                              const std::string& secret) const {
  for (const std::string& place : node.claims) {
    std::size_t slash = place.find('/');
    ASSIGN_OR_RETURN(std::optional<Object> claim, objects_.find(context, KnownResource::PersistentVolumeClaims,
                                                                place.substr(0, slash), place.substr(slash + 1)));
    if (!claim) continue;
    std::string_view volume_name = (*claim)["spec"]["volumeName"].as_string();
    if (volume_name.empty()) continue;
    ASSIGN_OR_RETURN(std::optional<Object> volume,
                     objects_.find(context, KnownResource::PersistentVolumes, {}, volume_name));
    if (!volume) continue;
    std::vector<std::string> secrets = volume_secrets(*volume);
    if (std::find(secrets.begin(), secrets.end(), secret) != secrets.end()) return true;
  }
  return false;
}

Result<bool> NodeGraph::related(const Context& context, std::string_view node_name, KnownResource resource,
                                std::string_view ns, std::string_view name) {
  if (resource == KnownResource::Pods) {
    ASSIGN_OR_RETURN(std::optional<Object> pod, objects_.find(context, resource, ns, name));
    return pod && (*pod)["spec"]["nodeName"].as_string() == node_name;
  }
  if (resource == KnownResource::VolumeAttachments || resource == KnownResource::ResourceSlices) {
    ASSIGN_OR_RETURN(std::optional<Object> bound, objects_.find(context, resource, {}, name));
    return bound && (*bound)["spec"]["nodeName"].as_string() == node_name;
  }
  ASSIGN_OR_RETURN(std::shared_ptr<const Graph> now, graph(context));
  auto found = now->nodes.find(node_name);
  if (found == now->nodes.end()) return false;
  const Node& node = found->second;
  std::string place = node_place(ns, name);
  switch (resource) {
    case KnownResource::Secrets:
      if (node.secrets.count(place) != 0) return true;
      return secret_through_volume(context, node, place);
    case KnownResource::ConfigMaps:
      return node.config_maps.count(place) != 0;
    case KnownResource::PersistentVolumeClaims:
      return node.claims.count(place) != 0;
    case KnownResource::ResourceClaims:
      return node.resource_claims.count(place) != 0;
    case KnownResource::ServiceAccounts:
      return node.service_accounts.count(place) != 0;
    case KnownResource::PersistentVolumes: {
      ASSIGN_OR_RETURN(std::optional<Object> volume, objects_.find(context, resource, {}, name));
      if (!volume) return false;
      const Value& claim = (*volume)["spec"]["claimRef"];
      return node.claims.count(node_place(claim["namespace"].as_string(), claim["name"].as_string())) != 0;
    }
    default:
      return false;
  }
}

}  // namespace coracle::kube::apiserver
