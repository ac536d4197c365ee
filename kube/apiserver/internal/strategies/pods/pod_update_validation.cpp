#include "kube/apiserver/internal/strategies/pods/pod_update_validation.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "base/text.h"
#include "kube/apiserver/internal/strategies/field_check.h"
#include "kube/apiserver/internal/strategies/pods/pod_strategy.h"
#include "kube/apiserver/internal/strategies/pods/pod_template.h"
#include "kube/apiserver/internal/strategies/toleration_validation.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kAppArmorPrefix = "container.apparmor.security.beta.kubernetes.io/";
constexpr std::string_view kRequiredNodes = "requiredDuringSchedulingIgnoredDuringExecution";
constexpr std::string_view kFrozenPodSpec =
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n";

const Value& item_named(const Value& list, std::string_view name) {
  for (const Value& item : list.items()) {
    if (item["name"].as_string() == name) return item;
  }
  static const Value kNone;
  return kNone;
}

Value with_member_of(const Value& value, const Value& from, std::string_view member) {
  const Value* found = from.find(member);
  return found == nullptr ? value.without(member) : value.with(member, *found);
}

// The containers of a spec with one field as the old ones have it.
Value with_old_field(const Value& spec, const Value& old, std::string_view field) {
  Value changed = spec;
  for (const std::string_view list : kPodContainerLists) {
    if (!spec.contains(list)) continue;
    Value::ArrayBuilder containers;
    for (std::size_t i = 0; i < spec[list].size(); ++i) {
      containers.add(with_member_of(spec[list].at(i), old[list].at(i), field));
    }
    changed = changed.with(list, std::move(containers).build());
  }
  return changed;
}

// False when containers came or went: then nothing else can be compared.
bool check_images(const FieldCheck& containers, const Value& old) {
  if (containers.value().size() != old.size()) {
    containers.forbidden("pod updates may not add or remove containers");
    return false;
  }
  containers.each([](const FieldCheck& container) {
    const FieldCheck image = container["image"];
    image.require();
    if (trim(image.text()) != image.text()) image.invalid("must not have leading or trailing whitespace");
  });
  return true;
}

bool check_deadline(const FieldCheck& deadline, const Value& old) {
  if (!deadline.is_set()) {
    if (!old.is_null()) deadline.invalid(Value(), "must not update from a positive integer to nil value");
    return true;
  }
  if (!deadline.require_between(0, std::numeric_limits<std::int32_t>::max())) return false;
  if (old.is_null() || deadline.number() <= old.as_int()) return true;
  deadline.invalid("must be less than or equal to previous value");
  return false;
}

void check_tolerations_kept(const FieldCheck& spec, const Value& old) {
  const FieldCheck tolerations = spec["tolerations"];
  const auto now = tolerations.value().items();
  for (const Value& before : old.items()) {
    const bool kept = std::any_of(now.begin(), now.end(), [&](const Value& one) {
      return one.without("tolerationSeconds") == before.without("tolerationSeconds");
    });
    if (!kept) return tolerations.forbidden("existing toleration can not be modified except its tolerationSeconds");
  }
  check_tolerations(spec["tolerations"]);
}

void check_gates_kept(const FieldCheck& gates, const Value& old) {
  gates.each([&](const FieldCheck& gate) {
    const std::string name(gate["name"].text());
    if (!item_named(old, name).is_null() && !old.empty()) return;
    gate["name"].forbidden("only deletion is allowed, but found new scheduling gate '" + name + "'");
  });
}

Value shown_requirements(const Value& requirements) {
  if (requirements.is_null()) return {};
  Value::ArrayBuilder shown;
  for (const Value& one : requirements.items()) {
    shown.add(Value::object(
        {{"Key", one["key"].as_string()}, {"Operator", one["operator"].as_string()}, {"Values", one["values"]}}));
  }
  return std::move(shown).build();
}

// Terms as upstream prints them.
Value shown_term(const Value& term) {
  return Value::object({{"MatchExpressions", shown_requirements(term["matchExpressions"])},
                        {"MatchFields", shown_requirements(term["matchFields"])}});
}

Value shown_terms(const Value& terms) {
  Value::ArrayBuilder shown;
  for (const Value& term : terms.items()) shown.add(shown_term(term));
  return std::move(shown).build();
}

// An empty list or map is as good as none, an empty structure is not: it says that it is wanted.
bool is_nothing(std::string_view field, const Value& value) {
  constexpr std::string_view kMaps[] = {"nodeSelector", "limits",  "requests",         "matchLabels", "overhead",
                                        "annotations",  "options", "volumeAttributes", "labels"};
  return value.is_null() || (value.is_array() && value.empty()) ||
         (value.is_object() && value.empty() && is_listed(field, kMaps));
}

bool begins_with(const Value& list, const Value& beginning) {
  if (list.size() < beginning.size()) return false;
  for (std::size_t i = 0; i < beginning.size(); ++i) {
    if (!mean_the_same(list.at(i), beginning.at(i))) return false;
  }
  return true;
}

// A pod that waits at a gate may be told more precisely where to go, and nowhere else.
bool is_narrower(const Value& term, const Value& old) {
  const bool was_empty = old["matchExpressions"].empty() && old["matchFields"].empty();
  if (was_empty && (!term["matchExpressions"].empty() || !term["matchFields"].empty())) return false;
  return begins_with(term["matchExpressions"], old["matchExpressions"]) &&
         begins_with(term["matchFields"], old["matchFields"]);
}

void check_node_affinity_kept(const FieldCheck& affinity, const Value& old) {
  const Value& before = old[kRequiredNodes]["nodeSelectorTerms"];
  const FieldCheck terms = affinity[kRequiredNodes]["nodeSelectorTerms"];
  if (before.empty()) return;
  if (before.size() != terms.value().size()) {
    return terms.invalid(affinity[kRequiredNodes].is_set() ? shown_terms(terms.value()) : Value(),
                         "no additions/deletions to non-empty NodeSelectorTerms list are allowed");
  }
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (is_narrower(terms.value().at(i), before.at(i))) continue;
    terms.at(i).invalid(shown_term(terms.value().at(i)), "only additions are allowed (no mutations or deletions)");
  }
}

void check_node_labels_kept(const FieldCheck& selector, const Value& old) {
  for (const Value::Member& label : old.members()) {
    if (selector.value()[label.key] == label.value) continue;
    return selector.invalid(selector.value(),
                            "only additions to spec.nodeSelector are allowed (no mutations or deletions)");
  }
}

// The new spec, with what a gated pod may change as it was; says what of that went too far.
Value check_gated(const FieldCheck& spec, const Value& old, const Value& munged) {
  Value frozen = munged;
  check_node_labels_kept(spec["nodeSelector"], old["nodeSelector"]);
  frozen = with_member_of(frozen, old, "nodeSelector");
  const Value& before = old["affinity"]["nodeAffinity"];
  const FieldCheck affinity = spec["affinity"];
  if (mean_the_same(affinity["nodeAffinity"].value(), before)) return frozen;
  check_node_affinity_kept(affinity["nodeAffinity"], before);
  const Value merged = with_member_of(frozen["affinity"], old["affinity"], "nodeAffinity");
  return merged.empty() && old["affinity"].is_null() ? frozen.without("affinity") : frozen.with("affinity", merged);
}

bool has_amounts(const Value& resources) {
  return !resources["requests"].empty() || !resources["limits"].empty();
}

bool is_taken_away(const Value& amounts, const Value& old) {
  const auto members = old.members();
  return std::any_of(members.begin(), members.end(),
                     [&](const Value::Member& amount) { return !amounts.contains(amount.key); });
}

// The resources with the amounts that a resize is about as the old ones have them.
Value without_resized(const Value& resources, const Value& old) {
  Value changed = resources;
  for (const std::string_view part : {"limits", "requests"}) {
    Value amounts = resources[part];
    for (const std::string_view name : {"cpu", "memory"}) amounts = with_member_of(amounts, old[part], name);
    changed = amounts.empty() ? changed.without(part) : changed.with(part, amounts);
  }
  return changed;
}

bool check_resized_order(const FieldCheck& containers, const Value& old, std::string_view list) {
  const std::string called(list);
  if (containers.value().size() != old.size()) {
    containers.forbidden(called + " may not be added or removed on resize");
    return false;
  }
  bool same = true;
  containers.each([&](const FieldCheck& container) {
    const std::size_t index = static_cast<std::size_t>(&container.value() - containers.value().items().data());
    if (container["name"].text() == old.at(index)["name"].as_string()) return;
    container["name"].forbidden(called + " may not be renamed or reordered on resize");
    same = false;
  });
  return same;
}

void check_resized_amounts(const FieldCheck& container, const Value& old) {
  const FieldCheck resources = container["resources"];
  if (is_taken_away(resources["requests"].value(), old["resources"]["requests"])) {
    resources["requests"].forbidden("resource requests cannot be removed");
  }
  if (is_taken_away(resources["limits"].value(), old["resources"]["limits"])) {
    resources["limits"].forbidden("resource limits cannot be removed");
  }
}

// Did anything but processor and memory change?
bool is_more_than_resized(const Value& container, const Value& old) {
  const Value resources = without_resized(container["resources"], old["resources"]).without("claims");
  return !mean_the_same(container.with("resources", resources.is_object() ? resources : Value::object()), old);
}

void check_resized_init(const FieldCheck& container, const Value& old) {
  if (is_more_than_resized(container.value(), old)) {
    container.forbidden("only cpu and memory resources for init or sidecar containers are mutable");
  }
  const bool sidecar = container["restartPolicy"].text() == "Always";
  if (sidecar || mean_the_same(container.value(), old)) return;
  for (const Value& policy : container["resizePolicy"].value().items()) {
    if (policy["restartPolicy"].as_string() != "RestartContainer") continue;
    container.forbidden("non-sidecar init containers with a resize policy of RestartContainer cannot be resized");
  }
}

void check_resized_pod(const FieldCheck& spec, const Value& old) {
  constexpr std::string_view kRemoved = "pod-level resources cannot be removed";
  const FieldCheck resources = spec["resources"];
  const Value& before = old["resources"];
  if (!has_amounts(resources.value()) && !has_amounts(before)) return;
  if (!before.is_null() && !resources.is_set()) return resources.forbidden(kRemoved);
  if (is_taken_away(resources["requests"].value(), before["requests"])) {
    resources["requests"].forbidden("pod-level resource requests cannot be removed");
  }
  if (is_taken_away(resources["limits"].value(), before["limits"])) {
    resources["limits"].forbidden("pod-level resource limits cannot be removed");
  }
  const Value kept = without_resized(resources.value(), before);
  if (!(before.is_null() && kept.empty()) && !mean_the_same(kept, before)) {
    spec.forbidden("only cpu and memory resources are mutable at pod-level");
  }
}

// Does the node of a running pod know how to resize? It says so by telling the resources of containers.
bool can_resize(const Object& pod) {
  for (const Value& status : pod["status"]["containerStatuses"].items()) {
    if (status["state"]["running"].is_object()) return status["resources"].is_object();
  }
  return true;
}

}  // namespace

bool mean_the_same(const Value& one, const Value& other) {
  if (one == other) return true;
  if (one.is_array() && other.is_array()) return one.size() == other.size() && begins_with(one, other);
  if (!one.is_object() || !other.is_object()) return false;
  const auto covers = [](const Value& left, const Value& right) {
    const auto members = right.members();
    return std::all_of(members.begin(), members.end(), [&](const Value::Member& member) {
      if (is_nothing(member.key, left[member.key]) && is_nothing(member.key, member.value)) return true;
      return mean_the_same(left[member.key], member.value);
    });
  };
  return covers(one, other) && covers(other, one);
}

void check_pod_annotation_changes(const Object& pod, const Object& old, FieldErrors& errors) {
  const Value& now = pod.metadata()["annotations"];
  const Value& before = old.metadata()["annotations"];
  const FieldPath path("metadata.annotations");
  const auto complain = [&](const std::string& key, std::string_view what) {
    const FieldCheck annotation = FieldCheck(now, path, errors).entry(key);
    if (key.starts_with(kAppArmorPrefix)) annotation.forbidden(std::string(what) + " AppArmor annotations");
    if (key == kMirrorPod) annotation.forbidden(std::string(what) + " mirror pod annotation");
  };
  for (const Value::Member& one : before.members()) {
    if (!(now[one.key] == one.value)) complain(one.key, "may not remove or update");
  }
  for (const Value::Member& one : now.members()) {
    if (!before.contains(one.key)) complain(one.key, "may not add");
  }
}

void check_pod_update(const Object& pod, const Object& old, FieldErrors& errors) {
  const FieldPath path("spec");
  const FieldCheck spec(pod["spec"], path, errors);
  const Value& before = old["spec"];
  check_pod_annotation_changes(pod, old, errors);
  for (const std::string_view list : kPodContainerLists) {
    if (!check_images(spec[list], before[list])) return;
  }
  if (!check_deadline(spec["activeDeadlineSeconds"], before["activeDeadlineSeconds"])) return;
  check_tolerations_kept(spec, before["tolerations"]);
  check_gates_kept(spec["schedulingGates"], before["schedulingGates"]);
  if (spec.value() == before) return;
  Value frozen = with_old_field(spec.value(), before, "image");
  for (const std::string_view field : {"activeDeadlineSeconds", "tolerations", "schedulingGates"}) {
    frozen = with_member_of(frozen, before, field);
  }
  if (before["terminationGracePeriodSeconds"].as_int() < 0 && frozen["terminationGracePeriodSeconds"].as_int() == 1) {
    frozen = with_member_of(frozen, before, "terminationGracePeriodSeconds");
  }
  if (!before["schedulingGates"].empty()) frozen = check_gated(spec, before, frozen);
  if (!mean_the_same(frozen, before)) spec.forbidden(kFrozenPodSpec);
}

void check_ephemeral_update(const Object& pod, const Object& old, FieldErrors& errors) {
  const FieldPath path("spec");
  const FieldCheck containers = FieldCheck(pod["spec"], path, errors)["ephemeralContainers"];
  check_pod_annotation_changes(pod, old, errors);
  for (const Value& before : old["spec"]["ephemeralContainers"].items()) {
    const std::string_view name = before["name"].as_string();
    const Value& now = item_named(containers.value(), name);
    const std::string called = "existing ephemeral containers \"" + std::string(name) + "\" may not be ";
    if (now.is_null()) {
      containers.forbidden(called + "removed\n");
    } else if (!mean_the_same(now, before)) {
      containers.forbidden(called + "changed\n");
    }
  }
}

void check_pod_resize(const Object& pod, const Object& old, FieldErrors& errors) {
  const FieldPath path("spec");
  const FieldCheck spec(pod["spec"], path, errors);
  const Value& before = old["spec"];
  if (pod_qos_class(spec.value()) != old["status"]["qosClass"].as_string()) {
    spec.invalid(pod["status"]["qosClass"], "Pod QOS Class may not change as a result of resizing");
  }
  if (!can_resize(old)) spec.forbidden("Pod running on node without support for resize");
  check_resized_pod(spec, before);
  if (!old["status"]["nodeAllocatableResourceClaimStatuses"].empty()) {
    spec.forbidden("pods with node allocatable resource claims cannot be resized");
  }
  bool same = true;
  for (const std::string_view list : kPodContainerLists) {
    same = check_resized_order(spec[list], before[list], list) && same;
  }
  if (!same) return;
  const auto each_pair = [&](std::string_view list, auto check) {
    for (std::size_t i = 0; i < spec[list].value().size(); ++i) check(spec[list].at(i), before[list].at(i));
  };
  each_pair("initContainers", check_resized_amounts);
  each_pair("containers", check_resized_amounts);
  each_pair("containers", [&](const FieldCheck& container, const Value& was) {
    if (is_more_than_resized(container.value(), was)) spec.forbidden("only cpu and memory resources are mutable");
  });
  each_pair("initContainers", check_resized_init);
}

}  // namespace coracle::kube::apiserver
