#include "kube/apiserver/internal/strategies/node_selector_validation.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kNoOperator = "not a valid selector operator";

// What labels or fields of a node must be.
void check_node_requirement(const FieldCheck& requirement, SelectorValues values_of) {
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
  if (values_of == SelectorValues::Any) return;
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

bool has_invalid_label_value(const Value& selector) {
  for (const Value& term : selector["nodeSelectorTerms"].items()) {
    for (const Value& requirement : term["matchExpressions"].items()) {
      for (const Value& value : requirement["values"].items()) {
        if (!check_label_value(value.as_string()).empty()) return true;
      }
    }
  }
  return false;
}

}  // namespace

void check_node_selector_term(const FieldCheck& term, SelectorValues values) {
  term["matchExpressions"].each([&](const FieldCheck& one) { check_node_requirement(one, values); });
  term["matchFields"].each(check_node_field);
}

void check_node_selector(const FieldCheck& selector, const Value& old) {
  const FieldCheck terms = selector["nodeSelectorTerms"];
  if (terms.is_empty()) terms.required("must have at least one node selector term");
  const SelectorValues values = has_invalid_label_value(old) ? SelectorValues::Any : SelectorValues::Labels;
  terms.each([&](const FieldCheck& term) { check_node_selector_term(term, values); });
}

}  // namespace coracle::kube::apiserver
