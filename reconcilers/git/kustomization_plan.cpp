#include "reconcilers/git/kustomization_plan.h"

#include <algorithm>
#include <array>
#include <set>
#include <tuple>
#include <utility>

#include "base/encoding.h"
#include "base/text.h"
#include "kube/apply/manifest.h"
#include "kube/object/conditions.h"
#include "reconcilers/git/flux_status.h"
#include "reconcilers/git/target_namespace.h"

namespace coracle::reconcilers {
namespace {

constexpr std::string_view kGroup = "kustomize.toolkit.fluxcd.io/";
constexpr std::array<std::string_view, 3> kKustomizationFiles = {"kustomization.yaml", "kustomization.yml",
                                                                 "Kustomization"};

std::string group_key(std::string_view name) {
  return std::string(kGroup) + std::string(name);
}

// Values of these markers compare without case, wherever they stand.
bool is_marked(const kube::Object& object, std::string_view name, std::string_view value) {
  const std::string key = group_key(name);
  return to_lower(object.annotation(key)) == value || to_lower(object.label(key)) == value;
}

bool either_marked(const kube::Object& desired, const kube::Object* live, std::string_view name,
                   std::string_view value) {
  return is_marked(desired, name, value) || (live != nullptr && is_marked(*live, name, value));
}

std::string_view file_base(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

// What no two objects of a build may have in common.
using Identity = std::tuple<std::string, std::string, kube::ObjectKey>;

Identity identity(const kube::Object& object) {
  kube::ObjectKey key = object.key();
  if (key.namespace_.empty()) key.namespace_ = "default";
  return {std::string(object.api_version()), std::string(object.kind()), std::move(key)};
}

bool is_kustomization_file(std::string_view path) {
  return std::find(kKustomizationFiles.begin(), kKustomizationFiles.end(), file_base(path)) !=
         kKustomizationFiles.end();
}

kube::Object with_data_encoded(const kube::Object& object) {
  if (object.kind() != "Secret" || object["stringData"].empty()) return object;
  Value::ObjectBuilder data(object["data"].is_object() ? object["data"] : Value::object());
  for (const Value::Member& member : object["stringData"].members()) {
    data.set(member.key, base64_encode(member.value.as_string()));
  }
  return object.without("stringData").with("data", std::move(data).build());
}

}  // namespace

std::optional<std::string> unsupported_kustomization_field(const kube::Object& kustomization) {
  const Value& spec = kustomization["spec"];
  if (const std::string_view kind = spec["sourceRef"]["kind"].as_string(); kind != "GitRepository") {
    return "spec.sourceRef.kind: \"" + std::string(kind) + "\" is not built in yet, only GitRepository";
  }
  for (const std::string_view field :
       {"healthCheckExprs", "namePrefix", "nameSuffix", "patches", "images", "components", "ignoreMissingComponents",
        "buildMetadata", "postBuild", "decryption", "kubeConfig", "ignore"}) {
    if (!is_zero(spec[field])) return "spec." + std::string(field) + " is not built in yet";
  }
  for (const Value& dependency : spec["dependsOn"].items()) {
    if (!is_zero(dependency["readyExpr"])) return "spec.dependsOn.readyExpr is not built in yet";
  }
  return std::nullopt;
}

Result<std::string> source_directory(std::string_view path) {
  std::vector<std::string_view> parts;
  for (const std::string_view part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (parts.empty()) {
      return Error(Reason::Invalid, "spec.path: \"" + std::string(path) + "\" leads out of the repository");
    } else {
      parts.pop_back();
    }
  }
  std::string directory;
  for (const std::string_view part : parts) directory += (directory.empty() ? "" : "/") + std::string(part);
  return directory;
}

bool is_build_file(std::string_view path) {
  return path.ends_with(".yaml") || path.ends_with(".yml") || is_kustomization_file(path);
}

Result<std::vector<kube::Object>> build_manifests(const std::vector<GitFile>& files) {
  std::vector<kube::Object> objects;
  std::set<Identity> known;
  for (const GitFile& file : files) {
    if (is_kustomization_file(file.path)) {
      return Error(Reason::Invalid, file.path + ": kustomize is not built in yet, only plain manifests are applied");
    }
    if (!is_build_file(file.path)) continue;
    // As kustomize reads: "enabled: yes" is a text.
    Result<std::vector<kube::Object>> parsed = kube::parse_manifest(file.content, {.wide_booleans = false});
    if (!parsed.ok()) return Error(Reason::Invalid, file.path + ": " + parsed.error().message());
    for (kube::Object& object : *parsed) {
      if (object.name().empty()) {
        return Error(Reason::Invalid,
                     file.path + ": missing metadata.name in object of kind " + std::string(object.kind()));
      }
      if (!known.insert(identity(object)).second) {
        return Error(Reason::Invalid, file.path + ": may not add resource with an already registered id: " +
                                          kube::InventoryEntry::of(object).subject());
      }
      objects.push_back(std::move(object));
    }
  }
  return objects;
}

Result<std::vector<kube::Object>> prepare_objects(
    const kube::Object& kustomization, std::vector<kube::Object> objects,
    const std::function<bool(const kube::GroupVersionKind&)>& is_namespaced) {
  const Value& spec = kustomization["spec"];
  if (const std::string_view target = spec["targetNamespace"].as_string(); !target.empty()) {
    ASSIGN_OR_RETURN(objects, move_to_namespace(std::move(objects), target, is_namespaced));
  }
  for (kube::Object& object : objects) {
    if (object.kind() != "CustomResourceDefinition") object = object.without("status");
    object = with_data_encoded(object.with_metadata("creationTimestamp", Value()));
    object = object.with_label(group_key("name"), kustomization.name())
                 .with_label(group_key("namespace"), kustomization.namespace_());
    for (const Value::Member& label : spec["commonMetadata"]["labels"].members()) {
      object = object.with_label(label.key, label.value.as_string());
    }
    for (const Value::Member& annotation : spec["commonMetadata"]["annotations"].members()) {
      object = object.with_annotation(annotation.key, annotation.value.as_string());
    }
  }
  return objects;
}

bool may_prune(const kube::Object& kustomization, const kube::Object& live) {
  return live.label(group_key("name")) == kustomization.name() &&
         live.label(group_key("namespace")) == kustomization.namespace_() && !is_marked(live, "prune", "disabled") &&
         !is_left_alone(live, nullptr);
}

kube::Object with_namespace_kept(const kube::Object& kustomization, const kube::Object& desired,
                                 const kube::Object* live) {
  const bool is_namespace = desired.kind() == "Namespace" && desired.gvk().group.empty();
  if (!is_namespace || live == nullptr || may_prune(kustomization, *live)) return desired;
  const std::string key = group_key("prune");
  const bool decided = !desired.annotation(key).empty() || !desired.label(key).empty();
  return decided ? desired : desired.with_annotation(key, "disabled");
}

std::string_view confirmed_prune(const kube::Object& kustomization) {
  return kustomization.annotation(group_key("prune-all"));
}

std::optional<std::string> unconfirmed_prune(const kube::Object& kustomization, std::string_view revision,
                                             const std::vector<kube::Object>& objects,
                                             const kube::Inventory& inventory) {
  const bool empties = kustomization["spec"]["prune"].as_bool() && objects.empty() && inventory.size() > 1;
  if (!empties || confirmed_prune(kustomization) == revision) return std::nullopt;
  return "no manifest is left, so all " + std::to_string(inventory.size()) +
         " objects of the inventory would be pruned; if that is meant, annotate the Kustomization with " +
         group_key("prune-all") + "=" + std::string(revision);
}

bool is_left_alone(const kube::Object& desired, const kube::Object* live) {
  return either_marked(desired, live, "reconcile", "disabled") || either_marked(desired, live, "ssa", "ignore") ||
         (live != nullptr && is_marked(desired, "ssa", "ifnotpresent"));
}

bool leaves_managers(const kube::Object& desired, const kube::Object* live) {
  return either_marked(desired, live, "ssa", "merge");
}

bool may_recreate(const kube::Object& desired, const kube::Object* live) {
  return either_marked(desired, live, "force", "enabled");
}

kube::ObjectKey source_key(const kube::Object& kustomization) {
  return referenced_key(kustomization, kustomization["spec"]["sourceRef"]);
}

std::optional<std::string> unready_dependency(
    const kube::Object& kustomization, std::string_view revision,
    const std::function<std::optional<kube::Object>(const kube::ObjectKey&)>& find) {
  for (const Value& item : kustomization["spec"]["dependsOn"].items()) {
    const kube::ObjectKey key = referenced_key(kustomization, item);
    const std::string text = "dependency '" + key.text() + "'";
    const std::optional<kube::Object> dependency = find(key);
    if (!dependency) return text + " not found";
    const Value& status = (*dependency)["status"];
    if (status["observedGeneration"].as_int(-1) != dependency->generation() ||
        !kube::condition_is_true(status["conditions"], "Ready")) {
      return text + " is not ready";
    }
    const bool same_source = source_key(*dependency) == source_key(kustomization) &&
                             (*dependency)["spec"]["sourceRef"]["kind"] == kustomization["spec"]["sourceRef"]["kind"];
    if (same_source && status["lastAppliedRevision"].as_string() != revision) {
      return text + " revision is not up to date";
    }
  }
  return std::nullopt;
}

kube::Inventory health_targets(const kube::Object& kustomization, const kube::Inventory& managed) {
  const Value& spec = kustomization["spec"];
  const auto without_itself = [&kustomization](kube::Inventory targets) {
    std::erase_if(targets, [&kustomization](const kube::InventoryEntry& target) {
      return target.kind == "Kustomization" && kGroup.starts_with(target.group + "/") &&
             target.key() == kustomization.key();
    });
    return targets;
  };
  if (spec["wait"].as_bool()) return without_itself(managed);
  kube::Inventory targets;
  for (const Value& check : spec["healthChecks"].items()) {
    const kube::GroupVersionKind gvk =
        kube::GroupVersionKind::parse(check["apiVersion"].as_string("apps/v1"), check["kind"].as_string());
    const kube::ObjectKey key = referenced_key(kustomization, check);
    targets.push_back({key.namespace_, key.name, gvk.group, gvk.kind, gvk.version});
  }
  return without_itself(std::move(targets));
}

kube::Inventory vanishing_jobs(const std::vector<kube::Object>& objects) {
  kube::Inventory jobs;
  for (const kube::Object& object : objects) {
    const kube::GroupVersionKind gvk = object.gvk();
    const bool vanishes =
        gvk.group == "batch" && gvk.kind == "Job" && object["spec"].contains("ttlSecondsAfterFinished");
    if (vanishes) jobs.push_back(kube::InventoryEntry::of(kube::placed_for_apply(object, true)));
  }
  return jobs;
}

}  // namespace coracle::reconcilers
