#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "kube/apiserver/internal/object_reader.h"

namespace coracle::kube::apiserver {

// What one pod refers to, all in the pod's namespace.
struct PodReferences {
  std::string node;
  std::string namespace_;
  std::string service_account;
  std::vector<std::string> secrets;
  std::vector<std::string> config_maps;
  std::vector<std::string> claims;  // PersistentVolumeClaims
  std::vector<std::string> resource_claims;
};
// Mirror pods refer to nothing.
PodReferences pod_references(const Object& pod);
// Secrets that a PersistentVolume needs on the node, as "namespace/name".
std::vector<std::string> volume_secrets(const Object& volume);

// Which objects the pods of a node refer to, over the registry's caches. Only changed pods are parsed.
// Thread-safe.
class NodeGraph {
 public:
  explicit NodeGraph(const ObjectReader& objects) : objects_(objects) {}

  // Is the object used by a pod that is bound to the node (or bound to it itself, as volume attachments
  // and resource slices)?
  Result<bool> related(const Context& context, std::string_view node, KnownResource resource, std::string_view ns,
                       std::string_view name);

 private:
  struct Node {
    std::unordered_set<std::string> secrets;
    std::unordered_set<std::string> config_maps;
    std::unordered_set<std::string> claims;
    std::unordered_set<std::string> resource_claims;
    std::unordered_set<std::string> service_accounts;
  };
  struct Graph {
    store::Revision built_from = 0;
    std::map<std::string, Node, std::less<>> nodes;
  };
  struct Known {
    store::Revision revision = 0;
    std::shared_ptr<const PodReferences> references;
  };

  Result<std::shared_ptr<const Graph>> graph(const Context& context);
  Result<std::shared_ptr<const Graph>> build(const Context& context, store::Revision revision);
  Result<bool> secret_through_volume(const Context& context, const Node& node, const std::string& secret) const;

  const ObjectReader& objects_;
  std::mutex mutex_;
  std::shared_ptr<const Graph> graph_;
  std::unordered_map<std::string, Known> pods_;  // by namespace/name
};

}  // namespace coracle::kube::apiserver
