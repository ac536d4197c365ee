#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "kube/apiserver/internal/authorization.h"
#include "kube/apiserver/internal/identity/authorization_node_graph.h"

namespace coracle::kube::apiserver {

// The node's name for users "system:node:<name>" of group system:nodes; `is_node` tells them apart.
// The name may be empty ("system:node:").
struct NodeIdentity {
  bool is_node = false;
  std::string name;
};
NodeIdentity node_identity(const Identity& who);

// The value that a field selector demands of a field ("spec.nodeName=n1"); empty when it does not.
std::string selected_field(std::string_view selector, std::string_view field);

// Lets a kubelet touch what it needs: its own node, leases and pods, and what its pods refer to.
class NodeAuthorizer : public Authorizer {
 public:
  NodeAuthorizer(const ObjectReader& objects, Logger log);

  Decision authorize(const Context& context, const Identity& who, const Attributes& what) override;
  std::vector<PolicyRule> rules_for(const Context& context, const Identity& who, std::string_view ns,
                                    bool& incomplete) override;

 private:
  Decision by_rules(const Attributes& what) const;
  Decision by_graph(const Context& context, const std::string& node, KnownResource resource, const Attributes& what);
  Decision read_namespaced(const Context& context, const std::string& node, KnownResource resource,
                           const Attributes& what);
  Decision get_one(const Context& context, const std::string& node, KnownResource resource, const Attributes& what);
  Decision claim_status(const Context& context, const std::string& node, const Attributes& what);
  Decision service_account(const Context& context, const std::string& node, const Attributes& what);
  Decision lease(const std::string& node, const Attributes& what) const;
  Decision csi_node(const std::string& node, const Attributes& what) const;
  Decision resource_slice(const Context& context, const std::string& node, const Attributes& what);
  Decision own_node(const std::string& node, const Attributes& what) const;
  Decision pod(const Context& context, const std::string& node, const Attributes& what);

  NodeGraph graph_;
  Logger log_;
  std::vector<PolicyRule> rules_;
};

}  // namespace coracle::kube::apiserver
