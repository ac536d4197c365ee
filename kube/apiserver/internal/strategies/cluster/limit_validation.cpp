#include "kube/apiserver/internal/strategies/cluster/limit_validation.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <set>

#include "kube/apiserver/internal/strategies/field_check.h"
#include "kube/apiserver/internal/strategies/internal_form.h"
#include "kube/apiserver/internal/strategies/resource_names.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/object/resource_amounts.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kLimitParts[] = {"max", "min", "default", "defaultRequest", "maxLimitRequestRatio"};

std::optional<Quantity> amount_of(const Value& amounts, std::string_view name) {
  const Value* value = amounts.find(name);
  if (value == nullptr) return std::nullopt;
  const auto amount = Quantity::from_value(*value);
  return amount.ok() ? std::optional(*amount) : std::nullopt;
}

// Two bounds of a limit that may not cross; `shown` is the field that is told, with the value of one of the two.
struct Order {
  std::string_view less;
  std::string_view less_name;
  std::string_view more;
  std::string_view more_name;
  std::string_view field;
  std::string_view shown;
};
constexpr Order kOrders[] = {
    {"min", "min", "max", "max", "min", "min"},
    {"min", "min", "defaultRequest", "default request", "defaultRequest", "defaultRequest"},
    {"defaultRequest", "default request", "max", "max", "defaultRequest", "defaultRequest"},
    {"defaultRequest", "default request", "default", "default limit", "defaultRequest", "defaultRequest"},
    {"min", "min", "default", "default", "default", "min"},
    {"default", "default", "max", "max", "default", "max"},
};

void check_ratio(const Value& limit, std::string_view name, const FieldPath& path, FieldErrors& errors) {
  constexpr std::int64_t kMilli = 1000;
  constexpr std::int64_t kMaxMilli = std::numeric_limits<std::int64_t>::max() / kMilli;
  const auto ratio = amount_of(limit["maxLimitRequestRatio"], name);
  const auto least = amount_of(limit["min"], name);
  const auto most = amount_of(limit["max"], name);
  const std::string at = path.child("maxLimitRequestRatio").key(name).text();
  if (!ratio) return;
  if (*ratio < Quantity::of(1)) {
    errors.push_back(field_error::invalid(at, ratio->text(), "ratio " + ratio->text() + " is less than 1"));
  }
  if (!least || !most) return;
  const bool fine = ratio->value() < kMaxMilli && least->value() < kMaxMilli && most->value() < kMaxMilli;
  const auto number = [&](const Quantity& amount) {
    return static_cast<double>(fine ? amount.milli_value() : amount.value());
  };
  const double bound = number(*most) / number(*least);
  if ((fine ? number(*ratio) / kMilli : number(*ratio)) <= bound || bound != bound) return;
  errors.push_back(field_error::invalid(
      at, ratio->text(), "ratio " + ratio->text() + " is greater than max/min = " + std::to_string(bound)));
}

void check_bounds(const Value& limit, std::string_view name, const FieldPath& path, FieldErrors& errors) {
  for (const Order& order : kOrders) {
    const auto less = amount_of(limit[order.less], name);
    const auto more = amount_of(limit[order.more], name);
    if (!less || !more || *less <= *more) continue;
    errors.push_back(
        field_error::invalid(path.child(order.field).key(name).text(), amount_of(limit[order.shown], name)->text(),
                             std::string(order.less_name) + " value " + less->text() + " is greater than " +
                                 std::string(order.more_name) + " value " + more->text()));
  }
  check_ratio(limit, name, path, errors);
  const auto request = amount_of(limit["defaultRequest"], name);
  const auto most = amount_of(limit["default"], name);
  if (may_overcommit_resource(name) || !request || !most || *request == *most) return;
  errors.push_back(field_error::invalid(path.child("defaultRequest").key(name).text(), request->text(),
                                        "default value " + most->text() + " must equal to defaultRequest value " +
                                            request->text() + " in " + std::string(name)));
}

void check_limit_type(const Value& type, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kTypes[] = {"Pod", "Container", "PersistentVolumeClaim"};
  const std::string_view text = type.as_string();
  const NameErrors findings = check_qualified_name(text);
  add_name_errors(path, text, findings, errors);
  const bool known = is_listed(text, kTypes);
  if (findings.empty() && !known && text.find('/') == std::string_view::npos) {
    errors.push_back(field_error::invalid(path.text(), text, "must be a standard limit type or fully qualified"));
  }
}

void check_limit(Value limit, const FieldPath& path, FieldErrors& errors) {
  const std::string_view type = limit["type"].as_string();
  const ResourceUse use = type == "Pod" || type == "Container" ? ResourceUse::Container : ResourceUse::Any;
  if (type == "Pod") {
    for (const char* part : {"default", "defaultRequest"}) {
      if (limit[part].empty()) continue;
      errors.push_back(field_error::forbidden(path.child(part).text(), "may not be specified when `type` is 'Pod'"));
      limit = limit.without(part);
    }
  }
  std::set<std::string> names;
  for (const std::string_view part : kLimitParts) {
    const FieldCheck amounts = FieldCheck(limit, path, errors)[part];
    for (const Value::Member& member : amounts.value().members()) {
      check_resource_name(amounts.entry(member.key), member.key, use);
      names.insert(member.key);
    }
  }
  if (type == "PersistentVolumeClaim" && !limit["min"].contains("storage") && !limit["max"].contains("storage")) {
    errors.push_back(field_error::required(
        path.child("limits").text(), "either minimum or maximum storage value is required, but neither was provided"));
  }
  for (const std::string& name : names) check_bounds(limit, name, path, errors);
}

constexpr std::string_view kPodScopes[] = {"Terminating", "NotTerminating", "NotBestEffort", "PriorityClass",
                                           "CrossNamespacePodAffinity"};
// Scopes that are there or not, rather than have values.
constexpr std::string_view kPlainScopes[] = {"BestEffort", "NotBestEffort", "Terminating", "NotTerminating",
                                             "CrossNamespacePodAffinity"};

bool is_among(std::string_view text, std::span<const std::string_view> texts) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

bool is_scope(std::string_view scope) {
  return is_among(scope, kPodScopes) || scope == "BestEffort" || scope == "VolumeAttributesClass";
}

// Does the scope choose among the objects that the resource counts?
bool scope_fits(std::string_view scope, std::string_view resource) {
  constexpr std::string_view kPodResources[] = {"pods",          "cpu",          "memory",         "limits.cpu",
                                                "limits.memory", "requests.cpu", "requests.memory"};
  if (is_among(scope, kPodScopes)) return is_among(resource, kPodResources);
  if (scope == "BestEffort") return resource == "pods";
  if (scope == "VolumeAttributesClass") return resource == "persistentvolumeclaims" || resource == "requests.storage";
  return true;
}

void check_scope(std::string_view scope, const Value& spec, const Value& shown, const FieldPath& path,
                 FieldErrors& errors) {
  for (const auto& [resource, amount] : read_amounts(spec["hard"])) {
    if (!is_quota_resource(resource) || scope_fits(scope, resource)) continue;
    errors.push_back(field_error::invalid(path.text(), shown, "unsupported scope applied to resource"));
  }
}

void check_conflicts(const std::set<std::string_view>& scopes, const Value& shown, const FieldPath& path,
                     FieldErrors& errors) {
  for (const auto& [one, other] :
       {std::pair("BestEffort", "NotBestEffort"), std::pair("Terminating", "NotTerminating")}) {
    if (scopes.contains(one) && scopes.contains(other)) {
      errors.push_back(field_error::invalid(path.text(), shown, "conflicting scopes"));
    }
  }
}

void check_scopes(const Value& spec, FieldErrors& errors) {
  const FieldPath path("spec.scopes");
  const Value& scopes = spec["scopes"];
  std::set<std::string_view> seen;
  for (const Value& item : scopes.items()) {
    const std::string_view scope = item.as_string();
    if (!is_scope(scope)) errors.push_back(field_error::invalid(path.text(), scopes, "unsupported scope"));
    check_scope(scope, spec, scopes, path, errors);
    seen.insert(scope);
  }
  check_conflicts(seen, scopes, path, errors);
}

void check_scope_operator(const Value& expression, const FieldPath& path, FieldErrors& errors) {
  const std::string_view op = expression["operator"].as_string();
  const Value& values = expression["values"];
  const std::string at = path.child("operator").text();
  if (is_among(expression["scopeName"].as_string(), kPlainScopes) && op != "Exists") {
    errors.push_back(field_error::invalid(
        at, op,
        "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, "
        "ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or "
        "ResourceQuotaScopeCrossNamespacePodAffinity"));
  }
  if (op == "In" || op == "NotIn") {
    if (values.empty()) {
      errors.push_back(
          field_error::required(path.child("values").text(),
                                "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"));
    }
  } else if (op == "Exists" || op == "DoesNotExist") {
    if (!values.empty()) {
      errors.push_back(
          field_error::invalid(path.child("values").text(), values,
                               "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"));
    }
  } else {
    errors.push_back(field_error::invalid(at, op, "not a valid selector operator"));
  }
}

void check_scope_selector(const Value& spec, FieldErrors& errors) {
  const FieldPath path("spec.scopeSelector.matchExpressions");
  const Value& selector = spec["scopeSelector"];
  std::set<std::string_view> seen;
  for (const Value& expression : selector["matchExpressions"].items()) {
    const std::string_view scope = expression["scopeName"].as_string();
    if (!is_scope(scope)) {
      errors.push_back(field_error::invalid(path.child("scopeName").text(), scope, "unsupported scope"));
    }
    check_scope(scope, spec, internal_form(selector, scope_selector_form()), path, errors);
    check_scope_operator(expression, path, errors);
    seen.insert(scope);
  }
  check_conflicts(seen, spec["scopes"], path, errors);
}

void check_quota_amounts(const Value& amounts, const FieldPath& path, FieldErrors& errors) {
  const FieldCheck list(amounts, path, errors);
  for (const Value::Member& member : amounts.members()) {
    check_resource_name(list.entry(member.key), member.key, ResourceUse::Quota);
    check_resource_amount(list.entry(member.key), member.key);
  }
}

std::set<std::string_view> scope_set(const Object& quota) {
  std::set<std::string_view> scopes;
  for (const Value& scope : quota["spec"]["scopes"].items()) scopes.insert(scope.as_string());
  return scopes;
}

}  // namespace

void check_limit_range(const Object& object, const Object*, FieldErrors& errors) {
  const Value& limits = object["spec"]["limits"];
  std::set<std::string_view> types;
  for (std::size_t i = 0; i < limits.size(); ++i) {
    const FieldPath at = FieldPath("spec.limits").index(i);
    const Value& type = limits.at(i)["type"];
    check_limit_type(type, at.child("type"), errors);
    if (!types.insert(type.as_string()).second) {
      errors.push_back(field_error::duplicate(at.child("type").text(), type.as_string()));
    }
    check_limit(limits.at(i), at, errors);
  }
}

void check_quota(const Object& object, const Object* old, FieldErrors& errors) {
  const Value& spec = object["spec"];
  check_quota_amounts(spec["hard"], FieldPath("spec.hard"), errors);
  check_scopes(spec, errors);
  check_scope_selector(spec, errors);
  if (old != nullptr && scope_set(object) != scope_set(*old)) {
    errors.push_back(field_error::invalid("spec.scopes", spec["scopes"], kImmutableField));
  }
}

void check_quota_status(const Object& object, const Object&, FieldErrors& errors) {
  for (const char* part : {"hard", "used"}) {
    check_quota_amounts(object["status"][part], FieldPath("status").child(part), errors);
  }
}

// Requests that the limits cannot hold.
std::vector<std::string> quota_warnings(const Object& object, const Object* old) {
  if (old != nullptr) return {};
  const ResourceAmounts hard = read_amounts(object["spec"]["hard"]);
  std::vector<std::string> warnings;
  for (const std::string name : {"cpu", "memory", "ephemeral-storage"}) {
    auto request = hard.find("requests." + name);
    if (request == hard.end() && name != "ephemeral-storage") request = hard.find(name);
    const auto limit = hard.find("limits." + name);
    if (request == hard.end() || limit == hard.end() || request->second <= limit->second) continue;
    warnings.push_back("ResourceQuota " + request->first + " (" + request->second.text() + ") should be less than " +
                       limit->first + " (" + limit->second.text() + ")");
  }
  return warnings;
}

}  // namespace coracle::kube::apiserver
