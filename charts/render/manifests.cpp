#include "charts/render/manifests.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/go_text.h"
#include "base/text.h"
#include "base/yaml/yaml.h"
#include "charts/values.h"

namespace coracle::charts {
namespace {

// Helm's InstallOrder; what is not named comes last.
constexpr std::array<std::string_view, 39> kInstallOrder = {"PriorityClass",
                                                            "Namespace",
                                                            "NetworkPolicy",
                                                            "ResourceQuota",
                                                            "LimitRange",
                                                            "PodSecurityPolicy",
                                                            "PodDisruptionBudget",
                                                            "ServiceAccount",
                                                            "Secret",
                                                            "SecretList",
                                                            "ConfigMap",
                                                            "StorageClass",
                                                            "PersistentVolume",
                                                            "PersistentVolumeClaim",
                                                            "CustomResourceDefinition",
                                                            "ClusterRole",
                                                            "ClusterRoleList",
                                                            "ClusterRoleBinding",
                                                            "ClusterRoleBindingList",
                                                            "Role",
                                                            "RoleList",
                                                            "RoleBinding",
                                                            "RoleBindingList",
                                                            "Service",
                                                            "DaemonSet",
                                                            "Pod",
                                                            "ReplicationController",
                                                            "ReplicaSet",
                                                            "Deployment",
                                                            "HorizontalPodAutoscaler",
                                                            "StatefulSet",
                                                            "Job",
                                                            "CronJob",
                                                            "IngressClass",
                                                            "Ingress",
                                                            "APIService",
                                                            "MutatingWebhookConfiguration",
                                                            "ValidatingWebhookConfiguration",
                                                            ""};

// Helm's UninstallOrder: what leads traffic to workloads goes first.
constexpr std::array<std::string_view, 39> kUninstallOrder = {"ValidatingWebhookConfiguration",
                                                              "MutatingWebhookConfiguration",
                                                              "APIService",
                                                              "Ingress",
                                                              "IngressClass",
                                                              "Service",
                                                              "CronJob",
                                                              "Job",
                                                              "StatefulSet",
                                                              "HorizontalPodAutoscaler",
                                                              "Deployment",
                                                              "ReplicaSet",
                                                              "ReplicationController",
                                                              "Pod",
                                                              "DaemonSet",
                                                              "RoleBindingList",
                                                              "RoleBinding",
                                                              "RoleList",
                                                              "Role",
                                                              "ClusterRoleBindingList",
                                                              "ClusterRoleBinding",
                                                              "ClusterRoleList",
                                                              "ClusterRole",
                                                              "CustomResourceDefinition",
                                                              "PersistentVolumeClaim",
                                                              "PersistentVolume",
                                                              "StorageClass",
                                                              "ConfigMap",
                                                              "SecretList",
                                                              "Secret",
                                                              "ServiceAccount",
                                                              "PodDisruptionBudget",
                                                              "PodSecurityPolicy",
                                                              "LimitRange",
                                                              "ResourceQuota",
                                                              "NetworkPolicy",
                                                              "Namespace",
                                                              "PriorityClass",
                                                              ""};

constexpr std::string_view kHookAnnotation = "helm.sh/hook";
constexpr std::string_view kWeightAnnotation = "helm.sh/hook-weight";
constexpr std::string_view kDeleteAnnotation = "helm.sh/hook-delete-policy";
constexpr std::string_view kOutputLogAnnotation = "helm.sh/hook-output-log-policy";

struct EventName {
  std::string_view annotation;
  std::string_view event;
};
constexpr std::array<EventName, 10> kEvents = {{{"pre-install", "pre-install"},
                                                {"post-install", "post-install"},
                                                {"pre-delete", "pre-delete"},
                                                {"post-delete", "post-delete"},
                                                {"pre-upgrade", "pre-upgrade"},
                                                {"post-upgrade", "post-upgrade"},
                                                {"pre-rollback", "pre-rollback"},
                                                {"post-rollback", "post-rollback"},
                                                {"test", "test"},
                                                {"test-success", "test"}}};

template <std::size_t N>
int position_in(const std::array<std::string_view, N>& order, std::string_view kind) {
  const auto found = std::find(order.begin(), order.end() - 1, kind);
  return static_cast<int>(found - order.begin());
}

bool kind_before(std::string_view a, std::string_view b) {
  const int first = install_order(a);
  const int second = install_order(b);
  if (first == second && first == install_order("")) return a < b;
  return first < second;
}

// The items of a comma-separated annotation, lower case.
std::vector<std::string> annotation_list(std::string_view text) {
  std::vector<std::string> items;
  for (const std::string_view item : split(text, ',')) items.push_back(to_lower(trim(item)));
  return items;
}

bool is_scalar(const Value& value) {
  return !value.is_object() && !value.is_array();
}

// Helm's complaint about a part of the head that has the wrong shape, or nothing.
std::optional<std::string> wrong_head(const Value& tree) {
  const auto complain = [](const Value& value, const std::string& target) {
    return "json: cannot unmarshal " + std::string(json_kind_name(value)) + " into Go " + target;
  };
  if (!tree.is_object()) {
    return tree.is_null() ? std::nullopt : std::optional(complain(tree, "value of type util.SimpleHead"));
  }
  for (const std::string field : {"apiVersion", "kind"}) {
    if (!is_scalar(tree[field])) return complain(tree[field], "struct field SimpleHead." + field + " of type string");
  }
  const Value& metadata = tree["metadata"];
  if (metadata.is_null()) return std::nullopt;
  if (!metadata.is_object()) return complain(metadata, "struct field SimpleHead.metadata");
  if (!is_scalar(metadata["name"])) return complain(metadata["name"], "struct field .metadata.name of type string");
  const Value& annotations = metadata["annotations"];
  if (!annotations.is_object() && !annotations.is_null()) {
    return complain(annotations, "struct field .metadata.annotations of type map[string]string");
  }
  for (const auto& [key, value] : annotations.members()) {
    if (!is_scalar(value)) return complain(value, "struct field .metadata.annotations of type string");
  }
  return std::nullopt;
}

Result<Value> parse_document(const std::string& path, const std::string& text) {
  const std::string what = "YAML parse error on " + path;
  auto tree = yaml::read(text, {.strict = false});
  if (!tree.ok()) return tree.error().in(what + ": error converting YAML to JSON");
  if (const auto complaint = wrong_head(*tree)) {
    return bad_request(what + ": error unmarshaling JSON: while decoding JSON: " + *complaint);
  }
  return tree;
}

// As Go's Atoi reads it, with a sign of either kind.
std::optional<int> read_weight(std::string_view text) {
  const bool plus = text.size() > 1 && text[0] == '+' && is_digit(text[1]);
  return parse_int<int>(plus ? text.substr(1) : text);
}

// The hook that a document declares; nothing when an event is unknown, since Helm then drops it.
std::optional<Hook> make_hook(const std::string& path, const std::string& text, const Value& object) {
  const Value& annotations = object["metadata"]["annotations"];
  Hook hook;
  hook.name = scalar_text(object["metadata"]["name"]);
  hook.kind = scalar_text(object["kind"]);
  hook.source = path;
  hook.text = text;
  hook.object = object;
  hook.weight = read_weight(scalar_text(annotations[kWeightAnnotation])).value_or(0);
  for (const std::string& name : annotation_list(scalar_text(annotations[kHookAnnotation]))) {
    const auto known =
        std::find_if(kEvents.begin(), kEvents.end(), [&](const EventName& event) { return event.annotation == name; });
    if (known == kEvents.end()) return std::nullopt;
    hook.events.emplace_back(known->event);
  }
  if (const Value* policies = annotations.find(kDeleteAnnotation)) {
    hook.delete_policies = annotation_list(scalar_text(*policies));
  }
  if (const Value* policies = annotations.find(kOutputLogAnnotation)) {
    hook.output_log_policies = annotation_list(scalar_text(*policies));
  }
  return hook;
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\n\v\f\r") == std::string_view::npos;
}

std::string_view trim_left(std::string_view text) {
  const std::size_t start = text.find_first_not_of(" \t\n\v\f\r");
  return start == std::string_view::npos ? std::string_view() : text.substr(start);
}

}  // namespace

int install_order(std::string_view kind) {
  return position_in(kInstallOrder, kind);
}
int uninstall_order(std::string_view kind) {
  return position_in(kUninstallOrder, kind);
}

std::vector<std::string> split_manifests(std::string_view text) {
  std::vector<std::string> documents;
  text = trim_left(text);
  const auto take = [&](std::string_view document) {
    if (!is_blank(document)) documents.emplace_back(trim_left(document));
  };
  std::size_t start = 0;
  for (std::size_t line = 0; line < text.size();) {
    if (text.substr(line, 3) == "---") {
      take(text.substr(start, line - start));
      start = line + 3;
      while (start < text.size() && (text[start] == ' ' || text[start] == '\t')) ++start;
    }
    const std::size_t newline = text.find('\n', std::max(line, start));
    if (newline == std::string_view::npos) break;
    line = newline + 1;
  }
  take(text.substr(start));
  return documents;
}

Result<void> sort_manifests(const std::map<std::string, std::string>& files, Rendering& rendering) {
  for (const auto& [path, content] : files) {
    const std::string_view base = std::string_view(path).substr(path.rfind('/') + 1);
    if (base.starts_with('_') || is_blank(content)) continue;
    for (std::string& text : split_manifests(content)) {
      ASSIGN_OR_RETURN(Value object, parse_document(path, text));
      if (!object["metadata"]["annotations"].contains(kHookAnnotation)) {
        rendering.manifests.push_back({path, std::move(text), std::move(object)});
        continue;
      }
      auto hook = make_hook(path, text, object);
      if (hook) {
        rendering.hooks.push_back(std::move(*hook));
      } else {
        rendering.warnings.push_back("skipping a manifest of " + path + " with an unknown hook");
      }
    }
  }
  std::stable_sort(rendering.manifests.begin(), rendering.manifests.end(), [](const Manifest& a, const Manifest& b) {
    return kind_before(a.object["kind"].as_string(), b.object["kind"].as_string());
  });
  std::stable_sort(rendering.hooks.begin(), rendering.hooks.end(),
                   [](const Hook& a, const Hook& b) { return kind_before(a.kind, b.kind); });
  return {};
}

std::string Rendering::manifest_text() const {
  std::string out;
  for (const Manifest& manifest : manifests) {
    out += "---\n# Source: " + manifest.source + "\n" + manifest.text + "\n";
  }
  return out;
}

}  // namespace coracle::charts
