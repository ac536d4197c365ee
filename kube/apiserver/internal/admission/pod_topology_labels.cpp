#include <optional>
#include <string>

#include "kube/apiserver/internal/admission/common.h"
#include "kube/apiserver/internal/admission/plugins.h"

namespace coracle::kube::apiserver {
namespace {

constexpr std::string_view kTopologyLabels[] = {"topology.kubernetes.io/zone", "topology.kubernetes.io/region"};

// A pod can read its own labels, not those of its node: it is told where it runs when it gets its node. What a binding
// has as labels goes to the pod that it binds.
class PodTopologyLabels : public AdmissionPlugin {
 public:
  explicit PodTopologyLabels(const ObjectReader& objects) : objects_(objects) {}
  std::string_view name() const override { return "PodTopologyLabels"; }

  Result<void> admit(const Context& context, const AdmissionAttributes& attributes, Object* object,
                     std::vector<std::string>&) override {
    if (attributes.operation != Operation::Create || object == nullptr) return {};
    if (concerns(attributes, "", "pods")) return copy_labels(context, (*object)["spec"]["nodeName"], *object);
    if (!concerns(attributes, "", "pods", "binding")) return {};
    const Value& target = (*object)["target"];
    // A binding that leaves the kind out binds to a node all the same, and copies nothing: upstream's does not.
    if (target["kind"].as_string() != "Node") return {};
    return copy_labels(context, target["name"], *object);
  }

 private:
  // Also over what the object says itself. A node that does not exist yet is no reason to refuse the pod.
  Result<void> copy_labels(const Context& context, const Value& node_name, Object& object) const {
    const std::string name(node_name.as_string());
    if (name.empty()) return {};
    ASSIGN_OR_RETURN(const std::optional<Object> node, objects_.find(context, KnownResource::Nodes, {}, name));
    if (!node) return {};
    for (const std::string_view key : kTopologyLabels) {
      const Value* label = node->metadata()["labels"].find(key);
      if (label != nullptr) object = object.with_label(key, label->as_string());
    }
    return {};
  }

  const ObjectReader& objects_;
};

}  // namespace

AdmissionPluginPtr make_pod_topology_labels(const ObjectReader& objects) {
  return std::make_unique<PodTopologyLabels>(objects);
}

}  // namespace coracle::kube::apiserver
