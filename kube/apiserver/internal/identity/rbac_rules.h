#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"
#include "kube/apiserver/internal/authorization.h"

namespace coracle::kube::apiserver {

// The rules of a Role's or ClusterRole's `rules` array.
std::vector<PolicyRule> read_policy_rules(const Value& rules);
// As the API prints them; empty lists are left out.
Value write_policy_rule(const PolicyRule& rule);

// Does one rule allow the request? "*" and "*/scale" as the RBAC documentation has them; resource
// names count only where the request names an object.
bool rule_allows(const PolicyRule& rule, const Attributes& what);

// Every single permission of the rules: one group, resource, verb and name (or path) each.
std::vector<PolicyRule> break_down(const std::vector<PolicyRule>& rules);
// Do the rules together contain the single permission `part`?
bool rules_cover(const std::vector<PolicyRule>& owner, const PolicyRule& part);
// The permissions of `wanted` that `owner` lacks, verbs of one resource joined, in the order and form of
// upstream's error text.
std::vector<PolicyRule> missing_rules(const std::vector<PolicyRule>& owner, const std::vector<PolicyRule>& wanted);
// {APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}
std::string compact_text(const PolicyRule& rule);

// Go's %q of a text and of a list of texts.
std::string go_quote(std::string_view text);
std::string go_quote_list(const std::vector<std::string>& texts);

}  // namespace coracle::kube::apiserver
