#include "kube/apiserver/internal/strategies/validation_common.h"

#include <algorithm>
#include <utility>

#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

void check_selector_requirement(const Value& requirement, const FieldPath& path, FieldErrors& errors) {
  const std::string_view op = requirement["operator"].as_string();
  const Value& values = requirement["values"];
  if (op == "In" || op == "NotIn") {
    if (values.empty()) {
      report(errors, field_error::required(path.child("values").text(),
                                           "must be specified when `operator` is 'In' or 'NotIn'"));
    }
  } else if (op == "Exists" || op == "DoesNotExist") {
    if (!values.empty()) {
      report(errors, field_error::forbidden(path.child("values").text(),
                                            "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    }
  } else {
    report(errors, field_error::invalid(path.child("operator").text(), requirement["operator"],
                                        "not a valid selector operator"));
  }
  const Value& key = requirement["key"];
  add_name_errors(path.child("key"), key, check_qualified_name(key.as_string()), errors);
  for (std::size_t i = 0; i < values.size(); ++i) {
    add_name_errors(path.child("values").index(i), values.at(i), check_label_value(values.at(i).as_string()), errors);
  }
}

}  // namespace

void report(FieldErrors& errors, Cause cause) {
  const bool known = std::any_of(errors.begin(), errors.end(), [&](const Cause& one) {
    return one.field == cause.field && one.reason == cause.reason;
  });
  if (!known) errors.push_back(std::move(cause));
}

void add_name_errors(const FieldPath& path, const Value& value, const NameErrors& findings, FieldErrors& errors) {
  for (const std::string& finding : findings) errors.push_back(field_error::invalid(path.text(), value, finding));
}

void check_port_number_or_name(const Value& port, const FieldPath& path, FieldErrors& errors) {
  if (port.is_string()) {
    add_name_errors(path, port, check_port_name(port.as_string()), errors);
  } else {
    add_name_errors(path, port, check_port_number(port.as_int()), errors);
  }
}

void check_not_negative(const Value& number, const FieldPath& path, FieldErrors& errors) {
  if (number.as_int() < 0) errors.push_back(field_error::invalid(path.text(), number, kNotNegative));
}

void check_labels(const Value& labels, const FieldPath& path, FieldErrors& errors) {
  for (const Value::Member& label : labels.members()) {
    add_name_errors(path, label.key, check_qualified_name(label.key), errors);
    add_name_errors(path.key(label.key), label.value, check_label_value(label.value.as_string()), errors);
  }
}

void check_label_selector(const Value& selector, const FieldPath& path, FieldErrors& errors) {
  check_labels(selector["matchLabels"], path.child("matchLabels"), errors);
  const Value& expressions = selector["matchExpressions"];
  for (std::size_t i = 0; i < expressions.size(); ++i) {
    check_selector_requirement(expressions.at(i), path.child("matchExpressions").index(i), errors);
  }
}

void check_count_or_percent(const Value& value, const FieldPath& path, FieldErrors& errors) {
  if (value.is_string()) {
    add_name_errors(path, value, check_percent(value.as_string()), errors);
  } else {
    check_not_negative(value, path, errors);
  }
}

}  // namespace coracle::kube::apiserver
