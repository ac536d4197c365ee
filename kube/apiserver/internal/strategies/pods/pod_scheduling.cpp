#include "kube/apiserver/internal/strategies/pods/pod_scheduling.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "base/text.h"
#include "kube/apiserver/internal/strategies/validation_common.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kRequiredTerms = "requiredDuringSchedulingIgnoredDuringExecution";
constexpr std::string_view kPreferredTerms = "preferredDuringSchedulingIgnoredDuringExecution";
constexpr std::string_view kNoOperator = "not a valid selector operator";

void check_term_selector(const FieldCheck& selector) {
  if (selector.is_set()) check_label_selector(selector.value(), selector.path(), selector.errors());
}

void check_weight(const FieldCheck& term) {
  constexpr std::int64_t kHighest = 100;
  const FieldCheck weight = term["weight"];
  if (weight.number() < 1 || weight.number() > kHighest) weight.invalid(weight.number(), "must be in the range 1-100");
}

// What labels or fields of a node must be.
void check_node_requirement(const FieldCheck& requirement, bool checks_values) {
  const FieldCheck values = requirement["values"];
  const std::string_view op = requirement["operator"].text();
  if (op == "In" || op == "NotIn") {
    if (values.is_empty()) values.required("must be specified when `operator` is 'In' or 'NotIn'");
  } else if (op == "Exists" || op == "DoesNotExist") {
    if (!values.is_empty()) values.forbidden("may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
  } else if (op == "Gt" || op == "Lt") {
    if (values.value().size() != 1) values.required("must be specified single value when `operator` is 'Lt' or 'Gt'");
  } else {
    requirement["operator"].invalid(kNoOperator);
  }
  requirement["key"].invalid(check_qualified_name(requirement["key"].text()));
  if (!checks_values) return;
  values.each([](const FieldCheck& value) { value.invalid(check_label_value(value.text())); });
}

void check_node_field(const FieldCheck& requirement) {
  const FieldCheck values = requirement["values"];
  const std::string_view op = requirement["operator"].text();
  if (op != "In" && op != "NotIn") {
    requirement["operator"].invalid(kNoOperator);
  } else if (values.value().size() != 1) {
    values.required("must be only one value when `operator` is 'In' or 'NotIn' for node field selector");
  }
  if (requirement["key"].text() != "metadata.name") {
    requirement["key"].invalid("not a valid field selector key");
  } else {
    values.each([](const FieldCheck& value) { value.invalid(check_dns1123_subdomain(value.text())); });
  }
}

void check_node_term(const FieldCheck& term, bool checks_values) {
  term["matchExpressions"].each([&](const FieldCheck& one) { check_node_requirement(one, checks_values); });
  term["matchFields"].each(check_node_field);
}

bool has_bad_value(const Value& node_terms) {
  for (const Value& term : node_terms.items()) {
    for (const Value& requirement : term["matchExpressions"].items()) {
      for (const Value& value : requirement["values"].items()) {
        if (!check_label_value(value.as_string()).empty()) return true;
      }
    }
  }
  return false;
}

void check_node_affinity(const FieldCheck& affinity, const Value& old) {
  if (affinity[kRequiredTerms].is_set()) {
    const FieldCheck terms = affinity[kRequiredTerms]["nodeSelectorTerms"];
    if (terms.is_empty()) terms.required("must have at least one node selector term");
    const bool checks_values = !has_bad_value(old[kRequiredTerms]["nodeSelectorTerms"]);
    terms.each([&](const FieldCheck& term) { check_node_term(term, checks_values); });
  }
  affinity[kPreferredTerms].each([](const FieldCheck& term) {
    check_weight(term);
    // A preference that no node can fulfil does no harm.
    check_node_term(term["preference"], false);
  });
}

// Keys whose values are taken from the pod itself.
void check_label_keys(const FieldCheck& keys, bool has_selector) {
  if (keys.is_empty()) return;
  if (!has_selector) return keys.forbidden("must not be specified when labelSelector is not set");
  keys.each([](const FieldCheck& key) { key.invalid(check_qualified_name(key.text())); });
}

bool contains(const Value& list, std::string_view text) {
  const auto items = list.items();
  return std::any_of(items.begin(), items.end(), [&](const Value& one) { return one.as_string() == text; });
}

void check_match_label_keys(const FieldCheck& term) {
  const FieldCheck keys = term["matchLabelKeys"];
  const FieldCheck other_keys = term["mismatchLabelKeys"];
  const Value& selector = term["labelSelector"].value();
  check_label_keys(keys, selector.is_object());
  check_label_keys(other_keys, selector.is_object());
  if (keys.is_empty()) return;
  std::set<std::string_view> selected;
  for (const Value::Member& label : selector["matchLabels"].members()) selected.insert(label.key);
  for (const Value& expression : selector["matchExpressions"].items()) {
    const std::string_view key = expression["key"].as_string();
    if (!selected.insert(key).second && contains(keys.value(), key)) {
      const auto items = keys.value().items();
      const auto place =
          std::find_if(items.rbegin(), items.rend(), [&](const Value& one) { return one.as_string() == key; });
      term.at(static_cast<std::size_t>(items.rend() - place) - 1)
          .invalid(key, "exists in both matchLabelKeys and labelSelector");
    }
  }
  keys.each([&](const FieldCheck& key) {
    if (contains(other_keys.value(), key.text())) key.invalid("exists in both matchLabelKeys and mismatchLabelKeys");
  });
}

void check_pod_term(const FieldCheck& term) {
  check_term_selector(term["labelSelector"]);
  check_term_selector(term["namespaceSelector"]);
  for (const Value& name : term["namespaces"].value().items()) {
    term["namespace"].with(name).invalid(check_dns1123_label(name.as_string()));
  }
  check_match_label_keys(term);
  const FieldCheck topology = term["topologyKey"];
  if (topology.is_empty()) topology.required("can not be empty");
  topology.invalid(check_qualified_name(topology.text()));
}

void check_pod_affinity(const FieldCheck& affinity) {
  affinity[kRequiredTerms].each(check_pod_term);
  affinity[kPreferredTerms].each([](const FieldCheck& term) {
    check_weight(term);
    check_pod_term(term["podAffinityTerm"]);
  });
}

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

void check_inclusion(const FieldCheck& policy) {
  constexpr std::string_view kPolicies[] = {"Honor", "Ignore"};
  if (policy.is_set()) policy.require_one_of(kPolicies);
}

void check_minimum_domains(const FieldCheck& constraint) {
  const FieldCheck domains = constraint["minDomains"];
  const std::string action(constraint["whenUnsatisfiable"].text());
  if (!domains.is_set()) return;
  if (domains.number() <= 0) domains.invalid("must be greater than zero");
  if (action != "DoNotSchedule") {
    domains.invalid("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not " + action);
  }
}

// One constraint for a topology and an action is all that the scheduler can follow.
void check_spread_repeated(const FieldCheck& constraints, std::size_t index) {
  const Value& one = constraints.value().at(index);
  for (std::size_t i = index + 1; i < constraints.value().size(); ++i) {
    const Value& other = constraints.value().at(i);
    if (one["topologyKey"].as_string() != other["topologyKey"].as_string() ||
        one["whenUnsatisfiable"].as_string() != other["whenUnsatisfiable"].as_string()) {
      continue;
    }
    const std::string pair = "{" + std::string(one["topologyKey"].as_string()) + ", " +
                             std::string(one["whenUnsatisfiable"].as_string()) + "}";
    return constraints.at(index)["{topologyKey, whenUnsatisfiable}"].duplicate(pair);
  }
}

void check_spread(const FieldCheck& constraints, std::size_t index) {
  constexpr std::string_view kActions[] = {"DoNotSchedule", "ScheduleAnyway"};
  const FieldCheck constraint = constraints.at(index);
  const FieldCheck skew = constraint["maxSkew"];
  if (skew.number() <= 0) skew.invalid(skew.number(), "must be greater than zero");
  if (constraint["topologyKey"].is_empty()) constraint["topologyKey"].required("can not be empty");
  constraint["whenUnsatisfiable"].require_one_of(kActions);
  check_spread_repeated(constraints, index);
  check_minimum_domains(constraint);
  check_inclusion(constraint["nodeAffinityPolicy"]);
  check_inclusion(constraint["nodeTaintsPolicy"]);
  check_match_label_keys(constraint);
}

}  // namespace

void check_affinity(const FieldCheck& spec, const PodSpecOptions& options) {
  const FieldCheck affinity = spec["affinity"];
  const Value& old = options.old_value("affinity");
  if (affinity["nodeAffinity"].is_set()) check_node_affinity(affinity["nodeAffinity"], old["nodeAffinity"]);
  check_pod_affinity(affinity["podAffinity"]);
  check_pod_affinity(affinity["podAntiAffinity"]);
}

void check_tolerations(const FieldCheck& spec) {
  spec["tolerations"].each(check_toleration);
}

void check_topology_spread(const FieldCheck& spec, const PodSpecOptions& options) {
  const FieldCheck constraints = spec["topologySpreadConstraints"];
  FieldErrors before;
  for (const Value& old : options.old_value("topologySpreadConstraints").items()) {
    check_label_selector(old["labelSelector"], FieldPath(), before);
  }
  for (std::size_t i = 0; i < constraints.value().size(); ++i) {
    check_spread(constraints, i);
    if (before.empty()) check_term_selector(constraints.at(i)["labelSelector"]);
  }
}

void check_gates(const FieldCheck& spec) {
  spec["readinessGates"].each([](const FieldCheck& gate) {
    gate["conditionType"].invalid(check_qualified_name(gate["conditionType"].text()));
  });
  std::set<std::string_view> names;
  spec["schedulingGates"].each([&](const FieldCheck& gate) {
    const std::string_view name = gate.value()["name"].as_string();
    for (const std::string& finding : check_qualified_name(name)) gate.invalid(name, finding);
    if (!names.insert(name).second) gate.duplicate(name);
  });
}

}  // namespace coracle::kube::apiserver
