#pragma once

#include <memory>
#include <string>

#include "base/context.h"
#include "base/log.h"
#include "base/result.h"
#include "charts/chart.h"
#include "charts/render.h"
#include "kube/client/client.h"
#include "kube/client/discovery.h"
#include "reconcilers/helm/release_hooks.h"
#include "reconcilers/helm/release_objects.h"
#include "reconcilers/helm/release_store.h"

namespace coracle::reconcilers {

// A revision that is to be made.
struct ReleaseRequest {
  const HelmSpec& spec;
  const charts::Chart& chart;
  Value values;  // the user's
  std::string config_hash;
  int revision = 1;
  bool is_upgrade = false;
  ChartTurns::Turn& turn;
};

// Helm's install, upgrade and uninstall in this process. Calls block: make them from Blocking tasks.
// Thread-safe for different releases; one release belongs to one caller at a time.
class ReleaseOperations {
 public:
  ReleaseOperations(const kube::Client& client, kube::RestMapper& mapper, const Logger& log);

  // Renders, writes the record, brings the objects in and removes what left the chart. A failure that
  // comes after the record is kept in it, and nothing that stood before is removed. Where the context has ended, or the
  // turn is outdated (Canceled), the record stays pending.
  Result<void> deploy(const Context& context, const ReleaseStore& store, const ReleaseRequest& request) const;

  // Marks every other record that counts as deployed as superseded by `revision`.
  Result<void> supersede_others(const Context& context, const ReleaseStore& store, int revision) const;

  struct UninstallOptions {
    Duration timeout;
    bool run_hooks = true;
    bool wait = true;
    ChartTurns::Turn& turn;
  };
  // Removes the objects, then the records. A failed hook is logged and does not hold it up; an outdated turn does, with
  // Canceled.
  Result<void> uninstall(const Context& context, const ReleaseStore& store, const UninstallOptions& options) const;

 private:
  struct Standing;
  struct Attempt;
  Result<Standing> standing(const Context& context, const ReleaseStore& store) const;
  Result<charts::Capabilities> capabilities(const Context& context) const;
  Result<charts::Rendering> render(const Context& context, const ReleaseRequest& request) const;
  Result<Value> look_up(const Context& context, const std::string& api_version, const std::string& kind,
                        const std::string& ns, const std::string& name) const;
  Result<void> carry_out(const Context& context, const ReleaseRequest& request, Attempt& attempt) const;
  Result<void> fail_interrupted(const Context& context, const ReleaseStore& store, int revision) const;
  Result<void> shorten_history(const Context& context, const ReleaseStore& store) const;
  Result<void> finish_uninstall(const Context& context, const ReleaseStore& store, const UninstallOptions& options,
                                charts::Release& last, const kube::Inventory& left) const;

  const kube::Client& client_;
  kube::RestMapper& mapper_;
  const Logger log_;
  const ReleaseApplier applier_;
};

}  // namespace coracle::reconcilers
