#include "kube/apiserver/internal/strategies/toleration_validation.h"

#include "base/text.h"

namespace coracle::kube::apiserver {

namespace {

void check_effect(const FieldCheck& effect) {
  constexpr std::string_view kEffects[] = {"NoSchedule", "PreferNoSchedule", "NoExecute"};
  if (!effect.is_empty()) effect.require_one_of(kEffects);
}

void check_toleration(const FieldCheck& toleration) {
  constexpr std::string_view kOperators[] = {"Equal", "Exists"};
  // Known, though upstream lets nobody use all of them yet.
  constexpr std::string_view kKnownOperators[] = {"Equal", "Exists", "Lt", "Gt"};
  const FieldCheck key = toleration["key"];
  const FieldCheck op = toleration["operator"];
  const FieldCheck effect = toleration["effect"];
  const std::string_view value = toleration["value"].text();
  if (!key.is_empty()) {
    key.invalid(check_qualified_name(key.text()));
  } else if (op.text() != "Exists") {
    op.invalid("operator must be Exists when `key` is empty, which means \"match all values and all keys\"");
  }
  if (toleration["tolerationSeconds"].is_set() && effect.text() != "NoExecute") {
    effect.invalid("effect must be 'NoExecute' when `tolerationSeconds` is set");
  }
  if (op.is_empty() || op.text() == "Equal") {
    const NameErrors findings = check_label_value(value);
    if (!findings.empty()) op.invalid(value, join(findings, ";"));
  } else if (op.text() == "Exists") {
    if (!value.empty()) op.invalid(value, "value must be empty when `operator` is 'Exists'");
  } else if (op.text() == "Lt" || op.text() == "Gt") {
    op.not_supported(kKnownOperators);
  } else {
    op.not_supported(kOperators);
  }
  check_effect(effect);
}

}  // namespace

void check_tolerations(const FieldCheck& tolerations) {
  tolerations.each(check_toleration);
}

}  // namespace coracle::kube::apiserver
