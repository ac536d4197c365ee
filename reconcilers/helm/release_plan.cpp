#include "reconcilers/helm/release_plan.h"

#include <algorithm>

#include "base/text.h"
#include "base/yaml/yaml.h"
#include "charts/release.h"
#include "charts/render.h"

namespace coracle::reconcilers {
namespace {

namespace status = charts::release_status;

constexpr std::string_view kManagedByLabel = "app.kubernetes.io/managed-by";
constexpr std::string_view kHelm = "Helm";
constexpr std::string_view kReleaseName = "meta.helm.sh/release-name";
constexpr std::string_view kReleaseNamespace = "meta.helm.sh/release-namespace";
constexpr std::string_view kResourcePolicy = "helm.sh/resource-policy";
constexpr std::string_view kKeep = "keep";
constexpr std::size_t kMaxManifestObjects = 100'000;

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

Result<void> open_lists(const Value& tree, std::vector<kube::Object>& objects) {
  if (tree["items"].is_array() && tree["kind"].as_string().ends_with("List")) {
    for (const Value& item : tree["items"].items()) TRY(open_lists(item, objects));
    return {};
  }
  const kube::Object object(tree);
  if (object.api_version().empty()) return bad_request("apiVersion not set");
  if (object.kind().empty()) return bad_request("kind not set");
  if (object.name().empty()) return bad_request("metadata.name of the " + std::string(object.kind()) + " not set");
  if (objects.size() >= kMaxManifestObjects) {
    return bad_request("more than " + std::to_string(kMaxManifestObjects) + " objects in one release");
  }
  objects.push_back(object);
  return {};
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
  std::vector<kube::Object> objects;
  if (manifest.empty()) return objects;
  // Helm takes the last of repeated keys, so that charts with such slips install.
  ASSIGN_OR_RETURN(const std::vector<yaml::Document> documents, yaml::read_all(manifest, {.strict = false}));
  for (const yaml::Document& document : documents) {
    if (document.value.is_null()) continue;
    if (Result<void> opened = open_lists(document.value, objects); !opened.ok()) {
      return opened.error().in("unable to build kubernetes objects: manifest line " + std::to_string(document.line));
    }
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
