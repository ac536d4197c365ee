#include <utility>

#include "base/executor.h"
#include "base/random.h"
#include "kube/apiserver/internal/strategies/resource_rules.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/object/quantity.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::int64_t kHighestUserPriority = 1000000000;
Object prepare_limit_range(const WriteContext& write, const Object& object, const Object*) {
  return object.name().empty() ? object.with_metadata("name", write.context.executor().random().uuid()) : object;
}

void check_quota_amounts(const Object& object, const Object*, FieldErrors& errors) {
  const FieldPath path = FieldPath("spec").child("hard");
  for (const Value::Member& member : object["spec"]["hard"].members()) {
    const auto amount = Quantity::from_value(member.value);
    if (amount.ok() && amount->sign() < 0) {
      errors.push_back(field_error::invalid(path.key(member.key).text(), member.value, kNotNegative));
    }
  }
}

// The classes that the server makes itself.
bool is_system_priority(const Object& object) {
  const std::int64_t value = object["value"].as_int();
  return (object.name() == "system-node-critical" && value == 2000001000) ||
         (object.name() == "system-cluster-critical" && value == 2000000000);
}

Object prepare_priority_class(const WriteContext&, const Object& object, const Object* old) {
  return old == nullptr ? object : object.with_metadata("generation", old->metadata()["generation"]);
}

void check_priority_class(const Object& object, const Object* old, FieldErrors& errors) {
  if (old != nullptr || is_system_priority(object)) return;
  if (object.name().starts_with("system-")) {
    errors.push_back(field_error::forbidden(
        "metadata.name", "priority class names with 'system-' prefix are reserved for system use only. error: " +
                             std::string(object.name()) + " is not a known system priority class"));
  }
  if (object["value"].as_int() > kHighestUserPriority) {
    errors.push_back(field_error::forbidden(
        "value", "maximum allowed value of a user defined priority is " + std::to_string(kHighestUserPriority)));
  }
}

Object prepare_lease(const WriteContext&, const Object& object, const Object*) {
  // The gate of coordinated election is off.
  const Value& spec = object["spec"];
  if (!spec.contains("strategy") && !spec.contains("preferredHolder")) return object;
  return object.with("spec", spec.without("strategy").without("preferredHolder"));
}

void check_lease(const Object& object, const Object*, FieldErrors& errors) {
  const Value& duration = object["spec"]["leaseDurationSeconds"];
  if (duration.is_int() && duration.as_int() <= 0) {
    errors.push_back(field_error::invalid("spec.leaseDurationSeconds", duration, "must be greater than 0"));
  }
  check_not_negative(object["spec"]["leaseTransitions"], FieldPath("spec.leaseTransitions"), errors);
}

constexpr FrozenField kFrozenPriority[] = {{"value", "may not be changed in an update.", true}};

constexpr ResourceRules kConfigurationRules[] = {
    {"", "limitranges", prepare_limit_range},
    {"", "resourcequotas", nullptr, nullptr, check_quota_amounts},
    {"scheduling.k8s.io", "priorityclasses", prepare_priority_class, nullptr, check_priority_class, nullptr,
     kFrozenPriority},
    {"coordination.k8s.io", "leases", prepare_lease, nullptr, check_lease},
};

}  // namespace

std::span<const ResourceRules> configuration_rules() {
  return kConfigurationRules;
}

}  // namespace coracle::kube::apiserver
