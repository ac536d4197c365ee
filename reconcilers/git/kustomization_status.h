#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "kube/apply/inventory.h"
#include "kube/object/object.h"
#include "reconcilers/git/flux_status.h"

// What a Kustomization's status says after an attempt. Pure.
namespace coracle::reconcilers {

// What the health checks of an attempt found, as the condition Healthy tells it.
struct HealthVerdict {
  bool asked = false;  // there is something to check; the condition is there only then
  std::string status = {};
  std::string reason = {};
  std::string message = {};
};

// An attempt that got as far as having manifests to apply, as status.history tells of it.
struct Snapshot {
  std::string digest;  // of the manifests
  Duration took{};
};

// An attempt that ended, or that waits.
struct Attempt {
  FluxOutcome outcome = {};
  std::optional<Duration> again_after = {};  // nothing: spec.retryInterval, else spec.interval
  std::optional<kube::Inventory> inventory = {};
  std::string revision = {};
  bool applied = false;                      // outcome is that of `revision`
  std::optional<HealthVerdict> health = {};  // nothing: the attempt did not get there, and the condition stays
  std::optional<Snapshot> snapshot = {};
  std::vector<std::string> deeds = {};  // what it did, a text for each event
  bool quiet = false;                   // the failure is only that something is not there yet, and no event tells of it
};

Value plan_kustomization_status(const kube::Object& kustomization, const Attempt& attempt, WallTime now);

// The newest five of what was reconciled, latest first. Manifests that end with the same reason again are counted in
// the entry that they have.
Value plan_history(const Value& history, const Snapshot& snapshot, const std::string& revision,
                   const std::string& reason, WallTime now);

// "sha256:<hex>", the same for the same objects in the same order.
std::string digest_of(const std::vector<kube::Object>& objects);

}  // namespace coracle::reconcilers
