#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/log.h"
#include "kube/apiserver/internal/authorization.h"
#include "kube/apiserver/internal/identity/rbac_index.h"
#include "kube/apiserver/internal/object_reader.h"

namespace coracle::kube::apiserver {

// Role-based access over the registry's caches. The index is made again when a role or binding has
// changed since; only changed objects are parsed. Thread-safe.
class RbacAuthorizer : public Authorizer {
 public:
  RbacAuthorizer(const ObjectReader& objects, Logger log) : objects_(objects), log_(std::move(log)) {}

  Decision authorize(const Context& context, const Identity& who, const Attributes& what) override;
  std::vector<PolicyRule> rules_for(const Context& context, const Identity& who, std::string_view ns,
                                    bool& incomplete) override;
  // The index of this moment.
  Result<std::shared_ptr<const RbacIndex>> index(const Context& context);

 private:
  static constexpr std::size_t kKinds = 4;
  using Revisions = std::array<store::Revision, kKinds>;

  template <class Compiled>
  struct Parsed {
    store::Revision revision = 0;
    Compiled compiled;
  };
  template <class Compiled>
  using ParsedMap = std::unordered_map<std::string, Parsed<Compiled>>;

  Result<Revisions> revisions(const Context& context) const;
  Result<std::shared_ptr<const RbacIndex>> rebuild(const Context& context);
  template <class Compiled, class Compile, class Take>
  Result<void> refresh(const Context& context, KnownResource resource, ParsedMap<Compiled>& parsed,
                       const Compile& compile, const Take& take);

  const ObjectReader& objects_;
  Logger log_;
  std::mutex mutex_;  // guards index_ and built_from_
  std::shared_ptr<const RbacIndex> index_;
  Revisions built_from_{};
  std::mutex parsed_mutex_;  // guards what is below, held by the one task that builds
  ParsedMap<CompiledRolePtr> cluster_roles_;
  ParsedMap<CompiledRolePtr> roles_;
  ParsedMap<CompiledBindingPtr> cluster_bindings_;
  ParsedMap<CompiledBindingPtr> bindings_;
};

}  // namespace coracle::kube::apiserver
