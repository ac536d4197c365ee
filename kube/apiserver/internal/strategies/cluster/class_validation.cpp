#include "kube/apiserver/internal/strategies/cluster/class_validation.h"

#include <set>
#include <utility>

#include "base/json/json.h"
#include "kube/apiserver/internal/strategies/internal_form.h"
#include "kube/apiserver/internal/strategies/node_labels.h"
#include "kube/apiserver/internal/strategies/resource_names.h"
#include "kube/apiserver/internal/strategies/toleration_validation.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::int64_t kHighestUserPriority = 1000000000;

constexpr std::string_view kNodeCritical = "system-node-critical";
constexpr std::string_view kClusterCritical = "system-cluster-critical";

// The classes that the server makes itself.
bool is_system_priority(const Object& object) {
  const std::int64_t value = object["value"].as_int();
  return (object.name() == kNodeCritical && value == 2000001000) ||
         (object.name() == kClusterCritical && value == 2000000000);
}

// Tolerations are a set, whatever their seconds.
void check_repeated_tolerations(const Value& tolerations, const FieldPath& path, FieldErrors& errors) {
  std::set<std::string> seen;
  for (std::size_t i = 0; i < tolerations.size(); ++i) {
    const Value& toleration = tolerations.at(i);
    if (seen.insert(json::write_sorted(toleration.without("tolerationSeconds"))).second) continue;
    errors.push_back(field_error::duplicate(path.index(i).text(), internal_form(toleration, toleration_form())));
  }
}

}  // namespace

Object prepare_priority_class(const WriteContext&, const Object& object, const Object* old) {
  return old == nullptr ? object : object.with_metadata("generation", old->metadata()["generation"]);
}

std::string_view priority_class_deletion_refusal(std::string_view name) {
  if (name != kNodeCritical && name != kClusterCritical) return "";
  return "this is a system priority class and cannot be deleted";
}

void check_priority_class(const Object& object, const Object* old, FieldErrors& errors) {
  constexpr std::string_view kPolicies[] = {"PreemptLowerPriority", "Never"};
  if (old != nullptr) return;
  const bool known = is_system_priority(object);
  if (!known && object.name().starts_with("system-")) {
    errors.push_back(field_error::forbidden(
        "metadata.name", "priority class names with 'system-' prefix are reserved for system use only. error: " +
                             std::string(object.name()) + " is not a known system priority class"));
  } else if (!known && object["value"].as_int() > kHighestUserPriority) {
    errors.push_back(field_error::forbidden(
        "value", "maximum allowed value of a user defined priority is " + std::to_string(kHighestUserPriority)));
  }
  const Value& policy = object["preemptionPolicy"];
  if (policy.is_null() || policy.as_string() == kPolicies[0] || policy.as_string() == kPolicies[1]) return;
  errors.push_back(policy.as_string().empty() ? field_error::required("preemptionPolicy")
                                              : field_error::not_supported("preemptionPolicy", policy, kPolicies));
}

void check_runtime_class(const Object& object, const Object*, FieldErrors& errors) {
  const std::string_view handler = object["handler"].as_string();
  if (handler.empty()) {
    errors.push_back(field_error::required("handler"));
  } else {
    add_name_errors(FieldPath("handler"), handler, check_dns1123_label(handler), errors);
  }
  // The overhead counts as what a container may use.
  const FieldPath limits("overhead.limits");
  const FieldCheck overhead(object["overhead"]["podFixed"], limits, errors);
  for (const Value::Member& member : overhead.value().members()) {
    check_resource_name(overhead.entry(member.key), member.key, ResourceUse::Container);
    check_resource_amount(overhead.entry(member.key), member.key);
  }
  const Value& scheduling = object["scheduling"];
  const FieldPath tolerations("scheduling.tolerations");
  check_labels(scheduling["nodeSelector"], FieldPath("scheduling.nodeSelector"), errors);
  check_tolerations(FieldCheck(scheduling["tolerations"], tolerations, errors));
  check_repeated_tolerations(scheduling["tolerations"], tolerations, errors);
}

std::vector<std::string> runtime_class_warnings(const Object& object, const Object*) {
  std::vector<std::string> warnings;
  for (const Value::Member& label : object["scheduling"]["nodeSelector"].members()) {
    const std::string_view text = old_node_label_text(label.key);
    if (!text.empty()) warnings.push_back("scheduling.nodeSelector: " + std::string(text));
  }
  return warnings;
}

}  // namespace coracle::kube::apiserver
