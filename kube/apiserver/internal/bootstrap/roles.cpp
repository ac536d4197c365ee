#include "kube/apiserver/internal/bootstrap/roles.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "kube/apiserver/internal/identity/rbac_rules.h"

namespace coracle::kube::apiserver {
namespace {

constexpr std::string_view kRbacGroup = "rbac.authorization.k8s.io";
constexpr std::string_view kRbacVersion = "rbac.authorization.k8s.io/v1";
constexpr std::string_view kAutoupdate = "rbac.authorization.kubernetes.io/autoupdate";
constexpr std::string_view kAggregateLabel = "rbac.authorization.k8s.io/aggregate-to-";
constexpr std::string_view kControllerPrefix = "system:controller:";

// Whom a default role is bound to: "User:name", "Group:name", "ServiceAccount:namespace:name", separated by
// commas within names that have none.
struct DefaultBinding {
  std::string_view name;
  std::string_view role;
  std::string_view subjects;
  std::string_view namespace_ = "";
};

constexpr DefaultBinding kClusterRoleBindings[] = {
    {"cluster-admin", "cluster-admin", "Group:system:masters"},
    {"system:monitoring", "system:monitoring", "Group:system:monitoring"},
    {"system:discovery", "system:discovery", "Group:system:authenticated"},
    {"system:basic-user", "system:basic-user", "Group:system:authenticated"},
    {"system:public-info-viewer", "system:public-info-viewer",
     "Group:system:authenticated,Group:system:unauthenticated"},
    {"system:node-proxier", "system:node-proxier", "User:system:kube-proxy"},
    {"system:kube-controller-manager", "system:kube-controller-manager", "User:system:kube-controller-manager"},
    {"system:kube-dns", "system:kube-dns", "ServiceAccount:kube-system:kube-dns"},
    {"system:kube-scheduler", "system:kube-scheduler", "User:system:kube-scheduler"},
    {"system:volume-scheduler", "system:volume-scheduler", "User:system:kube-scheduler"},
    {"system:node", "system:node", ""},
    {"system:service-account-issuer-discovery", "system:service-account-issuer-discovery",
     "Group:system:serviceaccounts"},
};

struct NamespacedRole {
  std::string_view namespace_;
  std::string_view name;
  std::span<const DefaultRule> rules;
};

constexpr std::string_view kLeaderVerbs = "create,get,list,update,watch";
constexpr DefaultRule kLeaderRules[] = {
    {kLeaderVerbs, "coordination.k8s.io", "leases"},
    {kLeaderVerbs, "coordination.k8s.io", "leasecandidates"},
};
constexpr DefaultRule kPublicSignerRules[] = {
    {"get,list,watch", "", "configmaps"},
    {"update", "", "configmaps", "cluster-info"},
    {"create,patch,update", ",events.k8s.io", "events"},
};
constexpr DefaultRule kAuthenticationReaderRules[] = {
    {"get,list,watch", "", "configmaps", "extension-apiserver-authentication"},
};
constexpr DefaultRule kSignerRules[] = {{"get,list,watch", "", "secrets"}};
constexpr DefaultRule kCloudProviderRules[] = {{"create,get,list,watch", "", "configmaps"}};
constexpr DefaultRule kTokenCleanerRules[] = {
    {"delete,get,list,watch", "", "secrets"},
    {"create,patch,update", ",events.k8s.io", "events"},
};

constexpr NamespacedRole kRoles[] = {
    {"kube-public", "system:controller:bootstrap-signer", kPublicSignerRules},
    {"kube-system", "extension-apiserver-authentication-reader", kAuthenticationReaderRules},
    {"kube-system", "system:controller:bootstrap-signer", kSignerRules},
    {"kube-system", "system:controller:cloud-provider", kCloudProviderRules},
    {"kube-system", "system:controller:token-cleaner", kTokenCleanerRules},
    {"kube-system", "system::leader-locking-kube-controller-manager", kLeaderRules},
    {"kube-system", "system::leader-locking-kube-scheduler", kLeaderRules},
};

constexpr DefaultBinding kRoleBindings[] = {
    {"system:controller:bootstrap-signer", "system:controller:bootstrap-signer",
     "ServiceAccount:kube-system:bootstrap-signer", "kube-public"},
    {"system::extension-apiserver-authentication-reader", "extension-apiserver-authentication-reader",
     "User:system:kube-controller-manager,User:system:kube-scheduler", "kube-system"},
    {"system:controller:bootstrap-signer", "system:controller:bootstrap-signer",
     "ServiceAccount:kube-system:bootstrap-signer", "kube-system"},
    {"system:controller:cloud-provider", "system:controller:cloud-provider",
     "ServiceAccount:kube-system:cloud-provider", "kube-system"},
    {"system:controller:token-cleaner", "system:controller:token-cleaner", "ServiceAccount:kube-system:token-cleaner",
     "kube-system"},
    {"system::leader-locking-kube-controller-manager", "system::leader-locking-kube-controller-manager",
     "User:system:kube-controller-manager,ServiceAccount:kube-system:kube-controller-manager,"
     "ServiceAccount:kube-system:leader-election-controller",
     "kube-system"},
    {"system::leader-locking-kube-scheduler", "system::leader-locking-kube-scheduler",
     "User:system:kube-scheduler,ServiceAccount:kube-system:kube-scheduler", "kube-system"},
};

// "a,b" is two texts, ",b" the empty one and b; "" is none unless `keep_empty`.
std::vector<std::string> split_defaults(std::string_view text, bool keep_empty = false) {
  std::vector<std::string> parts;
  if (text.empty() && !keep_empty) return parts;
  for (std::string_view part : split(text, ',')) parts.emplace_back(part);
  return parts;
}

PolicyRule default_rule(const DefaultRule& rule) {
  bool resources = !rule.resources.empty();
  return {split_defaults(rule.verbs), split_defaults(rule.api_groups, resources), split_defaults(rule.resources),
          split_defaults(rule.resource_names), split_defaults(rule.non_resource_urls)};
}

Value default_rules(std::span<const DefaultRule> rules) {
  Value::ArrayBuilder builder;
  for (const DefaultRule& rule : rules) builder.add(write_policy_rule(default_rule(rule)));
  return std::move(builder).build();
}

Value default_metadata(std::string_view ns, std::string_view name, std::string_view aggregate_to) {
  Value::ObjectBuilder labels;
  labels.set("kubernetes.io/bootstrapping", "rbac-defaults");
  if (!aggregate_to.empty()) labels.set(std::string(kAggregateLabel).append(aggregate_to), "true");
  Value::ObjectBuilder metadata;
  metadata.set("name", name);
  metadata.set_nonempty("namespace", ns);
  metadata.set("labels", std::move(labels).build());
  metadata.set("annotations", Value::object({{kAutoupdate, "true"}}));
  return std::move(metadata).build();
}

Object default_role_object(std::string_view kind, Value metadata, Value rules) {
  return Object(Value::object(
      {{"apiVersion", kRbacVersion}, {"kind", kind}, {"metadata", std::move(metadata)}, {"rules", std::move(rules)}}));
}

Object cluster_role_object(const DefaultRole& role, std::string_view prefix) {
  std::string name = std::string(prefix).append(role.name);
  Object object =
      default_role_object("ClusterRole", default_metadata({}, name, role.aggregate_to), default_rules(role.rules));
  if (role.aggregate_from.empty()) return object;
  Value labels = Value::object({{std::string(kAggregateLabel).append(role.aggregate_from), "true"}});
  Value selector = Value::object({{"matchLabels", std::move(labels)}});
  return object.with("aggregationRule", Value::object({{"clusterRoleSelectors", Value::array({selector})}}));
}

Value default_subject(std::string_view text) {
  std::size_t colon = text.find(':');
  std::string_view kind = text.substr(0, colon);
  std::string_view name = text.substr(colon + 1);
  if (kind != "ServiceAccount") {
    return Value::object({{"kind", kind}, {"apiGroup", kRbacGroup}, {"name", name}});
  }
  std::size_t second = name.find(':');
  return Value::object({{"kind", kind}, {"name", name.substr(second + 1)}, {"namespace", name.substr(0, second)}});
}

Object binding_object(const DefaultBinding& binding) {
  bool cluster = binding.namespace_.empty();
  Value::ObjectBuilder builder;
  builder.set("apiVersion", kRbacVersion).set("kind", cluster ? "ClusterRoleBinding" : "RoleBinding");
  builder.set("metadata", default_metadata(binding.namespace_, binding.name, {}));
  Value::ArrayBuilder subjects;
  for (const std::string& subject : split_defaults(binding.subjects)) subjects.add(default_subject(subject));
  builder.set_nonempty("subjects", std::move(subjects).build());
  builder.set(
      "roleRef",
      Value::object({{"apiGroup", kRbacGroup}, {"kind", cluster ? "ClusterRole" : "Role"}, {"name", binding.role}}));
  return Object(std::move(builder).build());
}

// `current` with the members of `wanted` that it does not have; its own values stay.
Value joined_map(const Value& current, const Value& wanted, bool& changed) {
  Value::ObjectBuilder builder(current);
  for (const Value::Member& member : wanted.members()) {
    if (current.contains(member.key)) continue;
    builder.set(member.key, member.value);
    changed = true;
  }
  return std::move(builder).build();
}

// Labels and annotations of both; nothing when the object wants to be left alone.
std::optional<Object> joined_metadata(const Object& current, const Object& wanted, bool& changed) {
  if (current.annotation(kAutoupdate) == "false") return std::nullopt;
  Object joined = current;
  for (std::string_view field : {"labels", "annotations"}) {
    bool differs = false;
    Value map = joined_map(current.metadata()[field], wanted.metadata()[field], differs);
    if (differs) joined = joined.with_metadata(field, std::move(map));
    changed = changed || differs;
  }
  return joined;
}

}  // namespace

std::vector<PolicyRule> default_role_rules(std::string_view name) {
  std::vector<PolicyRule> rules;
  for (const DefaultRole& role : default_cluster_roles()) {
    if (role.name != name) continue;
    for (const DefaultRule& rule : role.rules) rules.push_back(default_rule(rule));
  }
  return rules;
}

std::vector<Object> default_cluster_role_objects() {
  std::vector<Object> objects;
  for (const DefaultRole& role : default_cluster_roles()) objects.push_back(cluster_role_object(role, {}));
  for (const DefaultRole& role : default_controller_roles()) {
    objects.push_back(cluster_role_object(role, kControllerPrefix));
  }
  return objects;
}

std::vector<Object> default_cluster_role_binding_objects() {
  std::vector<Object> objects;
  for (const DefaultBinding& binding : kClusterRoleBindings) objects.push_back(binding_object(binding));
  for (const DefaultRole& role : default_controller_roles()) {
    std::string name = std::string(kControllerPrefix).append(role.name);
    std::string subject = std::string("ServiceAccount:kube-system:").append(role.name);
    objects.push_back(binding_object({name, name, subject}));
  }
  return objects;
}

std::vector<Object> default_role_objects() {
  std::vector<Object> objects;
  for (const NamespacedRole& role : kRoles) {
    objects.push_back(
        default_role_object("Role", default_metadata(role.namespace_, role.name, {}), default_rules(role.rules)));
  }
  return objects;
}

std::vector<Object> default_role_binding_objects() {
  std::vector<Object> objects;
  for (const DefaultBinding& binding : kRoleBindings) objects.push_back(binding_object(binding));
  return objects;
}

std::optional<Object> complete_default_role(const Object& current, const Object& wanted) {
  bool changed = false;
  std::optional<Object> joined = joined_metadata(current, wanted, changed);
  if (!joined) return std::nullopt;
  if (const Value* aggregation = wanted.tree().find("aggregationRule")) {
    // The rules of such a role belong to the controller that gathers them.
    if (!(current["aggregationRule"] == *aggregation)) {
      joined = joined->with("aggregationRule", *aggregation);
      changed = true;
    }
    return changed ? joined : std::nullopt;
  }
  std::vector<PolicyRule> has = read_policy_rules(current["rules"]);
  std::vector<PolicyRule> lacks = missing_rules(has, read_policy_rules(wanted["rules"]));
  if (!lacks.empty()) {
    Value::ArrayBuilder rules;
    for (const Value& rule : current["rules"].items()) rules.add(rule);
    for (const PolicyRule& rule : lacks) rules.add(write_policy_rule(rule));
    joined = joined->with("rules", std::move(rules).build());
    changed = true;
  }
  return changed ? joined : std::nullopt;
}

std::optional<Object> complete_default_binding(const Object& current, const Object& wanted) {
  bool changed = false;
  std::optional<Object> joined = joined_metadata(current, wanted, changed);
  if (!joined) return std::nullopt;
  std::span<const Value> has = current["subjects"].items();
  std::vector<Value> subjects(has.begin(), has.end());
  for (const Value& subject : wanted["subjects"].items()) {
    if (std::find(has.begin(), has.end(), subject) != has.end()) continue;
    subjects.push_back(subject);
    changed = true;
  }
  if (subjects.size() != has.size()) joined = joined->with("subjects", Value::array(std::move(subjects)));
  return changed ? joined : std::nullopt;
}

}  // namespace coracle::kube::apiserver
