#include "kube/apply/manifest.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "base/text.h"

namespace coracle::kube {
namespace {

constexpr std::size_t kMaxObjects = 100'000;

constexpr std::array<std::string_view, 23> kFirstKinds = {"CustomResourceDefinition",
                                                          "Namespace",
                                                          "ClusterRole",
                                                          "ClusterClass",
                                                          "RuntimeClass",
                                                          "PriorityClass",
                                                          "StorageClass",
                                                          "VolumeSnapshotClass",
                                                          "IngressClass",
                                                          "GatewayClass",
                                                          "ClusterRoleBinding",
                                                          "ResourceQuota",
                                                          "ServiceAccount",
                                                          "Role",
                                                          "RoleBinding",
                                                          "ConfigMap",
                                                          "Secret",
                                                          "Service",
                                                          "LimitRange",
                                                          "Deployment",
                                                          "StatefulSet",
                                                          "CronJob",
                                                          "PodDisruptionBudget"};
constexpr std::array<std::string_view, 2> kLastKinds = {"MutatingWebhookConfiguration",
                                                        "ValidatingWebhookConfiguration"};

constexpr std::string_view kListSuffix = "List";

Result<void> check_object(const Object& object) {
  if (!object.tree().is_object()) return bad_request("expected an object with apiVersion and kind");
  if (object.api_version().empty()) return bad_request("apiVersion: expected a group and version such as \"v1\"");
  if (object.kind().empty()) return bad_request("kind: expected the name of a kind such as \"ConfigMap\"");
  if (!object.metadata().is_object()) return bad_request("metadata: expected an object with a name");
  if (object.name().empty() && object.generate_name().empty()) {
    return bad_request("metadata.name: expected a name for the " + std::string(object.kind()));
  }
  return {};
}

// A custom resource may be of a kind that ends so and have items, but it has a name, which a list needs not.
bool is_list(const Value& tree) {
  const std::string_view kind = tree["kind"].as_string();
  const Value* items = tree.find("items");
  return kind.ends_with(kListSuffix) && items != nullptr && (items->is_array() || items->is_null()) &&
         (kind == kListSuffix || tree["metadata"]["name"].as_string().empty());
}

// YAML takes no tab before a comment or in a blank line of its own; k3s looks whether a document says anything before
// it reads it. In one that does not, a tab is as good as a blank.
std::string with_readable_blanks(std::string_view text) {
  std::string out(text);
  std::size_t document = 0;
  bool says_nothing = true;
  const auto end_document = [&](std::size_t end) {
    if (says_nothing)
      std::replace(out.begin() + static_cast<std::ptrdiff_t>(document), out.begin() + static_cast<std::ptrdiff_t>(end),
                   '\t', ' ');
    says_nothing = true;
  };
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    const std::string_view words = trim(line);
    if (line.starts_with("---")) {
      end_document(at);
      document = at;
      says_nothing = words == "---";
    } else if (!words.empty() && !words.starts_with('#')) {
      says_nothing = false;
    }
    at = end + 1;
  }
  end_document(text.size());
  return out;
}

Result<void> add_objects(const Value& tree, std::vector<Object>& objects) {
  if (is_list(tree)) {
    std::string_view kind = tree["kind"].as_string();
    kind.remove_suffix(kListSuffix.size());
    for (const Value& item : tree["items"].items()) {
      const bool untyped = item.is_object() && !item.contains("kind") && !item.contains("apiVersion");
      TRY(add_objects(untyped ? item.with("apiVersion", tree["apiVersion"]).with("kind", kind) : item, objects));
    }
    return {};
  }
  Object object(tree);
  TRY(check_object(object));
  if (objects.size() >= kMaxObjects) {
    return bad_request("more than " + std::to_string(kMaxObjects) + " objects in one manifest");
  }
  objects.push_back(std::move(object));
  return {};
}

}  // namespace

Result<std::vector<Object>> parse_manifest(std::string_view text, const yaml::ReadOptions& options) {
  const bool tabs = text.find('\t') != std::string_view::npos;
  ASSIGN_OR_RETURN(std::vector<yaml::Document> documents,
                   tabs ? yaml::read_all(with_readable_blanks(text), options) : yaml::read_all(text, options));
  std::vector<Object> objects;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    if (documents[i].value.is_null()) continue;
    if (Result<void> added = add_objects(documents[i].value, objects); !added.ok()) {
      return added.error().in("document " + std::to_string(i + 1) + " (line " + std::to_string(documents[i].line) +
                              ")");
    }
  }
  return objects;
}

Object placed_for_apply(const Object& object, bool namespaced) {
  if (!namespaced && !object.namespace_().empty()) return object.with_metadata("namespace", Value());
  if (namespaced && object.namespace_().empty()) return object.with_metadata("namespace", "default");
  return object;
}

int apply_rank(std::string_view kind) {
  constexpr int kOthers = static_cast<int>(kFirstKinds.size());
  if (const auto first = std::find(kFirstKinds.begin(), kFirstKinds.end(), kind); first != kFirstKinds.end()) {
    return static_cast<int>(first - kFirstKinds.begin());
  }
  if (const auto last = std::find(kLastKinds.begin(), kLastKinds.end(), kind); last != kLastKinds.end()) {
    return kOthers + 1 + static_cast<int>(last - kLastKinds.begin());
  }
  return kOthers;
}

void sort_for_apply(std::vector<Object>& objects) {
  std::stable_sort(objects.begin(), objects.end(), [](const Object& left, const Object& right) {
    const GroupVersionKind a = left.gvk();
    const GroupVersionKind b = right.gvk();
    return std::tuple(apply_rank(a.kind), a.group, a.kind, left.namespace_(), left.name()) <
           std::tuple(apply_rank(b.kind), b.group, b.kind, right.namespace_(), right.name());
  });
}

int apply_stage(std::string_view group, std::string_view kind) {
  if ((group == "apiextensions.k8s.io" && kind == "CustomResourceDefinition") ||
      (group.empty() && kind == "Namespace") || (group == "rbac.authorization.k8s.io" && kind == "ClusterRole")) {
    return 1;
  }
  return kind.ends_with("Class") ? 2 : 3;
}

}  // namespace coracle::kube
