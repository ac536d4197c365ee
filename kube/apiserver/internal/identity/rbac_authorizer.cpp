#include "kube/apiserver/internal/identity/rbac_authorizer.h"

#include <array>

namespace coracle::kube::apiserver {
namespace {

constexpr std::array<KnownResource, 4> kRbacKinds = {KnownResource::ClusterRoles, KnownResource::ClusterRoleBindings,
                                                     KnownResource::Roles, KnownResource::RoleBindings};

}  // namespace

Decision RbacAuthorizer::authorize(const Context& context, const Identity& who, const Attributes& what) {
  Result<std::shared_ptr<const RbacIndex>> current = index(context);
  if (!current.ok()) {
    log_.warning("roles and bindings cannot be read", {{"error", current.error()}});
    return {Decision::Outcome::NoOpinion, "RBAC: " + current.error().message()};
  }
  return (*current)->decide(who, what);
}

std::vector<PolicyRule> RbacAuthorizer::rules_for(const Context& context, const Identity& who, std::string_view ns,
                                                  bool& incomplete) {
  Result<std::shared_ptr<const RbacIndex>> current = index(context);
  if (!current.ok()) {
    incomplete = true;
    return {};
  }
  return (*current)->rules_for(who, ns);
}

Result<RbacAuthorizer::Revisions> RbacAuthorizer::revisions(const Context& context) const {
  Revisions revisions{};
  for (std::size_t i = 0; i < kKinds; ++i) {
    ASSIGN_OR_RETURN(revisions[i], objects_.last_change(context, kRbacKinds[i]));
  }
  return revisions;
}

Result<std::shared_ptr<const RbacIndex>> RbacAuthorizer::index(const Context& context) {
  ASSIGN_OR_RETURN(Revisions now, revisions(context));
  {
    std::lock_guard lock(mutex_);
    if (index_ != nullptr && built_from_ == now) return index_;
  }
  // Read before the objects: what is listed is never older than the revisions it is filed under.
  ASSIGN_OR_RETURN(std::shared_ptr<const RbacIndex> fresh, rebuild(context));
  std::lock_guard lock(mutex_);
  index_ = fresh;
  built_from_ = now;
  return fresh;
}

template <class Compiled, class Compile, class Take>
Result<void> RbacAuthorizer::refresh(const Context& context, KnownResource resource, ParsedMap<Compiled>& parsed,
                                     const Compile& compile, const Take& take) {
  ASSIGN_OR_RETURN(std::vector<StoredObjectPtr> stored, objects_.list_stored(context, resource, {}));
  ParsedMap<Compiled> known;
  std::lock_guard lock(parsed_mutex_);
  for (const StoredObjectPtr& one : stored) {
    std::string place = std::string(one->namespace_()) + "/" + std::string(one->name());
    auto old = parsed.find(place);
    Parsed<Compiled> entry;
    if (old != parsed.end() && old->second.revision == one->revision()) {
      entry = old->second;
    } else {
      ASSIGN_OR_RETURN(Object object, one->object());
      entry = {one->revision(), compile(object)};
    }
    take(*one, entry.compiled);
    known.emplace(std::move(place), std::move(entry));
  }
  parsed.swap(known);
  return {};
}

Result<std::shared_ptr<const RbacIndex>> RbacAuthorizer::rebuild(const Context& context) {
  RbacIndex::Source source;
  auto take_binding = [&](const StoredObject&, const CompiledBindingPtr& binding) {
    source.bindings.push_back(binding);
  };
  TRY(refresh(context, KnownResource::ClusterRoles, cluster_roles_, compile_role,
              [&](const StoredObject& stored, const CompiledRolePtr& role) {
                source.cluster_roles.emplace(stored.name(), role);
              }));
  TRY(refresh(context, KnownResource::Roles, roles_, compile_role,
              [&](const StoredObject& stored, const CompiledRolePtr& role) {
                source.roles.emplace(std::pair(stored.namespace_(), stored.name()), role);
              }));
  TRY(refresh(context, KnownResource::ClusterRoleBindings, cluster_bindings_, compile_binding, take_binding));
  TRY(refresh(context, KnownResource::RoleBindings, bindings_, compile_binding, take_binding));
  return std::make_shared<const RbacIndex>(std::move(source));
}

}  // namespace coracle::kube::apiserver
