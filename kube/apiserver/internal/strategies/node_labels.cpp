#include "kube/apiserver/internal/strategies/node_labels.h"

namespace coracle::kube::apiserver {

namespace {

struct OldNodeLabel {
  std::string_view label;
  std::string_view text;
};
constexpr OldNodeLabel kOldLabelsOfNodes[] = {
    {"beta.kubernetes.io/arch", R"(deprecated since v1.14; use "kubernetes.io/arch" instead)"},
    {"beta.kubernetes.io/os", R"(deprecated since v1.14; use "kubernetes.io/os" instead)"},
    {"failure-domain.beta.kubernetes.io/region",
     R"(deprecated since v1.17; use "topology.kubernetes.io/region" instead)"},
    {"failure-domain.beta.kubernetes.io/zone", R"(deprecated since v1.17; use "topology.kubernetes.io/zone" instead)"},
    {"beta.kubernetes.io/instance-type", R"(deprecated since v1.17; use "node.kubernetes.io/instance-type" instead)"},
    {"app.kubernetes.io/created-by", "deprecated since v1.9"},
    {"scheduler.alpha.kubernetes.io/preferAvoidPods", "deprecated since v1.22; use Taints and Tolerations instead"},
    {"node-role.kubernetes.io/master", R"(use "node-role.kubernetes.io/control-plane" instead)"},
};

}  // namespace

std::string_view old_node_label_text(std::string_view label) {
  for (const OldNodeLabel& row : kOldLabelsOfNodes) {
    if (row.label == label) return row.text;
  }
  return {};
}

void warn_about_old_expressions(const Value& term, const FieldPath& path, std::vector<std::string>& warnings) {
  const Value& expressions = term["matchExpressions"];
  for (std::size_t i = 0; i < expressions.size(); ++i) {
    const std::string_view key = expressions.at(i)["key"].as_string();
    const std::string_view text = old_node_label_text(key);
    if (text.empty()) continue;
    warnings.push_back(path.child("matchExpressions").index(i).child("key").text() + ": " + std::string(key) + " is " +
                       std::string(text));
  }
}

}  // namespace coracle::kube::apiserver
