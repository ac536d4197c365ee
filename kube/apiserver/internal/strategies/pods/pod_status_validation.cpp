#include <limits>
#include <set>
#include <string>
#include <string_view>

#include "base/ip.h"
#include "kube/apiserver/internal/strategies/field_check.h"
#include "kube/apiserver/internal/strategies/pods/pod_template.h"
#include "kube/apiserver/internal/strategies/pods/pod_update_validation.h"
#include "kube/apiserver/internal/strategies/validation_common.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kWholeGeneration = "must be a non-negative integer";

void check_generation(const FieldCheck& generation) {
  if (generation.number() < 0) generation.invalid(kWholeGeneration);
}

void check_conditions(const FieldCheck& conditions) {
  constexpr std::string_view kOwnTypes[] = {"PodScheduled", "Ready", "Initialized"};
  conditions.each([&](const FieldCheck& condition) {
    const std::string_view type = condition.value()["type"].as_string();
    check_generation(condition["observedGeneration"]);
    if (is_listed(type, kOwnTypes)) return;
    for (const std::string& finding : check_qualified_name(type)) condition["Type"].invalid(type, finding);
  });
}

// Addresses that the old list has already may stay, whatever they are.
void check_addresses(const FieldCheck& addresses, const Value& old) {
  constexpr std::size_t kFamilies = 2;
  std::set<std::string_view> known;
  for (const Value& address : old.items()) known.insert(address["ip"].as_string());
  std::set<std::string_view> families;
  Value::ArrayBuilder shown;
  addresses.each([&](const FieldCheck& address) {
    const std::string_view text = address.value()["ip"].as_string();
    const std::string_view family = ip_family(text);
    families.insert(family);
    shown.add(Value::object({{"IP", text}}));
    if (family.empty() && !known.contains(text)) address.invalid(text, kInvalidIp);
  });
  if (addresses.value().size() > 1 && (families.size() != kFamilies || addresses.value().size() > kFamilies)) {
    addresses.invalid(std::move(shown).build(), "may specify no more than one IP for each IP family");
  }
}

bool rule_matches(const Value& rule, std::int64_t exit_code) {
  const Value& codes = rule["exitCodes"];
  bool listed = false;
  for (const Value& code : codes["values"].items()) listed = listed || code.as_int() == exit_code;
  if (codes["operator"].as_string() == "In") return listed;
  return codes["operator"].as_string() == "NotIn" && !listed;
}

bool policy_restarts(std::string_view policy, std::int64_t exit_code) {
  if (policy == "OnFailure") return exit_code != 0;
  return policy != "Never";
}

bool may_restart(const Value& container, const Value& spec, std::int64_t exit_code) {
  const std::string_view own = container["restartPolicy"].as_string();
  if (own.empty()) return policy_restarts(spec["restartPolicy"].as_string(), exit_code);
  for (const Value& rule : container["restartPolicyRules"].items()) {
    if (rule_matches(rule, exit_code)) return true;
  }
  return policy_restarts(own, exit_code);
}

bool may_restart_as_whole(const Value& spec) {
  for (const std::string_view list : kPodContainerLists) {
    for (const Value& container : spec[list].items()) {
      for (const Value& rule : container["restartPolicyRules"].items()) {
        if (rule["action"].as_string() == "RestartAllContainers") return true;
      }
    }
  }
  return false;
}

const Value& container_named(const Value& list, std::string_view name) {
  for (const Value& one : list.items()) {
    if (one["name"].as_string() == name) return one;
  }
  static const Value kNone;
  return kNone;
}

// A container that has ended for good does not run again. `containers`: those that may; empty where none may.
void check_ends(const FieldCheck& statuses, const Value& old, const Value& spec, const Value& containers) {
  for (std::size_t i = 0; i < old.size(); ++i) {
    const Value& ended = old.at(i)["state"]["terminated"];
    const std::string_view name = old.at(i)["name"].as_string();
    const Value& now = container_named(statuses.value(), name);
    if (!ended.is_object() || now.is_null() || now["state"]["terminated"].is_object()) continue;
    const Value& container = container_named(containers, name);
    if (!container.is_null() && may_restart(container, spec, ended["exitCode"].as_int())) continue;
    statuses.at(i)["state"].forbidden("may not be transitioned to non-terminated state");
  }
}

void check_user(const FieldCheck& status, bool windows) {
  constexpr std::int64_t kHighest = std::numeric_limits<std::int32_t>::max();
  const FieldCheck user = status["user"]["linux"];
  if (!user.is_set()) return;
  if (windows) return user.forbidden("cannot be set for a windows pod");
  user["uid"].require_between(0, kHighest);
  user["gid"].require_between(0, kHighest);
  user["supplementalGroups"].each([](const FieldCheck& group) { group.require_between(0, kHighest); });
}

void check_claim_statuses(const FieldCheck& statuses, const Value& claims) {
  std::set<std::string_view> names;
  statuses.each([&](const FieldCheck& status) {
    const FieldCheck name = status["name"];
    if (container_named(claims, name.text()).is_null()) {
      name.invalid("must match the name of an entry in `spec.resourceClaims`");
    }
    if (!names.insert(name.text()).second) name.duplicate();
    const FieldCheck claim = status["resourceClaimName"];
    if (claim.is_set()) claim.invalid(check_dns1123_subdomain(claim.text()));
  });
}

void check_nominated_node(const FieldCheck& node, const Object& old) {
  if (node.is_empty() || node.text() == old["status"]["nominatedNodeName"].as_string()) return;
  node.invalid(check_dns1123_subdomain(node.text()));
  if (!old["spec"]["nodeName"].as_string().empty()) {
    node.forbidden("may not be set on pods that are already bound to a node");
  }
}

}  // namespace

void check_pod_status(const Object& pod, const Object& old, FieldErrors& errors) {
  const FieldPath path("status");
  const FieldCheck status(pod["status"], path, errors);
  const Value& before = old["status"];
  const Value& spec = old["spec"];
  retract_below(errors, path.text());
  check_pod_annotation_changes(pod, old, errors);
  check_conditions(status["conditions"]);
  check_nominated_node(status["nominatedNodeName"], old);
  check_generation(status["observedGeneration"]);
  if (status["qosClass"].text() != before["qosClass"].as_string()) status["qosClass"].invalid(kImmutableField);
  if (!may_restart_as_whole(spec)) {
    check_ends(status["containerStatuses"], before["containerStatuses"], spec, spec["containers"]);
    check_ends(status["initContainerStatuses"], before["initContainerStatuses"], spec, spec["initContainers"]);
  }
  check_ends(status["ephemeralContainerStatuses"], before["ephemeralContainerStatuses"], spec, Value());
  check_claim_statuses(status["resourceClaimStatuses"], spec["resourceClaims"]);
  check_addresses(status["podIPs"], before["podIPs"]);
  const FieldCheck first = status["hostIPs"].at(0)["ip"];
  if (!status["hostIPs"].is_empty() && first.text() != status["hostIP"].text()) {
    first.invalid("must be equal to `hostIP`");
  }
  check_addresses(status["hostIPs"], before["hostIPs"]);
  const bool windows = spec["os"]["name"].as_string() == "windows";
  for (const std::string_view list : {"containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"}) {
    status[list].each([&](const FieldCheck& one) { check_user(one, windows); });
  }
}

}  // namespace coracle::kube::apiserver
