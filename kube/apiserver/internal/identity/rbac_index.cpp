#include "kube/apiserver/internal/identity/rbac_index.h"

#include <algorithm>

#include "kube/apiserver/internal/identity/rbac_rules.h"

namespace coracle::kube::apiserver {
namespace {

constexpr std::string_view kServiceAccountUserPrefix = "system:serviceaccount:";

// Most reasons fit, so that one allocation does.
constexpr std::size_t kReasonRoom = 192;

std::string grant_reason(const CompiledBinding& binding, const BindingSubject& subject) {
  bool cluster = binding.namespace_.empty();
  std::string text;
  text.reserve(kReasonRoom);
  text = cluster ? "RBAC: allowed by ClusterRoleBinding \"" : "RBAC: allowed by RoleBinding \"";
  text.append(binding.name);
  if (!cluster) text.append("/").append(binding.namespace_);
  text.append("\" of ").append(binding.role.kind).append(" \"").append(binding.role.name).append("\" to ");
  text.append(subject.kind).append(" \"").append(subject.name);
  if (subject.kind == "ServiceAccount") text.append("/").append(subject.namespace_);
  return text.append("\"");
}

// The text of upstream's evaluation error: one missing role, or a bracketed list of them.
std::string missing_roles_reason(const std::vector<std::string>& missing) {
  if (missing.empty()) return {};
  std::string text = missing.size() == 1 ? "RBAC: " : "RBAC: [";
  for (std::size_t i = 0; i < missing.size(); ++i) {
    if (i > 0) text += ", ";
    text += missing[i];
  }
  return missing.size() == 1 ? text : text + "]";
}

std::string missing_role_text(const RoleReference& role) {
  return (role.kind == "Role" ? "role" : "clusterrole") + std::string(".rbac.authorization.k8s.io \"") + role.name +
         "\" not found";
}

bool role_allows(const CompiledRole& role, const Attributes& what) {
  for (const PolicyRule& rule : what.resource_request ? role.resource_rules : role.path_rules) {
    if (rule_allows(rule, what)) return true;
  }
  return false;
}

}  // namespace

CompiledRolePtr compile_role(const Object& role) {
  auto compiled = std::make_shared<CompiledRole>();
  compiled->all = read_policy_rules(role["rules"]);
  for (const PolicyRule& rule : compiled->all) {
    if (!rule.resources.empty()) compiled->resource_rules.push_back(rule);
    if (!rule.non_resource_urls.empty()) compiled->path_rules.push_back(rule);
  }
  return compiled;
}

CompiledBindingPtr compile_binding(const Object& binding) {
  auto compiled = std::make_shared<CompiledBinding>();
  compiled->namespace_ = binding.namespace_();
  compiled->name = binding.name();
  const Value& role = binding["roleRef"];
  compiled->role = {std::string(role["kind"].as_string()), std::string(role["name"].as_string())};
  for (const Value& subject : binding["subjects"].items()) {
    std::string ns(subject["namespace"].as_string());
    // A service account without namespace is one of the binding's own.
    if (ns.empty()) ns = compiled->namespace_;
    compiled->subjects.push_back(
        {std::string(subject["kind"].as_string()), std::move(ns), std::string(subject["name"].as_string())});
  }
  return compiled;
}

RbacIndex::RbacIndex(Source source) : source_(std::move(source)) {
  for (const CompiledBindingPtr& binding : source_.bindings) add(binding);
}

void RbacIndex::add(const CompiledBindingPtr& binding) {
  CompiledRolePtr role = find_role(binding->role, binding->namespace_);
  Scope& scope = binding->namespace_.empty() ? cluster_ : namespaces_[binding->namespace_];
  for (const BindingSubject& subject : binding->subjects) {
    Grant grant{binding, &subject, role};
    if (subject.kind == "User") {
      scope.users[subject.name].push_back(std::move(grant));
    } else if (subject.kind == "Group") {
      scope.groups[subject.name].push_back(std::move(grant));
    } else if (subject.kind == "ServiceAccount" && !subject.namespace_.empty()) {
      std::string user(kServiceAccountUserPrefix);
      user.append(subject.namespace_).append(":").append(subject.name);
      scope.users[std::move(user)].push_back(std::move(grant));
    }
  }
}

CompiledRolePtr RbacIndex::find_role(const RoleReference& role, std::string_view ns) const {
  if (role.kind == "ClusterRole") {
    auto found = source_.cluster_roles.find(role.name);
    return found == source_.cluster_roles.end() ? nullptr : found->second;
  }
  if (role.kind != "Role") return nullptr;
  auto found = source_.roles.find(std::pair(std::string(ns), role.name));
  return found == source_.roles.end() ? nullptr : found->second;
}

template <class Visit>
bool RbacIndex::visit_grants(const Scope& scope, const Identity& who, const Visit& visit) {
  if (auto user = scope.users.find(std::string_view(who.user)); user != scope.users.end()) {
    for (const Grant& grant : user->second) {
      if (visit(grant)) return true;
    }
  }
  for (const std::string& name : who.groups) {
    auto group = scope.groups.find(std::string_view(name));
    if (group == scope.groups.end()) continue;
    for (const Grant& grant : group->second) {
      if (visit(grant)) return true;
    }
  }
  return false;
}

Decision RbacIndex::decide(const Identity& who, const Attributes& what) const {
  Decision decision;
  std::vector<std::string> missing;
  auto allows = [&](const Grant& grant) {
    if (grant.role == nullptr) {
      std::string text = missing_role_text(grant.binding->role);
      if (std::find(missing.begin(), missing.end(), text) == missing.end()) missing.push_back(std::move(text));
      return false;
    }
    if (!role_allows(*grant.role, what)) return false;
    decision = {Decision::Outcome::Allow, grant_reason(*grant.binding, *grant.subject)};
    return true;
  };
  if (visit_grants(cluster_, who, allows)) return decision;
  if (what.resource_request && !what.namespace_.empty()) {
    auto scope = namespaces_.find(std::string_view(what.namespace_));
    if (scope != namespaces_.end() && visit_grants(scope->second, who, allows)) return decision;
  }
  decision.reason = missing_roles_reason(missing);
  return decision;
}

std::vector<PolicyRule> RbacIndex::rules_for(const Identity& who, std::string_view ns) const {
  std::vector<PolicyRule> rules;
  auto collect = [&](const Grant& grant) {
    if (grant.role == nullptr) return false;
    rules.insert(rules.end(), grant.role->all.begin(), grant.role->all.end());
    return false;
  };
  visit_grants(cluster_, who, collect);
  auto scope = namespaces_.find(ns);
  if (scope == namespaces_.end()) return rules;
  // A namespace's bindings cannot grant paths.
  visit_grants(scope->second, who, [&](const Grant& grant) {
    if (grant.role == nullptr) return false;
    rules.insert(rules.end(), grant.role->resource_rules.begin(), grant.role->resource_rules.end());
    return false;
  });
  return rules;
}

}  // namespace coracle::kube::apiserver
