#include "kube/apiserver/internal/strategies/pods/pod_scheduling.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kube/apiserver/internal/strategies/node_selector_validation.h"
#include "kube/apiserver/internal/strategies/validation_common.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kRequiredTerms = "requiredDuringSchedulingIgnoredDuringExecution";
constexpr std::string_view kPreferredTerms = "preferredDuringSchedulingIgnoredDuringExecution";

void check_term_selector(const FieldCheck& selector) {
  if (selector.is_set()) check_label_selector(selector.value(), selector.path(), selector.errors());
}

void check_weight(const FieldCheck& term) {
  constexpr std::int64_t kHighest = 100;
  const FieldCheck weight = term["weight"];
  if (weight.number() < 1 || weight.number() > kHighest) weight.invalid(weight.number(), "must be in the range 1-100");
}

void check_node_affinity(const FieldCheck& affinity, const Value& old) {
  if (affinity[kRequiredTerms].is_set()) check_node_selector(affinity[kRequiredTerms], old[kRequiredTerms]);
  affinity[kPreferredTerms].each([](const FieldCheck& term) {
    check_weight(term);
    // A preference that no node can fulfil does no harm.
    check_node_selector_term(term["preference"], SelectorValues::Any);
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

void add_own_labels(const Value& keys, std::string_view selects, const Value& labels,
                    std::vector<Value>& requirements) {
  for (const Value& key : keys.items()) {
    const Value* label = labels.find(key.as_string());
    if (label == nullptr) continue;
    requirements.push_back(
        Value::object({{"key", key}, {"operator", selects}, {"values", Value::array(std::vector<Value>{*label})}}));
  }
}

// An affinity term or a spread constraint.
Value with_own_labels(const Value& term, const Value& labels) {
  const Value& selector = term["labelSelector"];
  // No selector selects no pod at all; with requirements it would be one that does.
  if (!selector.is_object()) return term;
  const auto given = selector["matchExpressions"].items();
  std::vector<Value> requirements(given.begin(), given.end());
  add_own_labels(term["matchLabelKeys"], "In", labels, requirements);
  add_own_labels(term["mismatchLabelKeys"], "NotIn", labels, requirements);
  if (requirements.size() == given.size()) return term;
  return term.with("labelSelector", selector.with("matchExpressions", Value::array(std::move(requirements))));
}

template <typename ChangeItem>
Value with_each(const Value& owner, std::string_view list, ChangeItem change) {
  if (owner[list].empty()) return owner;
  Value::ArrayBuilder items;
  for (const Value& item : owner[list].items()) items.add(change(item));
  return owner.with(list, std::move(items).build());
}

Value with_own_labels_in_affinity(const Value& affinity, const Value& labels) {
  const auto merge = [&](const Value& term) { return with_own_labels(term, labels); };
  return with_each(with_each(affinity, kRequiredTerms, merge), kPreferredTerms, [&](const Value& weighted) {
    const Value& term = weighted["podAffinityTerm"];
    return term.is_object() ? weighted.with("podAffinityTerm", merge(term)) : weighted;
  });
}

}  // namespace

Value with_own_labels_selected(const Value& spec, const Value& labels) {
  Value selected = with_each(spec, "topologySpreadConstraints",
                             [&](const Value& constraint) { return with_own_labels(constraint, labels); });
  for (const std::string_view kind : {"podAffinity", "podAntiAffinity"}) {
    const Value& affinity = selected["affinity"];
    if (affinity[kind].empty()) continue;
    selected = selected.with("affinity", affinity.with(kind, with_own_labels_in_affinity(affinity[kind], labels)));
  }
  return selected;
}

void check_affinity(const FieldCheck& spec, const PodSpecOptions& options) {
  const FieldCheck affinity = spec["affinity"];
  const Value& old = options.old_value("affinity");
  if (affinity["nodeAffinity"].is_set()) check_node_affinity(affinity["nodeAffinity"], old["nodeAffinity"]);
  check_pod_affinity(affinity["podAffinity"]);
  check_pod_affinity(affinity["podAntiAffinity"]);
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
