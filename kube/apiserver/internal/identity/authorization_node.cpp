#include "kube/apiserver/internal/identity/authorization_node.h"

#include <algorithm>
#include <utility>

#include "kube/apiserver/internal/bootstrap/roles.h"
#include "kube/apiserver/internal/identity/rbac_rules.h"
#include "kube/object/selector.h"

namespace coracle::kube::apiserver {
namespace {

constexpr std::string_view kNodeUserPrefix = "system:node:";
constexpr std::string_view kNodesGroup = "system:nodes";
constexpr std::string_view kNodeLeaseNamespace = "kube-node-lease";

Decision node_allow() {
  return {Decision::Outcome::Allow, ""};
}
Decision node_no(std::string reason) {
  return {Decision::Outcome::NoOpinion, std::move(reason)};
}

bool node_verb_in(const std::string& verb, std::initializer_list<std::string_view> verbs) {
  return std::find(verbs.begin(), verbs.end(), verb) != verbs.end();
}

}  // namespace

NodeIdentity node_identity(const Identity& who) {
  std::string_view user = who.user;
  if (user.substr(0, kNodeUserPrefix.size()) != kNodeUserPrefix) return {};
  if (std::find(who.groups.begin(), who.groups.end(), kNodesGroup) == who.groups.end()) return {};
  return {true, std::string(user.substr(kNodeUserPrefix.size()))};
}

std::string selected_field(std::string_view selector, std::string_view field) {
  if (selector.empty()) return {};
  Result<FieldSelector> parsed = FieldSelector::parse(selector);
  return parsed.ok() ? parsed->required_value(field).value_or("") : std::string();
}

NodeAuthorizer::NodeAuthorizer(const ObjectReader& objects, Logger log)
    : graph_(objects), log_(std::move(log)), rules_(default_role_rules("system:node")) {}

std::vector<PolicyRule> NodeAuthorizer::rules_for(const Context&, const Identity& who, std::string_view,
                                                  bool& incomplete) {
  if (node_identity(who).is_node) incomplete = true;
  return {};
}

Decision NodeAuthorizer::authorize(const Context& context, const Identity& who, const Attributes& what) {
  NodeIdentity identity = node_identity(who);
  if (!identity.is_node) return {};
  const std::string& node = identity.name;
  if (node.empty()) return node_no("unknown node for user " + go_quote(who.user));
  if (!what.resource_request) return by_rules(what);
  if (what.group.empty()) {
    if (what.resource == "secrets") return read_namespaced(context, node, KnownResource::Secrets, what);
    if (what.resource == "configmaps") return read_namespaced(context, node, KnownResource::ConfigMaps, what);
    if (what.resource == "persistentvolumeclaims") {
      if (what.subresource == "status") return claim_status(context, node, what);
      return get_one(context, node, KnownResource::PersistentVolumeClaims, what);
    }
    if (what.resource == "persistentvolumes") return get_one(context, node, KnownResource::PersistentVolumes, what);
    if (what.resource == "serviceaccounts") return service_account(context, node, what);
    if (what.resource == "nodes") return own_node(node, what);
    if (what.resource == "pods") return pod(context, node, what);
  } else if (what.group == "storage.k8s.io") {
    if (what.resource == "volumeattachments") return get_one(context, node, KnownResource::VolumeAttachments, what);
    if (what.resource == "csinodes") return csi_node(node, what);
  } else if (what.group == "resource.k8s.io") {
    if (what.resource == "resourceclaims") return get_one(context, node, KnownResource::ResourceClaims, what);
    if (what.resource == "resourceslices") return resource_slice(context, node, what);
  } else if (what.group == "coordination.k8s.io" && what.resource == "leases") {
    return lease(node, what);
  }
  return by_rules(what);
}

Decision NodeAuthorizer::by_rules(const Attributes& what) const {
  bool allowed =
      std::any_of(rules_.begin(), rules_.end(), [&](const PolicyRule& rule) { return rule_allows(rule, what); });
  return allowed ? node_allow() : Decision{};
}

Decision NodeAuthorizer::by_graph(const Context& context, const std::string& node, KnownResource resource,
                                  const Attributes& what) {
  if (what.name.empty()) return node_no("No Object name found");
  Result<bool> related = graph_.related(context, node, resource, what.namespace_, what.name);
  if (!related.ok()) {
    log_.warning("references of a node cannot be read", {{"node", node}, {"error", related.error()}});
    return node_no("no relationship found between node '" + node + "' and this object");
  }
  if (*related) return node_allow();
  return node_no("no relationship found between node '" + node + "' and this object");
}

Decision NodeAuthorizer::read_namespaced(const Context& context, const std::string& node, KnownResource resource,
                                         const Attributes& what) {
  if (!node_verb_in(what.verb, {"get", "list", "watch"})) return node_no("can only read resources of this type");
  if (!what.subresource.empty()) return node_no("cannot read subresource");
  if (what.namespace_.empty()) return node_no("can only read namespaced object of this type");
  return by_graph(context, node, resource, what);
}

Decision NodeAuthorizer::get_one(const Context& context, const std::string& node, KnownResource resource,
                                 const Attributes& what) {
  if (what.verb != "get") return node_no("can only get individual resources of this type");
  if (!what.subresource.empty()) return node_no("cannot get subresource");
  return by_graph(context, node, resource, what);
}

Decision NodeAuthorizer::claim_status(const Context& context, const std::string& node, const Attributes& what) {
  if (!node_verb_in(what.verb, {"update", "patch"})) {
    return node_no("can only get/update/patch this type");
  }
  return by_graph(context, node, KnownResource::PersistentVolumeClaims, what);
}

Decision NodeAuthorizer::service_account(const Context& context, const std::string& node, const Attributes& what) {
  if (what.verb == "get" && what.subresource.empty()) {
    return read_namespaced(context, node, KnownResource::ServiceAccounts, what);
  }
  if (what.verb != "create" || what.name.empty()) {
    return node_no("can only create tokens for individual service accounts");
  }
  if (what.subresource != "token") return node_no("can only create token subresource of serviceaccount");
  return by_graph(context, node, KnownResource::ServiceAccounts, what);
}

Decision NodeAuthorizer::lease(const std::string& node, const Attributes& what) const {
  if (!node_verb_in(what.verb, {"get", "create", "update", "patch", "delete"})) {
    return node_no("can only get, create, update, patch, or delete a node lease");
  }
  if (what.namespace_ != kNodeLeaseNamespace) {
    return node_no("can only access leases in the \"kube-node-lease\" system namespace");
  }
  // A create names its object in the body only.
  if (what.verb != "create" && what.name != node) {
    return node_no("can only access node lease with the same name as the requesting node");
  }
  return node_allow();
}

Decision NodeAuthorizer::csi_node(const std::string& node, const Attributes& what) const {
  if (!node_verb_in(what.verb, {"get", "create", "update", "patch", "delete"})) {
    return node_no("can only get, create, update, patch, or delete a CSINode");
  }
  if (!what.subresource.empty()) return node_no("cannot authorize CSINode subresources");
  if (what.verb != "create" && what.name != node) {
    return node_no("can only access CSINode with the same name as the requesting node");
  }
  return node_allow();
}

Decision NodeAuthorizer::resource_slice(const Context& context, const std::string& node, const Attributes& what) {
  if (!what.subresource.empty()) return node_no("cannot authorize ResourceSlice subresources");
  // Whose a new one is stands in its body: that is for NodeRestriction to see.
  if (what.verb == "create") return node_allow();
  if (node_verb_in(what.verb, {"get", "update", "patch", "delete"})) {
    return by_graph(context, node, KnownResource::ResourceSlices, what);
  }
  if (!node_verb_in(what.verb, {"list", "watch", "deletecollection"})) {
    return node_no(
        "only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, "
        "delete, deletecollection");
  }
  if (selected_field(what.field_selector, "spec.nodeName") == node) return node_allow();
  return node_no("can only list/watch/deletecollection resourceslices with nodeName field selector");
}

Decision NodeAuthorizer::own_node(const std::string& node, const Attributes& what) const {
  if (what.subresource.empty() && node_verb_in(what.verb, {"get", "list", "watch"}) && what.name != node) {
    std::string wanted = what.name.empty() ? "all nodes" : "'" + what.name + "'";
    return node_no("node '" + node + "' cannot read " + wanted + ", only its own Node object");
  }
  return by_rules(what);
}

Decision NodeAuthorizer::pod(const Context& context, const std::string& node, const Attributes& what) {
  if (!what.subresource.empty() || !node_verb_in(what.verb, {"get", "list", "watch"})) return by_rules(what);
  if (what.verb == "get" || !what.name.empty()) return by_graph(context, node, KnownResource::Pods, what);
  if (selected_field(what.field_selector, "spec.nodeName") == node) return node_allow();
  return node_no("can only list/watch pods with spec.nodeName field selector");
}

}  // namespace coracle::kube::apiserver
