#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "kube/apiserver/internal/admission/common.h"
#include "kube/apiserver/internal/admission/plugins.h"
#include "kube/apiserver/internal/identity/authorization_union.h"
#include "kube/apiserver/internal/identity/rbac_rules.h"

namespace coracle::kube::apiserver {
namespace {

constexpr std::string_view kRbacGroupName = "rbac.authorization.k8s.io";
// What roles and bindings are made of.
constexpr std::string_view kGrantingFields[] = {"rules", "aggregationRule", "subjects", "roleRef"};

// Fields that a garbage collector changes, and those that every write does.
constexpr std::string_view kCollectedFields[] = {"ownerReferences", "finalizers", "managedFields", "selfLink",
                                                 "resourceVersion"};

// Equal, an empty list or object being the same as none.
bool same_fields(const Value& left, const Value& right) {
  const auto is_none = [](const Value& field) {
    return field.is_null() || ((field.is_array() || field.is_object()) && field.empty());
  };
  return (is_none(left) && is_none(right)) || left == right;
}

// Does the update leave everything as it is but for what a garbage collector may change? Labels are no such thing:
// they gather roles into others.
bool changes_only_collected_fields(const Object* old, const Object& object) {
  if (old == nullptr) return false;
  Value before = old->metadata(), now = object.metadata();
  for (std::string_view field : kCollectedFields) {
    before = before.without(field);
    now = now.without(field);
  }
  for (std::string_view field : {"labels", "annotations"}) {
    if (!same_fields(before[field], now[field])) return false;
    before = before.without(field);
    now = now.without(field);
  }
  if (!(before == now)) return false;
  return std::all_of(std::begin(kGrantingFields), std::end(kGrantingFields),
                     [&](std::string_view field) { return same_fields((*old)[field], object[field]); });
}

bool aggregates(const Object& role) {
  return !role["aggregationRule"]["clusterRoleSelectors"].empty();
}

class EscalationCheck : public AdmissionPlugin {
 public:
  EscalationCheck(RbacAuthorizer& rbac, Authorizer& authorizer) : rbac_(rbac), authorizer_(authorizer) {}
  std::string_view name() const override { return "RBACEscalation"; }

  Result<void> validate(const Context& context, const AdmissionAttributes& attributes, const Object* object,
                        std::vector<std::string>&) override {
    bool write = attributes.operation == Operation::Create || attributes.operation == Operation::Update;
    const std::string& resource = attributes.resource.resource;
    if (!write || object == nullptr || attributes.resource.gvk.group != kRbacGroupName) return {};
    if (in_masters_group(attributes.who)) return {};
    if (resource == "roles" || resource == "clusterroles") return check_role(context, attributes, *object);
    return check_binding(context, attributes, *object);
  }

 private:
  Result<void> check_role(const Context& context, const AdmissionAttributes& attributes, const Object& role) const {
    const Object* old = attributes.old;
    if (changes_only_collected_fields(old, role)) return {};
    // A POST names nothing in its path: permission to escalate roles of some names does not cover it.
    if (may(context, attributes, "escalate", attributes.resource.resource, attributes.request_name)) return {};
    TRY(check_rules(context, attributes, role, read_policy_rules(role["rules"])));
    if (!aggregates(role) && (old == nullptr || !aggregates(*old))) return {};
    // Whoever gathers roles by label may come to hold any of them.
    const std::vector<PolicyRule> everything = {{{"*"}, {"*"}, {"*"}, {}, {}}, {{"*"}, {}, {}, {}, {"*"}}};
    ASSIGN_OR_RETURN(const std::vector<PolicyRule> held, held_rules(context, attributes));
    if (missing_rules(held, everything).empty()) return {};
    return admission_forbidden(attributes, &role, "must have cluster-admin privileges to use the aggregationRule");
  }

  Result<void> check_binding(const Context& context, const AdmissionAttributes& attributes,
                             const Object& binding) const {
    if (changes_only_collected_fields(attributes.old, binding)) return {};
    RoleReference role{std::string(binding["roleRef"]["kind"].as_string()),
                       std::string(binding["roleRef"]["name"].as_string())};
    std::string_view role_resource = role.kind == "ClusterRole" ? "clusterroles" : "roles";
    if (may(context, attributes, "bind", role_resource, role.name)) return {};
    ASSIGN_OR_RETURN(std::shared_ptr<const RbacIndex> index, rbac_.index(context));
    CompiledRolePtr compiled = index->find_role(role, attributes.namespace_);
    if (compiled == nullptr) return not_found(attributes.resource, role.name);
    return check_rules(context, attributes, binding, compiled->all);
  }

  Result<std::vector<PolicyRule>> held_rules(const Context& context, const AdmissionAttributes& attributes) const {
    ASSIGN_OR_RETURN(std::shared_ptr<const RbacIndex> index, rbac_.index(context));
    return index->rules_for(attributes.who, attributes.namespace_);
  }

  Result<void> check_rules(const Context& context, const AdmissionAttributes& attributes, const Object& object,
                           const std::vector<PolicyRule>& wanted) const {
    ASSIGN_OR_RETURN(std::vector<PolicyRule> held, held_rules(context, attributes));
    std::vector<PolicyRule> missing = missing_rules(held, wanted);
    if (missing.empty()) return {};
    std::string why = "user " + go_quote(attributes.who.user) + " (groups=" + go_quote_list(attributes.who.groups) +
                      ") is attempting to grant RBAC permissions not currently held:";
    for (const PolicyRule& rule : missing) why += "\n" + compact_text(rule);
    return admission_forbidden(attributes, &object, why);
  }

  bool may(const Context& context, const AdmissionAttributes& attributes, std::string_view verb,
           std::string_view resource, std::string_view name) const {
    Attributes what;
    what.verb = verb;
    what.group = kRbacGroupName;
    what.version = "v1";
    what.resource = resource;
    what.namespace_ = attributes.namespace_;
    what.name = name;
    return authorizer_.authorize(context, attributes.who, what).outcome == Decision::Outcome::Allow;
  }

  RbacAuthorizer& rbac_;
  Authorizer& authorizer_;
};

}  // namespace

AdmissionPluginPtr make_escalation_check(RbacAuthorizer& rbac, Authorizer& authorizer) {
  return std::make_unique<EscalationCheck>(rbac, authorizer);
}

}  // namespace coracle::kube::apiserver
