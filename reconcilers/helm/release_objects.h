#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/log.h"
#include "base/result.h"
#include "charts/render.h"
#include "kube/apply/applier.h"
#include "kube/client/client.h"
#include "kube/client/discovery.h"
#include "reconcilers/helm/release_plan.h"

namespace coracle::reconcilers {

inline constexpr std::string_view kHelmFieldManager = "helm";

// An object of a release with the resource that serves it; its namespace is filled in.
struct ReleaseObject {
  kube::ResourceRef resource;
  kube::Object object;
};
using ReleaseObjects = std::vector<ReleaseObject>;

std::vector<kube::Object> plain_objects(const ReleaseObjects& objects);

// How objects of a release are written.
struct WriteMode {
  bool server_side = true;
  bool force_conflicts = false;
  // The revision before was applied on the client's side: its fields become those of the applier.
  bool take_over_fields = false;
};

// Brings a release's objects into the cluster and out of it, as Helm does. Calls block. Thread-safe.
class ReleaseApplier {
 public:
  ReleaseApplier(const kube::Client& client, kube::RestMapper& mapper, const Logger& log);

  // The objects of a manifest in its order. An unknown kind is an error. Of what was applied in the past
  // (`forgive_unknown`) the version need not be served any more; an object of a kind that is gone is left out.
  Result<ReleaseObjects> place(const Context& context, std::string_view manifest, std::string_view release_namespace,
                               bool forgive_unknown) const;

  // Fails when an object that is not in `before` exists and belongs to somebody else. `operation` is
  // Helm's word ("install", "update").
  Result<void> check_ownership(const Context& context, const kube::ObjectKey& release, const ReleaseObjects& objects,
                               const ReleaseObjects& before, std::string_view operation) const;

  // Applies in order. `before` holds the objects of the revision before.
  Result<void> apply(const Context& context, const kube::ObjectKey& release, const ReleaseObjects& objects,
                     const ReleaseObjects& before, const WriteMode& mode) const;
  // One object as it is, without marks of ownership (a hook's, a namespace).
  Result<void> apply_one(const Context& context, const ReleaseObject& desired, const Value& before,
                         const WriteMode& mode) const;

  // Deletes what the release owns, in Helm's order; what is to be kept stays.
  Result<void> remove(const Context& context, const kube::ObjectKey& release, const kube::Inventory& left) const;
  Result<void> wait_until_gone(const Context& context, const kube::ObjectKey& release,
                               const kube::Inventory& left) const;

  // Creates those definitions that do not exist, and waits until they are served.
  Result<void> create_definitions(const Context& context, const std::vector<charts::Manifest>& definitions) const;
  Result<void> ensure_namespace(const Context& context, std::string_view name) const;

  // The live object, or nothing.
  Result<std::optional<kube::Object>> live(const Context& context, const ReleaseObject& object) const;
  Result<void> start_deletion(const Context& context, const ReleaseObject& object) const;
  Result<void> wait_until_deleted(const Context& context, const ReleaseObject& object) const;

 private:
  Result<void> apply_on_client_side(const Context& context, const ReleaseObject& desired, const Value& before) const;
  Result<void> wait_for_definition(const Context& context, const ReleaseObject& definition) const;

  const kube::Client& client_;
  kube::RestMapper& mapper_;
  const kube::Applier applier_;
};

}  // namespace coracle::reconcilers
