#include "kube/apiserver/internal/strategies/resource_rules.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/schema/field_error.h"

// https://kubernetes.io/docs/reference/access-authn-authz/rbac/
namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kRbacGroup = "rbac.authorization.k8s.io";
constexpr std::string_view kRoleGroups[] = {kRbacGroup};
constexpr std::string_view kCoreGroupOnly[] = {""};

// As Go prints the internal type, whose fields have no JSON names.
Value shown_role(const Value& role) {
  return Value::object({{"APIGroup", role["apiGroup"].as_string()},
                        {"Kind", role["kind"].as_string()},
                        {"Name", role["name"].as_string()}});
}

void check_role_reference(const Value& role, bool cluster_wide, FieldErrors& errors) {
  if (role["apiGroup"].as_string() != kRbacGroup) {
    restate(errors, field_error::not_supported("roleRef.apiGroup", role["apiGroup"].as_string(), kRoleGroups));
  }
  const std::string_view kind = role["kind"].as_string();
  if (kind != "ClusterRole" && (cluster_wide || kind != "Role")) {
    constexpr std::string_view kKinds[] = {"Role", "ClusterRole"};
    const std::span<const std::string_view> supported(kKinds);
    retract(errors, "roleRef.kind");
    errors.push_back(field_error::not_supported("roleRef.kind", kind, cluster_wide ? supported.subspan(1) : supported));
  }
  if (role["name"].as_string().empty()) {
    report(errors, field_error::required("roleRef.name"));
  } else {
    add_name_errors(FieldPath("roleRef.name"), role["name"], check_path_segment_name(role["name"].as_string()), errors);
  }
}

void check_bound_subject(const Value& subject, bool cluster_wide, const FieldPath& path, FieldErrors& errors) {
  const std::string_view name = subject["name"].as_string();
  const std::string_view kind = subject["kind"].as_string();
  const std::string_view group = subject["apiGroup"].as_string();
  if (name.empty()) report(errors, field_error::required(path.child("name").text()));
  if (kind == "ServiceAccount") {
    if (!name.empty()) add_name_errors(path.child("name"), name, check_dns1123_subdomain(name), errors);
    if (!group.empty())
      errors.push_back(field_error::not_supported(path.child("apiGroup").text(), group, kCoreGroupOnly));
    if (cluster_wide && subject["namespace"].as_string().empty()) {
      errors.push_back(field_error::required(path.child("namespace").text()));
    }
  } else if (kind == "User" || kind == "Group") {
    if (group == kRbacGroup) return;
    errors.push_back(field_error::not_supported(path.child("apiGroup").text(), group, kRoleGroups));
  } else {
    constexpr std::string_view kSubjects[] = {"ServiceAccount", "User", "Group"};
    retract(errors, path.child("kind").text());
    errors.push_back(field_error::not_supported(path.child("kind").text(), kind, kSubjects));
  }
}

void check_role_binding(const Object& object, const Object* old, FieldErrors& errors) {
  const Value& role = object["roleRef"];
  const bool cluster_wide = object.kind() == "ClusterRoleBinding";
  check_role_reference(role, cluster_wide, errors);
  const Value& subjects = object["subjects"];
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    check_bound_subject(subjects.at(i), cluster_wide, FieldPath("subjects").index(i), errors);
  }
  if (old != nullptr && !(role == (*old)["roleRef"])) {
    retract(errors, "roleRef");
    errors.push_back(field_error::invalid("roleRef", shown_role(role), "cannot change roleRef"));
  }
}

void check_access_rule(const Value& rule, bool namespaced, const FieldPath& path, FieldErrors& errors) {
  const auto need = [&](std::string_view field, std::string_view detail) {
    if (rule[field].empty()) restate(errors, field_error::required(path.child(field).text(), detail));
  };
  need("verbs", "verbs must contain at least one value");
  const Value& urls = rule["nonResourceURLs"];
  if (urls.empty()) {
    need("apiGroups", "resource rules must supply at least one api group");
    need("resources", "resource rules must supply at least one resource");
    return;
  }
  const FieldPath at = path.child("nonResourceURLs");
  if (namespaced) {
    errors.push_back(field_error::invalid(at.text(), urls, "namespaced rules cannot apply to non-resource URLs"));
  }
  if (!rule["apiGroups"].empty() || !rule["resources"].empty() || !rule["resourceNames"].empty()) {
    errors.push_back(
        field_error::invalid(at.text(), urls, "rules cannot apply to both regular resources and non-resource URLs"));
  }
}

void check_aggregation(const Value& aggregation, FieldErrors& errors) {
  const FieldPath path("aggregationRule.clusterRoleSelectors");
  const Value& selectors = aggregation["clusterRoleSelectors"];
  if (selectors.empty()) {
    errors.push_back(
        field_error::required(path.text(), "at least one clusterRoleSelector required if aggregationRule is non-nil"));
  }
  for (std::size_t i = 0; i < selectors.size(); ++i) {
    const std::size_t before = errors.size();
    check_label_selector(selectors.at(i), path.index(i), errors);
    if (errors.size() == before) continue;
    errors.push_back(field_error::invalid(path.index(i).text(), Value(), "invalid label selector."));
  }
}

void check_role(const Object& object, const Object* old, FieldErrors& errors) {
  const Value& rules = object["rules"];
  const bool namespaced = object.kind() == "Role";
  for (std::size_t i = 0; i < rules.size(); ++i) {
    check_access_rule(rules.at(i), namespaced, FieldPath("rules").index(i), errors);
  }
  const Value& aggregation = object["aggregationRule"];
  if (!aggregation.is_object() || (old != nullptr && aggregation == (*old)["aggregationRule"])) return;
  check_aggregation(aggregation, errors);
}

constexpr ResourceRules kRoleRules[] = {
    {kRbacGroup, "rolebindings", nullptr, nullptr, check_role_binding},
    {kRbacGroup, "clusterrolebindings", nullptr, nullptr, check_role_binding},
    {kRbacGroup, "roles", nullptr, nullptr, check_role},
    {kRbacGroup, "clusterroles", nullptr, nullptr, check_role},
};

}  // namespace

std::span<const ResourceRules> role_rules() {
  return kRoleRules;
}

}  // namespace coracle::kube::apiserver
