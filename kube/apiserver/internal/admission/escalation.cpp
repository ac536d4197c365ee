#include <memory>
#include <utility>

#include "kube/apiserver/internal/admission/common.h"
#include "kube/apiserver/internal/admission/plugins.h"
#include "kube/apiserver/internal/identity/authorization_union.h"
#include "kube/apiserver/internal/identity/rbac_rules.h"

namespace coracle::kube::apiserver {
namespace {

constexpr std::string_view kRbacGroupName = "rbac.authorization.k8s.io";

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
    bool same =
        old != nullptr && (*old)["rules"] == role["rules"] && (*old)["aggregationRule"] == role["aggregationRule"];
    if (same || may(context, attributes, "escalate", attributes.resource.resource, role.name())) return {};
    bool aggregates = role["aggregationRule"].is_object();
    bool aggregation_changed = old == nullptr || !((*old)["aggregationRule"] == role["aggregationRule"]);
    if (aggregates && aggregation_changed) {
      // Whoever gathers roles by label may come to hold any of them.
      std::vector<PolicyRule> everything = {{{"*"}, {"*"}, {"*"}, {}, {}}, {{"*"}, {}, {}, {}, {"*"}}};
      ASSIGN_OR_RETURN(std::vector<PolicyRule> held, held_rules(context, attributes));
      if (!missing_rules(held, everything).empty()) {
        return admission_forbidden(attributes, &role, "must have cluster-admin privileges to use the aggregationRule");
      }
    }
    return check_rules(context, attributes, role, read_policy_rules(role["rules"]));
  }

  Result<void> check_binding(const Context& context, const AdmissionAttributes& attributes,
                             const Object& binding) const {
    const Object* old = attributes.old;
    bool same = old != nullptr && (*old)["subjects"] == binding["subjects"] && (*old)["roleRef"] == binding["roleRef"];
    if (same) return {};
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
