#include "kube/apiserver/internal/strategies/admission/admission_matching.h"

#include <algorithm>
#include <set>
#include <string>

#include "base/text.h"
#include "kube/apiserver/internal/strategies/field_check.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::int64_t kMaxMatchConditions = 64;

using Texts = std::set<std::string, std::less<>>;

void need_item(const Value& list, const FieldPath& path, FieldErrors& errors) {
  if (list.empty()) restate(errors, field_error::required(path.text()));
}

void need_texts(const Value& list, const FieldPath& path, FieldErrors& errors) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list.at(i).as_string().empty()) report(errors, field_error::required(path.index(i).text()));
  }
}

// "pods", "pods/log", "pods/*", "*/scale", "*", "*/*"
void check_resources(const Value& resources, const FieldPath& path, FieldErrors& errors) {
  need_item(resources, path, errors);
  Texts whole_resources, whole_subresources;
  bool plain = false;
  for (std::size_t i = 0; i < resources.size(); ++i) {
    const std::string_view text = resources.at(i).as_string();
    const std::string at = path.index(i).text();
    if (text.empty()) {
      report(errors, field_error::required(at));
      continue;
    }
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) {
      plain = text != "*";
      continue;
    }
    const std::string resource(text.substr(0, slash));
    const std::string subresource(text.substr(slash + 1));
    const auto covered_by = [&](const std::string& wider) {
      errors.push_back(
          field_error::invalid(at, text, "if '" + wider + "' is present, must not specify " + std::string(text)));
    };
    if (whole_resources.contains(resource)) covered_by(resource + "/*");
    if (whole_subresources.contains(subresource)) covered_by("*/" + subresource);
    if (subresource == "*") whole_resources.insert(resource);
    if (resource == "*") whole_subresources.insert(subresource);
  }
  if (resources.size() > 1 && contains_text(resources, "*/*")) {
    errors.push_back(
        field_error::invalid(path.text(), resources, "if '*/*' is present, must not specify other resources"));
  }
  if (plain && contains_text(resources, "*")) {
    errors.push_back(field_error::invalid(path.text(), resources,
                                          "if '*' is present, must not specify other resources without subresources"));
  }
}

}  // namespace

bool contains_text(const Value& list, std::string_view text) {
  const auto items = list.items();
  return std::any_of(items.begin(), items.end(), [&](const Value& item) { return item.as_string() == text; });
}

void check_lonely_wildcard(const Value& list, std::string_view others, const FieldPath& path, FieldErrors& errors) {
  if (list.size() < 2 || !contains_text(list, "*")) return;
  errors.push_back(
      field_error::invalid(path.text(), list, "if '*' is present, must not specify other " + std::string(others)));
}

void check_request_rule(const Value& rule, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kOperations[] = {"*", "CONNECT", "CREATE", "DELETE", "UPDATE"};
  const Value& operations = rule["operations"];
  need_item(operations, path.child("operations"), errors);
  check_lonely_wildcard(operations, "operations", path.child("operations"), errors);
  for (std::size_t i = 0; i < operations.size(); ++i) {
    const std::string_view operation = operations.at(i).as_string();
    if (is_listed(operation, kOperations)) continue;
    restate(errors, field_error::not_supported(path.child("operations").index(i).text(), operation, kOperations));
  }
  need_item(rule["apiGroups"], path.child("apiGroups"), errors);
  check_lonely_wildcard(rule["apiGroups"], "API groups", path.child("apiGroups"), errors);
  need_item(rule["apiVersions"], path.child("apiVersions"), errors);
  check_lonely_wildcard(rule["apiVersions"], "API versions", path.child("apiVersions"), errors);
  need_texts(rule["apiVersions"], path.child("apiVersions"), errors);
  check_resources(rule["resources"], path.child("resources"), errors);
}

void check_match_conditions(const Value& conditions, const FieldPath& path, FieldErrors& errors) {
  check_list_size(conditions, kMaxMatchConditions, path, errors);
  Texts names;
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    const FieldPath at = path.index(i);
    if (trim(conditions.at(i)["expression"].as_string()).empty()) {
      report(errors, field_error::required(at.child("expression").text()));
    }
    const std::string_view name = conditions.at(i)["name"].as_string();
    if (name.empty()) {
      report(errors, field_error::required(at.child("name").text()));
      continue;
    }
    add_name_errors(at.child("name"), name, check_qualified_name(name), errors);
    if (!names.emplace(name).second) errors.push_back(field_error::duplicate(at.child("name").text(), name));
  }
}

}  // namespace coracle::kube::apiserver
