#include "kube/apiserver/internal/strategies/node_selector_validation.h"

#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kUnknownOperator = "not a valid selector operator";

void check_expression(const Value& expression, const FieldPath& path, SelectorValues values, FieldErrors& errors) {
  const std::string_view op = expression["operator"].as_string();
  const Value& wanted = expression["values"];
  const std::string at = path.child("values").text();
  if (op == "In" || op == "NotIn") {
    if (wanted.empty()) {
      errors.push_back(field_error::required(at, "must be specified when `operator` is 'In' or 'NotIn'"));
    }
  } else if (op == "Exists" || op == "DoesNotExist") {
    if (!wanted.empty()) {
      errors.push_back(
          field_error::forbidden(at, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    }
  } else if (op == "Gt" || op == "Lt") {
    if (wanted.size() != 1) {
      errors.push_back(field_error::required(at, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
    }
  } else {
    errors.push_back(field_error::invalid(path.child("operator").text(), op, kUnknownOperator));
  }
  const std::string_view key = expression["key"].as_string();
  add_name_errors(path.child("key"), key, check_qualified_name(key), errors);
  if (values == SelectorValues::Any) return;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    add_name_errors(path.child("values").index(i), wanted.at(i), check_label_value(wanted.at(i).as_string()), errors);
  }
}

// Nodes can be chosen by one field only, their name.
void check_field_expression(const Value& expression, const FieldPath& path, FieldErrors& errors) {
  const std::string_view op = expression["operator"].as_string();
  const std::string_view key = expression["key"].as_string();
  const Value& wanted = expression["values"];
  if (op != "In" && op != "NotIn") {
    errors.push_back(field_error::invalid(path.child("operator").text(), op, kUnknownOperator));
  } else if (wanted.size() != 1) {
    errors.push_back(
        field_error::required(path.child("values").text(),
                              "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"));
  }
  if (key != "metadata.name") {
    errors.push_back(field_error::invalid(path.child("key").text(), key, "not a valid field selector key"));
    return;
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    add_name_errors(path.child("values").index(i), wanted.at(i), check_dns1123_subdomain(wanted.at(i).as_string()),
                    errors);
  }
}

}  // namespace

void check_node_selector(const Value& selector, const FieldPath& path, SelectorValues values, FieldErrors& errors) {
  const Value& terms = selector["nodeSelectorTerms"];
  const FieldPath at = path.child("nodeSelectorTerms");
  if (terms.empty()) errors.push_back(field_error::required(at.text(), "must have at least one node selector term"));
  for (std::size_t i = 0; i < terms.size(); ++i) {
    const Value& expressions = terms.at(i)["matchExpressions"];
    for (std::size_t j = 0; j < expressions.size(); ++j) {
      check_expression(expressions.at(j), at.index(i).child("matchExpressions").index(j), values, errors);
    }
    const Value& fields = terms.at(i)["matchFields"];
    for (std::size_t j = 0; j < fields.size(); ++j) {
      check_field_expression(fields.at(j), at.index(i).child("matchFields").index(j), errors);
    }
  }
}

bool has_invalid_label_value(const Value& selector) {
  for (const Value& term : selector["nodeSelectorTerms"].items()) {
    for (const Value& expression : term["matchExpressions"].items()) {
      for (const Value& value : expression["values"].items()) {
        if (!check_label_value(value.as_string()).empty()) return true;
      }
    }
  }
  return false;
}

}  // namespace coracle::kube::apiserver
