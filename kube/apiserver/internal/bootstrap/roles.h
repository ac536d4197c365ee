#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "kube/apiserver/internal/authorization.h"
#include "kube/object/object.h"

namespace coracle::kube::apiserver {

// One rule as comma-separated texts; the API group "" is the core group.
struct DefaultRule {
  std::string_view verbs;
  std::string_view api_groups;
  std::string_view resources;
  std::string_view resource_names = "";
  std::string_view non_resource_urls = "";
};

struct DefaultRole {
  std::string_view name;
  std::span<const DefaultRule> rules;
  std::string_view aggregate_to = "";    // "view": the label aggregate-to-view
  std::string_view aggregate_from = "";  // "view": gathers the roles with that label
};

// All but the controllers'.
std::span<const DefaultRole> default_cluster_roles();
// Named without "system:controller:"; each is bound to the service account kube-system/<name>.
std::span<const DefaultRole> default_controller_roles();

// Rules of one of default_cluster_roles(), for authorizers that know them by heart.
std::vector<PolicyRule> default_role_rules(std::string_view name);

// The objects that a new cluster has, in the order of their making: ClusterRoles, ClusterRoleBindings,
// then Roles and RoleBindings of kube-system and kube-public.
std::vector<Object> default_cluster_role_objects();
std::vector<Object> default_cluster_role_binding_objects();
std::vector<Object> default_role_objects();
std::vector<Object> default_role_binding_objects();

// What an existing role or binding lacks of its default: the object with the missing rules or subjects,
// labels and annotations added and the aggregation rule set. Nothing when it lacks none, or when its
// annotation rbac.authorization.kubernetes.io/autoupdate is "false".
std::optional<Object> complete_default_role(const Object& current, const Object& wanted);
std::optional<Object> complete_default_binding(const Object& current, const Object& wanted);

}  // namespace coracle::kube::apiserver
