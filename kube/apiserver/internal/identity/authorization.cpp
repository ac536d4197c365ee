#include "kube/apiserver/internal/authorization.h"

#include <algorithm>
#include <utility>

#include "kube/apiserver/internal/authentication.h"
#include "kube/apiserver/internal/identity/authorization_union.h"
#include "kube/apiserver/internal/identity/rbac_rules.h"

namespace coracle::kube::apiserver {
namespace {

class UnionAuthorizer : public Authorizer {
 public:
  explicit UnionAuthorizer(std::vector<std::unique_ptr<Authorizer>> authorizers)
      : authorizers_(std::move(authorizers)) {}

  Decision authorize(const Context& context, const Identity& who, const Attributes& what) override {
    if (in_masters_group(who)) return {Decision::Outcome::Allow, ""};
    Decision none;
    for (const std::unique_ptr<Authorizer>& authorizer : authorizers_) {
      Decision decision = authorizer->authorize(context, who, what);
      if (decision.outcome != Decision::Outcome::NoOpinion) return decision;
      if (decision.reason.empty()) continue;
      if (!none.reason.empty()) none.reason += '\n';
      none.reason += decision.reason;
    }
    return none;
  }

  std::vector<PolicyRule> rules_for(const Context& context, const Identity& who, std::string_view ns,
                                    bool& incomplete) override {
    std::vector<PolicyRule> rules;
    for (const std::unique_ptr<Authorizer>& authorizer : authorizers_) {
      std::vector<PolicyRule> more = authorizer->rules_for(context, who, ns, incomplete);
      rules.insert(rules.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
    }
    return rules;
  }

 private:
  std::vector<std::unique_ptr<Authorizer>> authorizers_;
};

}  // namespace

bool in_masters_group(const Identity& who) {
  return std::find(who.groups.begin(), who.groups.end(), kMastersGroup) != who.groups.end();
}

std::unique_ptr<Authorizer> make_union_authorizer(std::vector<std::unique_ptr<Authorizer>> authorizers) {
  return std::make_unique<UnionAuthorizer>(std::move(authorizers));
}

Error forbidden(const Identity& who, const Attributes& what, std::string_view reason) {
  std::string text;
  ErrorDetails details;
  if (what.resource_request) {
    details = {what.name, what.group, what.resource, ""};
    text = what.group.empty() ? what.resource : what.resource + "." + what.group;
    if (!what.name.empty()) text.append(" ").append(go_quote(what.name));
    text.append(" is ");
  }
  text.append("forbidden: User ").append(go_quote(who.user)).append(" cannot ").append(what.verb);
  if (!what.resource_request) {
    text.append(" path ").append(go_quote(what.path));
  } else {
    std::string resource = what.subresource.empty() ? what.resource : what.resource + "/" + what.subresource;
    text.append(" resource ").append(go_quote(resource)).append(" in API group ").append(go_quote(what.group));
    if (what.namespace_.empty()) {
      text.append(" at the cluster scope");
    } else {
      text.append(" in the namespace ").append(go_quote(what.namespace_));
    }
  }
  if (!reason.empty()) text.append(": ").append(reason);
  return Error(Reason::Forbidden, std::move(text)).with_details(std::move(details));
}

}  // namespace coracle::kube::apiserver
