#include <utility>

#include "base/executor.h"
#include "base/random.h"
#include "kube/apiserver/internal/strategies/cluster/class_validation.h"
#include "kube/apiserver/internal/strategies/cluster/limit_validation.h"
#include "kube/apiserver/internal/strategies/resource_rules.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

Object prepare_limit_range(const WriteContext& write, const Object& object, const Object*) {
  return object.name().empty() ? object.with_metadata("name", write.context.executor().random().uuid()) : object;
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

constexpr FrozenField kFrozenPriority[] = {{"value", "may not be changed in an update.", true}, {"preemptionPolicy"}};
constexpr FrozenField kFrozenRuntime[] = {{"handler"}};

constexpr ResourceRules kConfigurationRules[] = {
    {.group = "",
     .resource = "limitranges",
     .prepare = prepare_limit_range,
     .check = check_limit_range,
     .replaces_schema = true},
    {.group = "",
     .resource = "resourcequotas",
     .check = check_quota,
     .warn = quota_warnings,
     .check_status = check_quota_status,
     .replaces_schema = true},
    {.group = "scheduling.k8s.io",
     .resource = "priorityclasses",
     .prepare = prepare_priority_class,
     .check = check_priority_class,
     .frozen = kFrozenPriority,
     .replaces_schema = true,
     .deletion_refusal = priority_class_deletion_refusal},
    {.group = "node.k8s.io",
     .resource = "runtimeclasses",
     .check = check_runtime_class,
     .warn = runtime_class_warnings,
     .frozen = kFrozenRuntime,
     .replaces_schema = true},
    {"coordination.k8s.io", "leases", prepare_lease, nullptr, check_lease},
};

}  // namespace

std::span<const ResourceRules> configuration_rules() {
  return kConfigurationRules;
}

}  // namespace coracle::kube::apiserver
