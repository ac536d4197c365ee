#include "reconcilers/helm/release_plan.h"

#include <algorithm>

#include "base/text.h"
#include "charts/release.h"
#include "charts/render.h"
#include "kube/apply/manifest.h"

namespace coracle::reconcilers {
namespace {

namespace status = charts::release_status;

constexpr std::string_view kManagedByLabel = "app.kubernetes.io/managed-by";
constexpr std::string_view kHelm = "Helm";
constexpr std::string_view kReleaseName = "meta.helm.sh/release-name";
constexpr std::string_view kReleaseNamespace = "meta.helm.sh/release-namespace";
constexpr std::string_view kResourcePolicy = "helm.sh/resource-policy";
constexpr std::string_view kKeep = "keep";

ReleasePlan::Action after_failure(FailurePolicy policy, bool same_config) {
  switch (policy) {
    case FailurePolicy::Reinstall:
      return ReleasePlan::Action::Reinstall;
    case FailurePolicy::Abort:
      return same_config ? ReleasePlan::Action::StayFailed : ReleasePlan::Action::Upgrade;
    case FailurePolicy::Retry:
      break;
  }
  return ReleasePlan::Action::Upgrade;
}

// `what` is "label" or "annotation".
void check_mark(std::vector<std::string>& problems, std::string_view what, const Value& marks, std::string_view key,
                std::string_view wanted) {
  const std::string named = std::string(what) + " validation error: ";
  const std::string quoted = "\"" + std::string(wanted) + "\"";
  if (!marks.contains(key)) {
    problems.push_back(named + "missing key \"" + std::string(key) + "\": must be set to " + quoted);
  } else if (marks[key].as_string() != wanted) {
    problems.push_back(named + "key \"" + std::string(key) + "\" must equal " + quoted + ": current value is \"" +
                       std::string(marks[key].as_string()) + "\"");
  }
}

}  // namespace

bool is_interrupted(std::string_view state) {
  return state == status::kPendingInstall || state == status::kPendingUpgrade || state == status::kPendingRollback ||
         state == status::kUninstalling;
}

ReleasePlan plan_release(const std::vector<ReleaseRecord>& history, std::string_view hash, FailurePolicy policy) {
  ReleasePlan plan;
  if (history.empty()) {
    plan.action = ReleasePlan::Action::Install;
    return plan;
  }
  const ReleaseRecord& last = history.back();
  const bool same_config = last.config_hash == hash;
  plan.revision = last.revision + 1;
  if (last.status == status::kUninstalled) {
    plan.action = ReleasePlan::Action::Install;
  } else if (last.status == status::kDeployed) {
    plan.action = same_config ? ReleasePlan::Action::Nothing : ReleasePlan::Action::Upgrade;
    plan.supersede_others = std::any_of(history.begin(), history.end() - 1,
                                        [](const ReleaseRecord& record) { return record.status == status::kDeployed; });
  } else if (last.status == status::kSuperseded || last.status == status::kPendingUpgrade) {
    plan.action = ReleasePlan::Action::Upgrade;
  } else {
    // An attempt that was cut short tells nothing about its configuration: abort does not apply.
    plan.action = after_failure(policy, same_config && !is_interrupted(last.status));
  }
  return plan;
}

std::vector<std::size_t> standing_records(const std::vector<ReleaseRecord>& history) {
  std::size_t first = history.size();
  for (std::size_t i = history.size(); i-- > 0;) {
    if (history[i].status == status::kUninstalled) break;
    first = i;
    if (history[i].status == status::kDeployed) break;
  }
  std::vector<std::size_t> standing;
  for (std::size_t i = first; i < history.size(); ++i) standing.push_back(i);
  return standing;
}

std::vector<int> records_to_prune(const std::vector<ReleaseRecord>& history, std::size_t kept) {
  const auto deployed = std::find_if(history.rbegin(), history.rend(),
                                     [](const ReleaseRecord& record) { return record.status == status::kDeployed; });
  std::vector<int> revisions;
  for (std::size_t i = 0; i + kept < history.size(); ++i) {
    if (deployed == history.rend() || history[i].revision != deployed->revision) {
      revisions.push_back(history[i].revision);
    }
  }
  return revisions;
}

Result<std::vector<kube::Object>> manifest_objects(std::string_view manifest) {
  constexpr std::string_view kWhat = "unable to build kubernetes objects";
  // Helm takes the last of repeated keys, so that charts with such slips install.
  Result<std::vector<kube::Object>> objects = kube::parse_manifest(manifest, {.strict = false});
  if (!objects.ok()) return objects.error().in(kWhat);
  for (const kube::Object& object : *objects) {
    if (!object.name().empty()) continue;
    // One that gets a new name each time would be another one after each upgrade.
    return bad_request("metadata.name: expected a name for the " + std::string(object.kind()) +
                       ", as a release cannot keep what metadata.generateName names")
        .in(kWhat);
  }
  return objects;
}

kube::Inventory objects_that_left(const std::vector<kube::Object>& before, const std::vector<kube::Object>& now) {
  const auto inventory = [](const std::vector<kube::Object>& objects) {
    kube::Inventory entries;
    for (const kube::Object& object : objects) entries.push_back(kube::InventoryEntry::of(object));
    return entries;
  };
  kube::Inventory left = kube::inventory_difference(inventory(before), inventory(now));
  std::stable_sort(left.begin(), left.end(), [](const kube::InventoryEntry& a, const kube::InventoryEntry& b) {
    return charts::uninstall_order(a.kind) > charts::uninstall_order(b.kind);
  });
  return left;
}

kube::Object owned_by_release(const kube::Object& object, const kube::ObjectKey& release) {
  return object.with_label(kManagedByLabel, kHelm)
      .with_annotation(kReleaseName, release.name)
      .with_annotation(kReleaseNamespace, release.namespace_);
}

std::optional<std::string> ownership_problem(const kube::Object& object, const kube::ObjectKey& release) {
  std::vector<std::string> problems;
  check_mark(problems, "label", object.metadata()["labels"], kManagedByLabel, kHelm);
  check_mark(problems, "annotation", object.metadata()["annotations"], kReleaseName, release.name);
  check_mark(problems, "annotation", object.metadata()["annotations"], kReleaseNamespace, release.namespace_);
  if (problems.empty()) return std::nullopt;
  std::string text = "invalid ownership metadata";
  for (const std::string& problem : problems) text += "; " + problem;
  return text;
}

bool is_kept(const kube::Object& object) {
  return to_lower(trim(object.annotation(kResourcePolicy))) == kKeep;
}

}  // namespace coracle::reconcilers
