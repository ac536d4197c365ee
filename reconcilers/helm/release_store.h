#pragma once

#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "charts/release.h"
#include "kube/client/client.h"
#include "reconcilers/helm/release_plan.h"

namespace coracle::reconcilers {

// The label that carries the hash of what a release was made from.
inline constexpr std::string_view kConfigHashLabel = "helmcharts.helm.cattle.io/configHash";

// The records of one release, in Secrets or ConfigMaps as Helm's drivers of these names keep them.
class ReleaseStore {
 public:
  ReleaseStore(const kube::Client& client, ReleaseLocation location);

  const kube::ObjectKey& release() const { return location_.release; }
  // By rising revision; payloads are not read.
  Result<std::vector<ReleaseRecord>> history(const Context& context) const;
  Result<charts::Release> read(const Context& context, int revision) const;

  Result<void> create(const Context& context, const charts::Release& record) const;
  // Replaces the record of that revision. Conflict when another writer came in between.
  Result<void> update(const Context& context, const charts::Release& record) const;
  // Reads the record and writes it with another status.
  Result<void> set_status(const Context& context, int revision, std::string_view status,
                          std::string_view description) const;
  // Success also when it is not there.
  Result<void> remove(const Context& context, int revision) const;

 private:
  kube::ResourceRef resource() const;
  kube::ObjectKey key(int revision) const;
  Result<kube::Object> encode(const Context& context, const charts::Release& record, bool update) const;

  const kube::Client& client_;
  const ReleaseLocation location_;
};

}  // namespace coracle::reconcilers
