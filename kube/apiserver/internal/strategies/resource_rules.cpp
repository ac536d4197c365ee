#include "kube/apiserver/internal/strategies/resource_rules.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "kube/apiserver/internal/strategies/extended_strategy.h"
#include "kube/apiserver/internal/strategies/pods/pod_template.h"
#include "kube/apiserver/internal/strategies/pods/pod_warnings.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

// What the update would change of the fields that stay as they are.
FieldErrors frozen_errors(std::span<const FrozenField> fields, const Object& object, const Object& old) {
  FieldErrors errors;
  for (const FrozenField& frozen : fields) {
    const std::vector<std::string_view> path = split(frozen.path, '.');
    const Value& now = object.tree().at_path(path);
    const Value& before = old.tree().at_path(path);
    if (now == before || (is_zero(now) && is_zero(before))) continue;
    errors.push_back(frozen.forbidden ? field_error::forbidden(frozen.path, frozen.detail)
                                      : field_error::invalid(frozen.path, now, frozen.detail));
  }
  return errors;
}

// What the schema says of a workload's selector, as the rules of other resources would.
void take_selector_error(FieldErrors& errors, FieldErrors& frozen) {
  for (const Cause& cause : errors) {
    if (cause.field == "spec.selector" && cause.message.ends_with(kImmutableField)) frozen.push_back(cause);
  }
}

bool concern_field(const FieldErrors& errors, std::string_view field) {
  return std::any_of(errors.begin(), errors.end(), [&](const Cause& cause) { return cause.field == field; });
}

void drop_schema_findings(FieldErrors& errors) {
  std::erase_if(errors, [](const Cause& cause) { return !cause.field.starts_with("metadata"); });
}

class RuledStrategy : public ExtendedStrategy {
 public:
  RuledStrategy(const StandardBehaviour& behaviour, const ResourceRules& rules)
      : ExtendedStrategy(behaviour), rules_(rules), template_path_(pod_template_path(rules.resource)) {}

  Result<Object> prepare_for_create(const WriteContext& write, Object object) const override {
    if (!template_path_.empty()) object = without_disabled_template_fields(object, template_path_, nullptr);
    const Value status = object["status"];
    ASSIGN_OR_RETURN(object, ExtendedStrategy::prepare_for_create(write, std::move(object)));
    if (rules_.keeps_new_status && !status.is_null()) object = object.with("status", status);
    return rules_.prepare == nullptr ? object : rules_.prepare(write, object, nullptr);
  }

  Result<Object> prepare_for_update(const WriteContext& write, Object object, const Object& old) const override {
    if (!template_path_.empty()) object = without_disabled_template_fields(object, template_path_, &old);
    ASSIGN_OR_RETURN(object, ExtendedStrategy::prepare_for_update(write, std::move(object), old));
    if (write.subresource == "status") {
      return rules_.prepare_status == nullptr ? object : rules_.prepare_status(write, object, old);
    }
    return rules_.prepare == nullptr ? object : rules_.prepare(write, object, &old);
  }

  void validate(const WriteContext&, const Object& object, FieldErrors& errors) const override {
    if (rules_.replaces_schema) drop_schema_findings(errors);
    if (rules_.check != nullptr) rules_.check(object, nullptr, errors);
  }

  void validate_update(const WriteContext& write, const Object& object, const Object& old,
                       FieldErrors& errors) const override {
    if (rules_.replaces_schema) drop_schema_findings(errors);
    if (write.subresource == "status") {
      if (rules_.check_status != nullptr) rules_.check_status(object, old, errors);
      return;
    }
    // The schema tables know some of these fields too; the rule has the resource's own words, and the last ones.
    FieldErrors frozen = frozen_errors(rules_.frozen, object, old);
    // StatefulSets have one error for all that may not change.
    if (!template_path_.empty() && rules_.resource != "statefulsets") take_selector_error(errors, frozen);
    std::erase_if(errors, [&](const Cause& cause) { return concern_field(frozen, cause.field); });
    if (rules_.check != nullptr) rules_.check(object, &old, errors);
    errors.insert(errors.end(), frozen.begin(), frozen.end());
  }

  std::vector<std::string> warnings(const WriteContext& write, const Object& object, const Object* old) const override {
    if (write.subresource == "status") return {};
    std::vector<std::string> warnings;
    if (rules_.warn != nullptr) warnings = rules_.warn(object, old);
    const bool respecified = old == nullptr || object.generation() != old->generation();
    if (!template_path_.empty() && respecified) {
      const Value& pod = object.tree().at_path(template_path_);
      add_pod_warnings(pod["spec"], pod["metadata"], FieldPath(join(template_path_, ".")), warnings);
    }
    return warnings;
  }

  std::string_view default_propagation() const override { return rules_.propagation; }
  std::string_view deletion_refusal(std::string_view name) const override {
    return rules_.deletion_refusal == nullptr ? "" : rules_.deletion_refusal(name);
  }

 private:
  const ResourceRules& rules_;
  const std::span<const std::string_view> template_path_;
};

}  // namespace

std::shared_ptr<const Strategy> make_ruled_strategy(std::string_view group, std::string_view resource,
                                                    const StandardBehaviour& behaviour) {
  const std::span<const ResourceRules> tables[] = {
      workload_rules(), batch_rules(),   autoscaling_rules(),      configuration_rules(), storage_rules(),
      network_rules(),  ingress_rules(), endpoint_rules(),         role_rules(),          secret_rules(),
      event_rules(),    webhook_rules(), admission_policy_rules(), flow_rules(),          node_rules(),
      device_rules()};
  for (const auto table : tables) {
    for (const ResourceRules& rules : table) {
      if (rules.group == group && rules.resource == resource) {
        return std::make_shared<RuledStrategy>(behaviour, rules);
      }
    }
  }
  return nullptr;
}

}  // namespace coracle::kube::apiserver
