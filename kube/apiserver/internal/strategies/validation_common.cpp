#include "kube/apiserver/internal/strategies/validation_common.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
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

void restate(FieldErrors& errors, Cause cause) {
  const auto known = std::find_if(errors.begin(), errors.end(), [&](const Cause& one) {
    return one.field == cause.field && one.reason == cause.reason;
  });
  if (known == errors.end()) {
    errors.push_back(std::move(cause));
  } else {
    *known = std::move(cause);
  }
}

void retract(FieldErrors& errors, std::string_view field) {
  std::erase_if(errors, [&](const Cause& one) { return one.field == field; });
}

void retract_below(FieldErrors& errors, std::string_view field) {
  std::erase_if(errors, [&](const Cause& one) {
    if (!one.field.starts_with(field)) return false;
    const std::string_view rest = std::string_view(one.field).substr(field.size());
    return rest.starts_with('.') || rest.starts_with('[');
  });
}

void retract_whole(FieldErrors& errors, std::string_view field) {
  retract(errors, field);
  retract_below(errors, field);
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

bool check_list_size(const Value& list, std::int64_t maximum, const FieldPath& path, FieldErrors& errors) {
  const auto size = static_cast<std::int64_t>(list.size());
  if (size <= maximum) return true;
  errors.push_back(field_error::too_many(path.text(), size, maximum));
  return false;
}

void check_not_negative(const Value& number, const FieldPath& path, FieldErrors& errors) {
  if (number.as_int() < 0) errors.push_back(field_error::invalid(path.text(), number, kNotNegative));
}

void check_labels(const Value& labels, const FieldPath& path, FieldErrors& errors) {
  for (const Value::Member& label : labels.members()) {
    add_name_errors(path, label.key, check_qualified_name(label.key), errors);
    add_name_errors(path, label.value, check_label_value(label.value.as_string()), errors);
  }
}

void check_host(const Value& host, const FieldPath& path, FieldErrors& errors) {
  const std::string_view text = host.as_string();
  const bool wildcard = text.find('*') != std::string_view::npos;
  add_name_errors(path, host, wildcard ? check_wildcard_dns1123_subdomain(text) : check_dns1123_subdomain(text),
                  errors);
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

void check_at_most_whole(const Value& count_or_percent, const FieldPath& path, FieldErrors& errors) {
  constexpr std::int64_t kWhole = 100;
  if (count_or_percent.as_string().ends_with('%') && count_or_percent_number(count_or_percent) > kWhole) {
    errors.push_back(field_error::invalid(path.text(), count_or_percent, "must not be greater than 100%"));
  }
}

std::int64_t count_or_percent_number(const Value& value) {
  if (!value.is_string()) return value.as_int();
  std::string_view text = value.as_string();
  if (check_percent(text).empty()) text.remove_suffix(1);
  return parse_signed_int(text).value_or(0);
}

Cause invalid_unshown(const FieldPath& path, std::string_view detail) {
  return {"FieldValueInvalid", "Invalid value: " + std::string(detail), path.text()};
}

std::vector<std::string> warn_about_pod_name(const Object& object, const Object* old) {
  if (old != nullptr || object.name().empty()) return {};
  const NameErrors findings = check_dns1123_label(object.name());
  if (findings.empty()) return {};
  return {
      "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; "
      "a DNS label is recommended: [" +
      join(findings, " ") + "]"};
}

}  // namespace coracle::kube::apiserver
