#include <algorithm>
#include <set>
#include <utility>

#include "base/text.h"
#include "kube/apiserver/internal/strategies/admission/admission_matching.h"
#include "kube/apiserver/internal/strategies/field_check.h"
#include "kube/apiserver/internal/strategies/resource_rules.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/schema/field_error.h"

// Admission policies and their bindings, but for the expressions: nothing here knows the language.
// https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
namespace coracle::kube::apiserver {

namespace {

constexpr std::size_t kMaxAnnotations = 20;
constexpr std::size_t kMaxValueExpression = std::size_t{5} * 1024;

bool is_blank(const Value& text) {
  return trim(text.as_string()).empty();
}

void need_expression(const Value& text, const FieldPath& path, std::string_view detail, FieldErrors& errors) {
  if (is_blank(text)) restate(errors, field_error::required(path.text(), detail));
}

void check_param_kind(const Value& kind, const FieldPath& path, FieldErrors& errors) {
  const std::string_view api = kind["apiVersion"].as_string();
  const std::string at = path.child("apiVersion").text();
  const auto slashes = std::count(api.begin(), api.end(), '/');
  const std::size_t slash = api.find('/');
  const std::string_view group = slash == std::string_view::npos ? std::string_view() : api.substr(0, slash);
  const std::string_view version = slash == std::string_view::npos ? api : api.substr(slash + 1);
  if (api.empty()) {
    report(errors, field_error::required(at));
  } else if (slashes > 1) {
    errors.push_back(field_error::invalid(at, api, "unexpected GroupVersion string: " + std::string(api)));
  } else {
    const NameErrors group_faults = group.empty() ? NameErrors() : check_dns1123_subdomain(group);
    if (!group_faults.empty()) errors.push_back(field_error::invalid(at, group, join(group_faults, ",")));
    const NameErrors version_faults = check_dns1035_label(version);
    if (version.empty()) {
      errors.push_back(field_error::invalid(at, api, "version must be specified"));
    } else if (!version_faults.empty()) {
      errors.push_back(field_error::invalid(at, version, join(version_faults, ",")));
    }
  }
  const std::string_view name = kind["kind"].as_string();
  const NameErrors faults = check_dns1035_label(to_lower(name));
  if (name.empty()) {
    report(errors, field_error::required(path.child("kind").text()));
  } else if (!faults.empty()) {
    errors.push_back(field_error::invalid(path.child("kind").text(), name,
                                          "may have mixed case, but should otherwise match: " + join(faults, ",")));
  }
}

void check_named_rule(const Value& rule, const FieldPath& path, FieldErrors& errors) {
  std::set<std::string, std::less<>> seen;
  const Value& names = rule["resourceNames"];
  for (std::size_t i = 0; i < names.size(); ++i) {
    const FieldPath at = path.child("resourceNames").index(i);
    const std::string_view name = names.at(i).as_string();
    add_name_errors(at, name, check_path_segment_name(name), errors);
    if (!seen.emplace(name).second) errors.push_back(field_error::duplicate(at.text(), name));
  }
  check_request_rule(rule, path, errors);
}

// A MatchResources. Policies that change objects have nothing to do with deletions.
void check_match_resources(const Value& match, bool mutating, const FieldPath& path, FieldErrors& errors) {
  if (!match.is_object()) return;
  for (const std::string_view selector : {"namespaceSelector", "objectSelector"}) {
    check_label_selector(match[selector], path.child(selector), errors);
  }
  for (const std::string_view list : {"resourceRules", "excludeResourceRules"}) {
    const Value& rules = match[list];
    for (std::size_t i = 0; i < rules.size(); ++i) check_named_rule(rules.at(i), path.child(list).index(i), errors);
  }
  if (!mutating) return;
  constexpr std::string_view kOperations[] = {"*", "CONNECT", "CREATE", "UPDATE"};
  for (const Value& rule : match["resourceRules"].items()) {
    for (const Value& operation : rule["operations"].items()) {
      if (is_listed(operation.as_string(), kOperations)) {
        continue;
      }
      errors.push_back(field_error::not_supported(path.child("resourceRules").child("operations").text(),
                                                  operation.as_string(), kOperations));
    }
  }
}

bool is_identifier(std::string_view text) {
  constexpr std::string_view kReserved[] = {"true",     "false",   "null",      "in",       "as",  "break",  "const",
                                            "continue", "else",    "for",       "function", "if",  "import", "let",
                                            "loop",     "package", "namespace", "return",   "var", "void",   "while"};
  const auto is_word = [](char c) { return c == '_' || is_alphanumeric(c); };
  return !text.empty() && !is_digit(text.front()) && std::all_of(text.begin(), text.end(), is_word) &&
         !is_listed(text, kReserved);
}

void check_variables(const Value& variables, const FieldPath& path, FieldErrors& errors) {
  for (std::size_t i = 0; i < variables.size(); ++i) {
    const Value& name = variables.at(i)["name"];
    const FieldPath at = path.index(i).child("name");
    if (is_blank(name)) {
      restate(errors, field_error::required(at.text(), "name is not specified"));
    } else if (!is_identifier(name.as_string())) {
      errors.push_back(field_error::invalid(at.text(), name, "must be a valid CEL identifier"));
    }
    need_expression(variables.at(i)["expression"], path.index(i).child("expression"), "expression is not specified",
                    errors);
  }
}

Value policy_spec(const Object* object) {
  return object == nullptr ? Value() : (*object)["spec"];
}

// What both kinds of policy have.
void check_admission_policy(const Value& spec, const Value& old, bool mutating, const FieldPath& path,
                            FieldErrors& errors) {
  if (spec["paramKind"].is_object()) check_param_kind(spec["paramKind"], path.child("paramKind"), errors);
  const FieldPath match_at = path.child("matchConstraints");
  const Value& match = spec["matchConstraints"];
  if (match.is_object()) {
    check_match_resources(match, mutating, match_at, errors);
    if (match["resourceRules"].empty()) {
      report(errors, field_error::required(match_at.child("resourceRules").text()));
    }
  } else {
    report(errors, field_error::required(match_at.text()));
  }
  if (old.is_null() || !(spec["matchConditions"] == old["matchConditions"])) {
    check_match_conditions(spec["matchConditions"], path.child("matchConditions"), errors);
  }
  check_variables(spec["variables"], path.child("variables"), errors);
}

void check_policy_validation(const Value& validation, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kReasons[] = {"Forbidden", "Invalid", "RequestEntityTooLarge"};
  need_expression(validation["expression"], path.child("expression"), "expression is not specified", errors);
  for (const std::string_view field : {"messageExpression", "message"}) {
    const Value& text = validation[field];
    if (text.as_string().empty() || !is_blank(text)) continue;
    errors.push_back(field_error::invalid(path.child(field).text(), text, "must be non-empty if specified"));
  }
  if (trim(validation["message"].as_string()).find_first_of("\n\r") != std::string_view::npos) {
    errors.push_back(
        field_error::invalid(path.child("message").text(), validation["message"], "must not contain line breaks"));
  }
  const Value& reason = validation["reason"];
  if (reason.is_null()) return;
  if (is_listed(reason.as_string(), kReasons)) return;
  restate(errors, field_error::not_supported(path.child("reason").text(), reason, kReasons));
}

void check_audit_annotation(const Value& annotation, std::string_view policy, const FieldPath& path,
                            FieldErrors& errors) {
  const std::string_view key = annotation["key"].as_string();
  const FieldPath key_at = path.child("key");
  if (policy.empty()) {
    errors.push_back(field_error::invalid(key_at.text(), key, "requires metadata.name be non-empty"));
  } else {
    const std::string whole = std::string(policy) + "/" + std::string(key);
    add_name_errors(key_at, whole, check_qualified_name(whole), errors);
  }
  const FieldPath value_at = path.child("valueExpression");
  const Value& value = annotation["valueExpression"];
  need_expression(value, value_at, "valueExpression is not specified", errors);
  if (trim(value.as_string()).size() > kMaxValueExpression) {
    errors.push_back(field_error::required(
        value_at.text(), "must not exceed " + std::to_string(kMaxValueExpression) + " bytes in length"));
  }
}

void check_validating_policy(const Object& object, const Object* old, FieldErrors& errors) {
  const Value& spec = object["spec"];
  const FieldPath path("spec");
  check_admission_policy(spec, policy_spec(old), false, path, errors);
  const Value& validations = spec["validations"];
  const Value& annotations = spec["auditAnnotations"];
  const FieldPath annotations_at = path.child("auditAnnotations");
  if (validations.empty() && annotations.empty()) {
    for (const std::string_view field : {"validations", "auditAnnotations"}) {
      restate(errors, field_error::required(path.child(field).text(),
                                            "validations or auditAnnotations must contain at least one item"));
    }
    return;
  }
  for (std::size_t i = 0; i < validations.size(); ++i) {
    check_policy_validation(validations.at(i), path.child("validations").index(i), errors);
  }
  if (annotations.size() > kMaxAnnotations) {
    errors.push_back(
        field_error::invalid(annotations_at.text(), annotations, "must not have more than 20 auditAnnotations"));
  }
  std::set<std::string, std::less<>> keys;
  for (std::size_t i = 0; i < annotations.size(); ++i) {
    const FieldPath at = annotations_at.index(i);
    check_audit_annotation(annotations.at(i), object.name(), at, errors);
    const std::string_view key = annotations.at(i)["key"].as_string();
    if (!keys.emplace(key).second) errors.push_back(field_error::duplicate(at.child("key").text(), key));
  }
}

void check_policy_conditions(const Value& conditions, FieldErrors& errors) {
  constexpr std::string_view kStatuses[] = {"False", "True", "Unknown"};
  std::set<std::string, std::less<>> types;
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    const Value& condition = conditions.at(i);
    const FieldPath path = FieldPath("status.conditions").index(i);
    const std::string_view type = condition["type"].as_string();
    const std::string_view status = condition["status"].as_string();
    if (!types.emplace(type).second) errors.push_back(field_error::duplicate(path.child("type").text(), type));
    add_name_errors(path.child("type"), type, check_qualified_name(type), errors);
    if (!is_listed(status, kStatuses)) {
      restate(errors, field_error::not_supported(path.child("status").text(), status, kStatuses));
    }
    for (const std::string_view field : {"lastTransitionTime", "reason"}) {
      if (condition[field].as_string().empty()) report(errors, field_error::required(path.child(field).text()));
    }
  }
}

void check_policy_status(const Object& object, const Object&, FieldErrors& errors) {
  const Value& status = object["status"];
  const Value& warnings = status["typeChecking"]["expressionWarnings"];
  for (std::size_t i = 0; i < warnings.size(); ++i) {
    const FieldPath path = FieldPath("status.typeChecking.expressionWarnings").index(i);
    for (const std::string_view field : {"warning", "fieldRef"}) {
      if (is_blank(warnings.at(i)[field])) report(errors, field_error::required(path.child(field).text()));
    }
  }
  check_policy_conditions(status["conditions"], errors);
}

struct PatchType {
  std::string_view type;
  std::string_view field;
  std::string_view other;
};
constexpr PatchType kPatchTypes[] = {{"ApplyConfiguration", "applyConfiguration", "jsonPatch"},
                                     {"JSONPatch", "jsonPatch", "applyConfiguration"}};

void check_mutation(const Value& mutation, const FieldPath& path, FieldErrors& errors) {
  const std::string_view type = mutation["patchType"].as_string();
  if (type.empty()) {
    retract(errors, path.child("patchType").text());
    errors.push_back(field_error::required(path.child("patchType").text()));
    return;
  }
  const auto known = std::find_if(std::begin(kPatchTypes), std::end(kPatchTypes),
                                  [&](const PatchType& one) { return one.type == type; });
  if (known == std::end(kPatchTypes)) {
    constexpr std::string_view kTypes[] = {"ApplyConfiguration", "JSONPatch"};
    restate(errors, field_error::not_supported(path.child("patchType").text(), type, kTypes));
    return;
  }
  const FieldPath at = path.child(known->field);
  if (mutation[known->field].is_object()) {
    need_expression(mutation[known->field]["expression"], at.child("expression"), {}, errors);
  } else {
    errors.push_back(
        field_error::required(at.text(), "must be specified when patchType is " + std::string(known->type)));
  }
  if (!mutation[known->other].is_object()) return;
  errors.push_back(field_error::invalid(path.child(known->other).text(), "{" + std::string(known->other) + "}",
                                        "must not be specified when patchType is " + std::string(known->type)));
}

void check_mutating_policy(const Object& object, const Object* old, FieldErrors& errors) {
  const Value& spec = object["spec"];
  const FieldPath path("spec");
  check_admission_policy(spec, policy_spec(old), true, path, errors);
  const Value& mutations = spec["mutations"];
  if (mutations.empty()) {
    restate(errors, field_error::required("spec.mutations", "mutations must contain at least one item"));
  }
  for (std::size_t i = 0; i < mutations.size(); ++i) {
    check_mutation(mutations.at(i), path.child("mutations").index(i), errors);
  }
  if (spec["reinvocationPolicy"].as_string().empty()) {
    retract(errors, "spec.reinvocationPolicy");
    errors.push_back(field_error::required("spec.reinvocationPolicy"));
  }
}

void check_param_reference(const Value& reference, const FieldPath& path, FieldErrors& errors) {
  if (!reference.is_object()) return;
  constexpr std::string_view kExclusive = "name and selector are mutually exclusive";
  const std::string_view name = reference["name"].as_string();
  const bool selects = reference["selector"].is_object();
  add_name_errors(path.child("name"), name, check_path_segment_name(name), errors);
  if (!name.empty() && selects) errors.push_back(field_error::forbidden(path.child("name").text(), kExclusive));
  if (selects) check_label_selector(reference["selector"], path.child("selector"), errors);
  if (!name.empty() && selects) errors.push_back(field_error::forbidden(path.child("selector").text(), kExclusive));
  if (name.empty() && !selects) {
    errors.push_back(field_error::required(path.text(), "one of name or selector must be specified"));
  }
  const std::string_view action = reference["parameterNotFoundAction"].as_string();
  const std::string at = path.child("parameterNotFoundAction").text();
  constexpr std::string_view kActions[] = {"Deny", "Allow"};
  if (action.empty()) {
    report(errors, field_error::required(at));
  } else if (action != "Deny" && action != "Allow") {
    restate(errors, field_error::not_supported(at, action, kActions));
  }
}

void check_validation_actions(const Value& actions, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kActions[] = {"Audit", "Deny", "Warn"};
  std::set<std::string, std::less<>> seen;
  for (std::size_t i = 0; i < actions.size(); ++i) {
    const std::string_view action = actions.at(i).as_string();
    if (!is_listed(action, kActions)) {
      restate(errors, field_error::not_supported(path.index(i).text(), action, kActions));
    }
    if (!seen.emplace(action).second) errors.push_back(field_error::duplicate(path.index(i).text(), action));
  }
  if (seen.contains("Deny") && seen.contains("Warn")) {
    errors.push_back(field_error::invalid(path.text(), actions,
                                          "must not contain both Deny and Warn (repeating the same validation failure "
                                          "information in the API response and headers serves no purpose)"));
  }
  if (seen.empty()) {
    restate(errors, field_error::required(path.text(), "at least one validation action is required"));
  }
}

void check_policy_binding(const Object& object, const Object*, FieldErrors& errors) {
  const Value& spec = object["spec"];
  const FieldPath path("spec");
  const bool mutating = object.kind() == "MutatingAdmissionPolicyBinding";
  const std::string_view policy = spec["policyName"].as_string();
  if (policy.empty()) {
    report(errors, field_error::required("spec.policyName"));
  } else {
    add_name_errors(path.child("policyName"), policy, check_dns1123_subdomain(policy), errors);
  }
  check_param_reference(spec["paramRef"], path.child("paramRef"), errors);
  check_match_resources(spec["matchResources"], mutating, path.child("matchResources"), errors);
  if (!mutating) check_validation_actions(spec["validationActions"], path.child("validationActions"), errors);
}

constexpr std::string_view kPolicyGroup = "admissionregistration.k8s.io";

constexpr ResourceRules kPolicyRules[] = {
    {.group = kPolicyGroup,
     .resource = "validatingadmissionpolicies",
     .check = check_validating_policy,
     .check_status = check_policy_status},
    {kPolicyGroup, "validatingadmissionpolicybindings", nullptr, nullptr, check_policy_binding},
    {kPolicyGroup, "mutatingadmissionpolicies", nullptr, nullptr, check_mutating_policy},
    {kPolicyGroup, "mutatingadmissionpolicybindings", nullptr, nullptr, check_policy_binding},
};

}  // namespace

std::span<const ResourceRules> admission_policy_rules() {
  return kPolicyRules;
}

}  // namespace coracle::kube::apiserver
