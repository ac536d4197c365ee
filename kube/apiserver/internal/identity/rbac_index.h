#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/context.h"
#include "kube/apiserver/internal/authorization.h"
#include "kube/object/object.h"

namespace coracle::kube::apiserver {

// The rules of one role, split by what they speak of. Immutable.
struct CompiledRole {
  std::vector<PolicyRule> all;  // as stored
  std::vector<PolicyRule> resource_rules;
  std::vector<PolicyRule> path_rules;
};
using CompiledRolePtr = std::shared_ptr<const CompiledRole>;
CompiledRolePtr compile_role(const Object& role);

struct RoleReference {
  std::string kind;
  std::string name;
};

struct BindingSubject {
  std::string kind;  // "User", "Group", "ServiceAccount"
  std::string namespace_;
  std::string name;
};

// A RoleBinding or ClusterRoleBinding (then without namespace).
struct CompiledBinding {
  std::string namespace_;
  std::string name;
  RoleReference role;
  std::vector<BindingSubject> subjects;
};
using CompiledBindingPtr = std::shared_ptr<const CompiledBinding>;
CompiledBindingPtr compile_binding(const Object& binding);

// All roles and bindings of one moment, found by who they speak of. Immutable once built; reading
// takes no lock. Deciding costs a few hash look-ups and the rules that are bound to the asker.
class RbacIndex {
 public:
  // Objects of the four kinds, in any order. Bindings whose role does not exist grant
  // nothing and are named in the reason of a refusal.
  struct Source {
    std::map<std::string, CompiledRolePtr, std::less<>> cluster_roles;     // by name
    std::map<std::pair<std::string, std::string>, CompiledRolePtr> roles;  // by namespace, name
    std::vector<CompiledBindingPtr> bindings;
  };
  explicit RbacIndex(Source source);

  Decision decide(const Identity& who, const Attributes& what) const;
  // Every rule that holds for someone cluster-wide, and in a namespace when one is given.
  std::vector<PolicyRule> rules_for(const Identity& who, std::string_view ns) const;
  // Nothing when the role does not exist.
  CompiledRolePtr find_role(const RoleReference& role, std::string_view ns) const;

 private:
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  struct Grant {
    CompiledBindingPtr binding;
    const BindingSubject* subject;  // in *binding
    CompiledRolePtr role;           // null: there is no such role
  };
  struct Scope {
    std::unordered_map<std::string, std::vector<Grant>, TextHash, std::equal_to<>> users;
    std::unordered_map<std::string, std::vector<Grant>, TextHash, std::equal_to<>> groups;
  };

  void add(const CompiledBindingPtr& binding);
  // Calls `visit` for each grant of the identity until it answers true.
  template <class Visit>
  static bool visit_grants(const Scope& scope, const Identity& who, const Visit& visit);

  Source source_;
  Scope cluster_;
  std::unordered_map<std::string, Scope, TextHash, std::equal_to<>> namespaces_;
};

}  // namespace coracle::kube::apiserver
