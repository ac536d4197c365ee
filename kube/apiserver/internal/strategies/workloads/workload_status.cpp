#include "kube/apiserver/internal/strategies/workloads/workload_status.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "kube/apiserver/internal/strategies/field_check.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

// Lists are comma-separated, in the order in which faults are told.
struct StatusRules {
  std::string_view kind;
  std::string_view counts;            // not negative
  std::string_view parts;             // of status.replicas
  std::string_view ready = {};        // what availableReplicas are a part of, as the message names it
  bool remembers_collisions = false;  // collisionCount only grows
};

constexpr StatusRules kStatusRules[] = {
    {"Deployment",
     "observedGeneration,replicas,updatedReplicas,readyReplicas,availableReplicas,unavailableReplicas,"
     "terminatingReplicas,collisionCount",
     "updatedReplicas,readyReplicas,availableReplicas", "readyReplicas", true},
    {"ReplicaSet",
     "replicas,fullyLabeledReplicas,readyReplicas,availableReplicas,observedGeneration,terminatingReplicas",
     "fullyLabeledReplicas,readyReplicas,availableReplicas", "readyReplicas"},
    {"ReplicationController", "replicas,fullyLabeledReplicas,readyReplicas,availableReplicas,observedGeneration",
     "fullyLabeledReplicas,readyReplicas,availableReplicas", "readyReplicas"},
    {"StatefulSet",
     "replicas,readyReplicas,currentReplicas,updatedReplicas,availableReplicas,observedGeneration,collisionCount",
     "readyReplicas,currentReplicas,updatedReplicas,availableReplicas", "status.readyReplicas", true},
    {"DaemonSet",
     "currentNumberScheduled,numberMisscheduled,desiredNumberScheduled,numberReady,observedGeneration,"
     "updatedNumberScheduled,numberAvailable,numberUnavailable,collisionCount",
     "", "", true},
    {"PodDisruptionBudget", "disruptionsAllowed,currentHealthy,desiredHealthy,expectedPods", ""},
    {"HorizontalPodAutoscaler", "currentReplicas,desiredReplicas", ""},
};

const FieldPath kStatusPath("status");

std::vector<std::string_view> fields_of(std::string_view list) {
  return list.empty() ? std::vector<std::string_view>() : split(list, ',');
}

void invalid_count(const Value& status, std::string_view field, const std::string& detail, FieldErrors& errors) {
  errors.push_back(field_error::invalid(kStatusPath.child(field).text(), status[field].as_int(), detail));
}

void check_status_counts(const Value& status, const StatusRules& rules, FieldErrors& errors) {
  for (const std::string_view field : fields_of(rules.counts)) {
    check_not_negative(status[field], kStatusPath.child(field), errors);
  }
  for (const std::string_view field : fields_of(rules.parts)) {
    if (status[field].as_int() <= status["replicas"].as_int()) continue;
    invalid_count(status, field, "cannot be greater than status.replicas", errors);
  }
  if (!rules.ready.empty() && status["availableReplicas"].as_int() > status["readyReplicas"].as_int()) {
    invalid_count(status, "availableReplicas", "cannot be greater than " + std::string(rules.ready), errors);
  }
}

void check_reason(const Value& reason, const FieldPath& path, FieldErrors& errors) {
  constexpr std::size_t kMaxReason = 1024;
  const std::string_view text = reason.as_string();
  if (text.empty()) return errors.push_back(field_error::required(path.text()));
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto is_inner = [&](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == ',' || c == ':'; };
  const bool good = is_letter(text.front()) && std::all_of(text.begin(), text.end(), is_inner) && text.back() != ',' &&
                    text.back() != ':';
  if (!good) {
    errors.push_back(field_error::invalid(
        path.text(), reason,
        "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric "
        "characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or "
        "'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is "
        "'[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')"));
  }
  if (text.size() > kMaxReason) errors.push_back(field_error::too_long(path.text(), kMaxReason));
}

// A list of metav1.Condition.
void check_conditions(const Value& conditions, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kStatuses[] = {"False", "True", "Unknown"};
  constexpr std::size_t kMaxMessage = 32768;
  retract_whole(errors, path.text());
  std::set<std::string_view> types;
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    const Value& condition = conditions.at(i);
    const FieldPath at = path.index(i);
    const std::string_view type = condition["type"].as_string(), status = condition["status"].as_string();
    if (!types.insert(type).second) errors.push_back(field_error::duplicate(at.child("type").text(), type));
    add_name_errors(at.child("type"), type, check_qualified_name(type), errors);
    if (!is_listed(status, kStatuses)) {
      errors.push_back(field_error::not_supported(at.child("status").text(), status, kStatuses));
    }
    if (condition["observedGeneration"].as_int() < 0) {
      errors.push_back(field_error::invalid(at.child("observedGeneration").text(), condition["observedGeneration"],
                                            "must be greater than or equal to zero"));
    }
    if (condition["lastTransitionTime"].is_null()) {
      errors.push_back(field_error::required(at.child("lastTransitionTime").text()));
    }
    check_reason(condition["reason"], at.child("reason"), errors);
    if (condition["message"].as_string().size() > kMaxMessage) {
      errors.push_back(field_error::too_long(at.child("message").text(), kMaxMessage));
    }
  }
}

}  // namespace

void check_workload_status(const Object& object, const Object& old, FieldErrors& errors) {
  for (const StatusRules& rules : kStatusRules) {
    if (rules.kind != object.kind()) continue;
    const Value& status = object["status"];
    if (rules.kind == "PodDisruptionBudget") {
      check_conditions(status["conditions"], kStatusPath.child("conditions"), errors);
    }
    check_status_counts(status, rules, errors);
    const Value& before = old["status"]["collisionCount"];
    if (!rules.remembers_collisions || before.is_null()) continue;
    const Value& now = status["collisionCount"];
    if (now.is_null() || now.as_int() < before.as_int()) {
      invalid_count(status, "collisionCount", "cannot be decremented", errors);
    }
  }
}

}  // namespace coracle::kube::apiserver
