#include "kube/apiserver/internal/strategies/toleration_validation.h"

#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

void check_toleration_value(const Value& toleration, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kOperators[] = {"Equal", "Exists"};
  constexpr std::string_view kAllOperators[] = {"Equal", "Exists", "Lt", "Gt"};
  const std::string_view op = toleration["operator"].as_string();
  const std::string_view value = toleration["value"].as_string();
  if (op.empty() || op == "Equal") {
    const NameErrors findings = check_label_value(value);
    if (!findings.empty()) errors.push_back(field_error::invalid(path.text(), value, join(findings, ";")));
  } else if (op == "Exists") {
    if (value.empty()) return;
    errors.push_back(field_error::invalid(path.text(), value, "value must be empty when `operator` is 'Exists'"));
  } else if (op == "Lt" || op == "Gt") {
    errors.push_back(field_error::not_supported(path.text(), op, kAllOperators));
  } else {
    errors.push_back(field_error::not_supported(path.text(), op, kOperators));
  }
}

}  // namespace

void check_tolerations(const Value& tolerations, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kEffects[] = {"NoSchedule", "PreferNoSchedule", "NoExecute"};
  for (std::size_t i = 0; i < tolerations.size(); ++i) {
    const Value& toleration = tolerations.at(i);
    const FieldPath at = path.index(i);
    const std::string_view key = toleration["key"].as_string();
    const std::string_view op = toleration["operator"].as_string();
    const std::string_view effect = toleration["effect"].as_string();
    if (!key.empty()) {
      add_name_errors(at.child("key"), key, check_qualified_name(key), errors);
    } else if (op != "Exists") {
      errors.push_back(
          field_error::invalid(at.child("operator").text(), op,
                               "operator must be Exists when `key` is empty, which means \"match all values and all "
                               "keys\""));
    }
    if (!toleration["tolerationSeconds"].is_null() && effect != "NoExecute") {
      errors.push_back(field_error::invalid(at.child("effect").text(), effect,
                                            "effect must be 'NoExecute' when `tolerationSeconds` is set"));
    }
    check_toleration_value(toleration, at.child("operator"), errors);
    if (effect.empty() || std::find(std::begin(kEffects), std::end(kEffects), effect) != std::end(kEffects)) continue;
    errors.push_back(field_error::not_supported(at.child("effect").text(), effect, kEffects));
  }
}

}  // namespace coracle::kube::apiserver
