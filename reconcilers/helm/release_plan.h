#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kube/apply/inventory.h"
#include "kube/object/object.h"
#include "reconcilers/helm/chart_spec.h"

// Decisions about releases, without a cluster. https://helm.sh/docs/
namespace coracle::reconcilers {

// Records of one release that are kept; the one that is deployed is kept besides.
inline constexpr std::size_t kReleaseHistory = 10;

// What a release record's labels tell.
struct ReleaseRecord {
  int revision = 0;
  std::string status;
  std::string config_hash;
};

struct ReleasePlan {
  enum class Action : std::uint8_t {
    Nothing,
    Install,
    Upgrade,
    Reinstall,   // uninstall, then install
    StayFailed,  // failurePolicy abort: a person decides
  };
  Action action = Action::Nothing;
  int revision = 1;  // of the record that the action writes
  // A crash came before the record that the newest one replaces was marked so.
  bool supersede_others = false;
};

// Whether a record of that status is of an operation that was under way. Found by whoever is to begin another one, it
// was cut short: by a crash, or because what was wanted has changed.
bool is_interrupted(std::string_view status);

// `history` by rising revision. A release that failed is tried again as the policy says; a changed hash
// is a new attempt under every policy.
ReleasePlan plan_release(const std::vector<ReleaseRecord>& history, std::string_view hash, FailurePolicy policy);

// Positions in `history` whose objects may exist: the newest deployed one and every later attempt.
std::vector<std::size_t> standing_records(const std::vector<ReleaseRecord>& history);

// Revisions to delete so that `kept` remain.
std::vector<int> records_to_prune(const std::vector<ReleaseRecord>& history, std::size_t kept);

// The objects of a manifest as a record keeps it, in its order, lists opened; each has a name. The error names the
// document.
Result<std::vector<kube::Object>> manifest_objects(std::string_view manifest);

// What is in `before` but no longer in `now`, whatever its version, in the order that the applier's
// pruning, which goes backwards, turns into Helm's order of uninstalling.
kube::Inventory objects_that_left(const std::vector<kube::Object>& before, const std::vector<kube::Object>& now);

// Marks an object as part of a release, as Helm does.
kube::Object owned_by_release(const kube::Object& object, const kube::ObjectKey& release);
// Why the object does not belong to the release, in Helm's words; nothing when it does.
std::optional<std::string> ownership_problem(const kube::Object& object, const kube::ObjectKey& release);
// helm.sh/resource-policy: keep, in any case and with blanks around it, as Helm reads it.
bool is_kept(const kube::Object& object);

}  // namespace coracle::reconcilers
