#include "reconcilers/git/kustomization_controller.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "base/not_found.h"
#include "base/text.h"
#include "kube/apply/applier.h"
#include "kube/apply/health.h"
#include "kube/apply/manifest.h"
#include "kube/client/resources.h"
#include "kube/controller/event_recorder.h"
#include "kube/controller/identity.h"
#include "kube/object/conditions.h"
#include "reconcilers/git/flux_status.h"
#include "reconcilers/git/kustomization_plan.h"
#include "reconcilers/git/kustomization_status.h"
#include "reconcilers/git/source_plan.h"

namespace coracle::reconcilers {
namespace {

constexpr std::string_view kKustomizeManager = "kustomize-controller";
// Of what the controller writes on the Kustomization itself.
constexpr std::string_view kOwnManager = "gotk-kustomize-controller";
constexpr Duration kDefaultApplyInterval = std::chrono::minutes(5);
constexpr Duration kShortestTimeout = std::chrono::seconds(30);
constexpr Duration kHealthPoll = std::chrono::seconds(1);
// Dependencies wake their dependents; this only repairs.
constexpr Duration kDependencyPoll = std::chrono::seconds(30);

class KustomizationReconciler : public kube::Reconciler {
 public:
  KustomizationReconciler(const kube::ControllerDeps& deps, const kube::Store& kustomizations,
                          const kube::Store& repositories, GitMirror& mirror)
      : client_(deps.client),
        mapper_(deps.mapper),
        kustomizations_(kustomizations),
        repositories_(repositories),
        mirror_(mirror),
        log_(deps.log.named(std::string(kKustomizeManager))),
        applier_(deps.client, deps.mapper, log_),
        events_(deps.client, std::string(kKustomizeManager), log_) {}

  Result<kube::Done> reconcile(const Context& context, const kube::ObjectKey& key) override {
    // The inventory decides what is deleted, so it is read where it is written.
    ASSIGN_OR_RETURN(const std::optional<kube::Object> live,
                     if_there(client_.get(context, kube::resources::kustomizations(), key)));
    if (!live) return forget(key);
    const kube::Object& kustomization = *live;
    if (kustomization.deleting()) return finish(context, kustomization);
    TRY(set_flux_finalizer(context, client_, kube::resources::kustomizations(), kustomization, true, kOwnManager));
    if (kustomization["spec"]["suspend"].as_bool()) {
      TRY(write_flux_status(context, client_, kube::resources::kustomizations(), kustomization,
                            plan_suspended_status(kustomization), kOwnManager));
      return forget(key);
    }

    const Attempt attempt = try_to_apply(context, kustomization);
    TRY(report(context, kustomization, attempt));
    if (attempt.again_after || attempt.outcome.kind == FluxOutcome::Kind::Stalled)
      return kube::Done{attempt.again_after};
    return kube::Done{spec_interval(kustomization, "retryInterval", interval(kustomization))};
  }

 private:
  // What is being applied, and since when; kept while it waits for health.
  struct Waiting {
    std::string revision;
    std::int64_t generation = 0;
    std::string request;
    MonotonicTime began;
    std::string digest = {};
    MonotonicTime since = {};  // of the wait for health
    kube::Inventory applied = {};
    kube::Inventory managed = {};    // of these, what is not left alone
    kube::Inventory vanishing = {};  // Jobs that are not there any more when they are done
    std::vector<std::string> deeds = {};
    bool told = false;  // the events of `deeds` are written
  };

  static Duration interval(const kube::Object& kustomization) {
    return spec_interval(kustomization, "interval", kDefaultApplyInterval);
  }

  static Duration timeout(const kube::Object& kustomization) {
    return std::max(kShortestTimeout,
                    spec_duration(kustomization, "timeout", interval(kustomization) - kShortestTimeout));
  }

  static Attempt failed(std::string_view reason, const std::string& message, std::string revision = {}) {
    Attempt attempt;
    attempt.outcome = {FluxOutcome::Kind::Failed, std::string(reason), message};
    attempt.revision = std::move(revision);
    return attempt;
  }

  // Impersonates spec.serviceAccountName; without one the reconciler may do everything, as Flux's does.
  static Context acting_as(const Context& context, const kube::Object& kustomization) {
    const std::string_view account = kustomization["spec"]["serviceAccountName"].as_string();
    return account.empty() ? context : kube::as_service_account(context, kustomization.namespace_(), account);
  }

  Attempt try_to_apply(const Context& context, const kube::Object& kustomization) {
    if (const std::optional<std::string> field = unsupported_kustomization_field(kustomization)) {
      Attempt attempt;
      attempt.outcome = {FluxOutcome::Kind::Stalled, "BuildFailed", *field};
      return attempt;
    }
    const kube::ObjectKey source = source_key(kustomization);
    const std::optional<kube::Object> repository = repositories_.get(source);
    if (!repository) {
      Attempt attempt =
          failed("ArtifactFailed", "GitRepository.source.toolkit.fluxcd.io \"" + source.name + "\" not found");
      attempt.quiet = true;
      return attempt;
    }
    const std::string revision((*repository)["status"]["artifact"]["revision"].as_string());
    if (revision.empty()) {
      Attempt attempt =
          failed("ArtifactFailed", "Source artifact not found, retrying in " + format_duration(kDependencyPoll));
      attempt.again_after = kDependencyPoll;
      attempt.quiet = true;
      return attempt;
    }
    const auto find = [this](const kube::ObjectKey& key) { return kustomizations_.get(key); };
    if (const std::optional<std::string> dependency = unready_dependency(kustomization, revision, find)) {
      Attempt attempt = failed("DependencyNotReady", *dependency, revision);
      attempt.again_after = kDependencyPoll;
      return attempt;
    }
    if (std::optional<Waiting> waiting = still_waiting(kustomization, revision)) {
      return judge_health(context, kustomization, *waiting);
    }
    return apply(context, kustomization, *repository, revision);
  }

  Result<std::vector<kube::Object>> build(const Context& context, const kube::Object& kustomization,
                                          const kube::Object& repository, const std::string& revision) {
    const std::string commit = commit_of_revision(revision);
    ASSIGN_OR_RETURN(const std::string directory, source_directory(kustomization["spec"]["path"].as_string()));
    const std::string mirror = mirror_name(repository.key());
    ASSIGN_OR_RETURN(const std::vector<GitFile> ignore_files,
                     mirror_.find_files(context, mirror, commit, std::string(kIgnoreFile)));
    const auto wanted = [in_artifact = artifact_filter(repository, ignore_files)](std::string_view path) {
      return is_build_file(path) && in_artifact(path);
    };
    ASSIGN_OR_RETURN(const std::vector<GitFile> files, mirror_.read_files(context, mirror, commit, directory, wanted));
    ASSIGN_OR_RETURN(std::vector<kube::Object> objects, build_manifests(files));
    return prepare_objects(kustomization, std::move(objects), [this, &context](const kube::GroupVersionKind& gvk) {
      const Result<kube::DiscoveredResource> resource = mapper_.find(context, gvk);
      return !resource.ok() || resource->ref.namespaced;
    });
  }

  Attempt apply(const Context& context, const kube::Object& kustomization, const kube::Object& repository,
                const std::string& revision) {
    Waiting round{revision, kustomization.generation(), std::string(kustomization.annotation(kReconcileRequest)),
                  context.clock().monotonic()};
    Result<std::vector<kube::Object>> objects = build(context, kustomization, repository, revision);
    if (!objects.ok()) {
      const bool path = objects.error().reason() == Reason::NotFound;
      return path ? failed("ArtifactFailed", "kustomization path not found: " + objects.error().message(), revision)
                  : failed("BuildFailed", objects.error().message(), revision);
    }
    round.digest = digest_of(*objects);
    round.vanishing = vanishing_jobs(*objects);
    Result<kube::Inventory> before = kube::read_inventory(kustomization["status"]["inventory"]);
    if (!before.ok()) return ended(context, round, failed("ReconciliationFailed", before.error().message(), revision));
    if (const std::optional<std::string> doubt = unconfirmed_prune(kustomization, revision, *objects, *before)) {
      return ended(context, round, failed("PruneFailed", *doubt, revision));
    }
    if (Result<void> noted = note_intention(context, kustomization, *objects, *before); !noted.ok()) {
      return ended(context, round, failed("ReconciliationFailed", noted.error().message(), revision));
    }
    const Context actor = acting_as(context, kustomization).with_timeout(timeout(kustomization));
    kube::ApplyOptions options;
    options.field_manager = kKustomizeManager;
    options.take_over_managers = {"kubectl", "before-first-apply"};
    options.force = [all = kustomization["spec"]["force"].as_bool()](const auto& desired, const auto* live) {
      return all || may_recreate(desired, live);
    };
    options.leave_managers = leaves_managers;
    options.skip = is_left_alone;
    options.adapt = [&kustomization](const auto& desired, const auto* live) {
      return with_namespace_kept(kustomization, desired, live);
    };
    std::vector<kube::Applied> applied;
    const Result<void> done = applier_.apply_all(actor, std::move(*objects), options, applied);

    std::vector<std::string> changes;
    for (const kube::Applied& item : applied) {
      round.applied.push_back(item.entry);
      if (item.action != kube::ApplyAction::Skipped) round.managed.push_back(item.entry);
      const bool changed = item.action == kube::ApplyAction::Created || item.action == kube::ApplyAction::Configured;
      if (changed) changes.push_back(kube::applied_text(item));
    }
    if (!changes.empty()) round.deeds.push_back(join(changes, "\n"));
    if (!done.ok()) {
      Attempt attempt = failed("ReconciliationFailed", done.error().message(), revision);
      attempt.inventory = std::move(*before);
      return ended(context, round, std::move(attempt));
    }
    return prune_and_judge(actor, kustomization, *before, std::move(round));
  }

  // Before anything is made, the inventory names it: what happens to this process or its next write of status, nothing
  // is forgotten that would have to be pruned. `inventory` becomes what it then says.
  Result<void> note_intention(const Context& context, const kube::Object& kustomization,
                              const std::vector<kube::Object>& objects, kube::Inventory& inventory) {
    kube::Inventory wanted;
    for (const kube::Object& object : objects) {
      const Result<kube::DiscoveredResource> resource = mapper_.find(context, object.gvk());
      // Applying will refuse it.
      if (resource.ok() && resource->ref.namespaced && object.namespace_().empty()) continue;
      // A kind that this very set defines is not known yet; such an object says itself where it stands.
      wanted.push_back(
          kube::InventoryEntry::of(resource.ok() ? kube::placed_for_apply(object, resource->ref.namespaced) : object));
    }
    kube::Inventory whole = joined(wanted, kube::inventory_difference(inventory, wanted));
    if (whole.size() == inventory.size()) return {};
    TRY(write_flux_status(context, client_, kube::resources::kustomizations(), kustomization,
                          kustomization["status"].with("inventory", kube::inventory_value(whole)), kOwnManager));
    inventory = std::move(whole);
    return {};
  }

  static kube::Inventory joined(kube::Inventory first, const kube::Inventory& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
  }

  // An attempt that had manifests to apply gets into the history.
  static Attempt ended(const Context& context, const Waiting& round, Attempt attempt) {
    attempt.snapshot = Snapshot{round.digest, context.clock().monotonic() - round.began};
    if (!round.told) attempt.deeds.insert(attempt.deeds.begin(), round.deeds.begin(), round.deeds.end());
    return attempt;
  }

  Attempt prune_and_judge(const Context& actor, const kube::Object& kustomization, const kube::Inventory& before,
                          Waiting round) {
    const kube::Inventory stale = kube::inventory_difference(before, round.applied);
    kube::Inventory kept;
    if (kustomization["spec"]["prune"].as_bool()) {
      std::optional<Error> error;
      std::vector<kube::Applied> deleted;
      kept = prune(actor, kustomization, stale, error, deleted);
      if (!deleted.empty()) round.deeds.push_back(deletion_text(deleted));
      if (error) {
        Attempt attempt = failed("PruneFailed", error->message(), round.revision);
        attempt.inventory = joined(round.applied, kept);
        return ended(actor, round, std::move(attempt));
      }
    }
    round.since = actor.clock().monotonic();
    return judge_health(actor, kustomization, round);
  }

  static std::string deletion_text(const std::vector<kube::Applied>& deleted) {
    std::vector<std::string> lines;
    for (const kube::Applied& item : deleted) lines.push_back(kube::applied_text(item));
    return join(lines, "\n");
  }

  kube::Inventory prune(const Context& context, const kube::Object& kustomization, const kube::Inventory& stale,
                        std::optional<Error>& error, std::vector<kube::Applied>& deleted) {
    kube::Applier::PruneOptions options;
    // What is on its way out already is not told of again.
    options.owned = [&kustomization](const kube::Object& live) {
      return may_prune(kustomization, live) && !live.deleting();
    };
    kube::Inventory kept = applier_.prune(context, stale, options, error, deleted);
    for (const kube::Applied& item : deleted) log_.info("pruned an object", {{"object", item.entry.id()}});
    return kept;
  }

  std::optional<Waiting> still_waiting(const kube::Object& kustomization, const std::string& revision) {
    const std::lock_guard lock(mutex_);
    const auto found = waiting_.find(kustomization.key());
    if (found == waiting_.end()) return std::nullopt;
    const Waiting& waiting = found->second;
    const bool same = waiting.revision == revision && waiting.generation == kustomization.generation() &&
                      waiting.request == kustomization.annotation(kReconcileRequest);
    if (same) return waiting;
    waiting_.erase(found);
    return std::nullopt;
  }

  // What is not as it should be of what is checked, and whether it will never be.
  struct Findings {
    std::vector<std::string> unready = {};
    std::vector<std::string> failed = {};
  };

  Result<Findings> look_at(const Context& context, const kube::Inventory& targets, const kube::Inventory& vanishing) {
    Findings findings;
    for (const kube::InventoryEntry& target : targets) {
      ASSIGN_OR_RETURN(const std::optional<kube::Object> object, applier_.live(context, target));
      std::string text = target.subject() + " status: ";
      if (!object) {
        const bool done = std::find(vanishing.begin(), vanishing.end(), target) != vanishing.end();
        if (!done) findings.unready.push_back(text + "'NotFound'");
        continue;
      }
      const kube::Health health = kube::health_of(*object, context.clock().wall());
      if (health.state == kube::Health::State::Current) continue;
      text += "'" + std::string(kube::health_text(health.state)) + "': " + health.message;
      (health.state == kube::Health::State::Failed ? findings.failed : findings.unready).push_back(std::move(text));
    }
    return findings;
  }

  Attempt judge_health(const Context& context, const kube::Object& kustomization, const Waiting& waiting) {
    const kube::Inventory targets = health_targets(kustomization, waiting.managed);
    const Result<Findings> found = look_at(context, targets, waiting.vanishing);
    const Duration waited = context.clock().monotonic() - waiting.since;
    const auto unhealthy = [&](const std::string& message) {
      Attempt attempt =
          failed("HealthCheckFailed", "health check failed after " + format_duration(waited) + ": " + message,
                 waiting.revision);
      attempt.inventory = waiting.applied;
      attempt.health = HealthVerdict{true, "False", "HealthCheckFailed", message};
      return end_wait(context, kustomization, waiting, std::move(attempt));
    };
    if (!found.ok()) return unhealthy(found.error().message());
    if (!found->failed.empty()) {
      return unhealthy("failed early due to stalled resources: [" + join(found->failed, ", ") + "]");
    }
    if (found->unready.empty()) return healthy(context, kustomization, waiting, !targets.empty(), waited);
    if (waited > timeout(kustomization)) {
      return unhealthy("timeout waiting for: [" + join(found->unready, ", ") + "]");
    }
    return wait_on(kustomization, waiting, found->unready.front());
  }

  Attempt healthy(const Context& context, const kube::Object& kustomization, const Waiting& waiting, bool asked,
                  Duration waited) {
    Attempt attempt;
    attempt.revision = waiting.revision;
    attempt.inventory = waiting.applied;
    attempt.applied = true;
    attempt.outcome = {FluxOutcome::Kind::Ready, "ReconciliationSucceeded", "Applied revision: " + waiting.revision};
    attempt.again_after = interval(kustomization);
    attempt.health = HealthVerdict{asked, "True", "Succeeded", "Health check passed in " + format_duration(waited)};
    // Flux tells of health that came back, or that a new revision has.
    const bool was_healthy = kube::condition_is_true(kustomization["status"]["conditions"], "Healthy");
    if (asked && (!was_healthy || !waiting.deeds.empty())) attempt.deeds.push_back(attempt.health->message);
    return end_wait(context, kustomization, waiting, std::move(attempt));
  }

  Attempt wait_on(const kube::Object& kustomization, Waiting waiting, const std::string& unready) {
    Attempt attempt;
    attempt.revision = waiting.revision;
    attempt.inventory = waiting.applied;
    attempt.outcome = {FluxOutcome::Kind::Progressing, "Progressing", "Running health checks: " + unready};
    attempt.health = HealthVerdict{true, "Unknown", "Progressing",
                                   "Running health checks for revision " + waiting.revision + " with a timeout of " +
                                       format_duration(timeout(kustomization))};
    attempt.again_after = kHealthPoll;
    if (!waiting.told) attempt.deeds = waiting.deeds;
    waiting.told = true;
    const std::lock_guard lock(mutex_);
    waiting_.insert_or_assign(kustomization.key(), std::move(waiting));
    return attempt;
  }

  Attempt end_wait(const Context& context, const kube::Object& kustomization, const Waiting& waiting, Attempt attempt) {
    const std::lock_guard lock(mutex_);
    waiting_.erase(kustomization.key());
    return ended(context, waiting, std::move(attempt));
  }

  Result<kube::Done> forget(const kube::ObjectKey& key) {
    const std::lock_guard lock(mutex_);
    waiting_.erase(key);
    return kube::Done{};
  }

  Result<kube::Done> finish(const Context& context, const kube::Object& kustomization) {
    const std::string_view policy = kustomization["spec"]["deletionPolicy"].as_string("MirrorPrune");
    const bool mirror_prune = policy == "MirrorPrune" && kustomization["spec"]["prune"].as_bool();
    const bool deletes = mirror_prune || policy == "Delete" || policy == "WaitForTermination";
    if (deletes && !kustomization["spec"]["suspend"].as_bool()) {
      ASSIGN_OR_RETURN(const kube::Inventory inventory, kube::read_inventory(kustomization["status"]["inventory"]));
      ASSIGN_OR_RETURN(const kube::Inventory owned, owned_entries(context, kustomization, inventory));
      ASSIGN_OR_RETURN(const bool can_act, has_account(context, kustomization));
      if (!owned.empty() && !can_act) {
        std::vector<std::string> subjects;
        for (const kube::InventoryEntry& entry : owned) subjects.push_back(entry.subject());
        tell(context, kustomization, kube::EventType::Warning, last_reason(kustomization),
             "unable to prune objects: \n" + join(subjects, "\n"));
        log_.warning("a Kustomization ends without its service account, what it had applied stays",
                     {{"kustomization", kustomization.key().text()}, {"objects", owned.size()}});
      } else if (!owned.empty()) {
        TRY(delete_owned(context, kustomization, owned));
        if (policy == "WaitForTermination") {
          ASSIGN_OR_RETURN(const kube::Inventory left, owned_entries(context, kustomization, owned));
          if (!left.empty() && !termination_is_overdue(context, kustomization)) return kube::Done{kHealthPoll};
          if (!left.empty()) {
            tell(context, kustomization, kube::EventType::Warning, last_reason(kustomization),
                 "failed to wait for resources termination");
          }
        }
      }
    }
    TRY(set_flux_finalizer(context, client_, kube::resources::kustomizations(), kustomization, false, kOwnManager));
    return forget(kustomization.key());
  }

  Result<void> delete_owned(const Context& context, const kube::Object& kustomization, const kube::Inventory& owned) {
    std::optional<Error> error;
    std::vector<kube::Applied> deleted;
    prune(acting_as(context, kustomization), kustomization, owned, error, deleted);
    if (error) return *error;
    if (!deleted.empty()) {
      tell(context, kustomization, kube::EventType::Normal, last_reason(kustomization), deletion_text(deleted));
    }
    return {};
  }

  // What does not want to go holds a Kustomization, and a namespace that is deleted with it, only so long.
  static bool termination_is_overdue(const Context& context, const kube::Object& kustomization) {
    const Result<WallTime> began = parse_time(kustomization.metadata()["deletionTimestamp"].as_string());
    return began.ok() && context.clock().wall() - *began > timeout(kustomization);
  }

  // What there is of the inventory and is this Kustomization's. Read with the reconciler's own rights: the inventory
  // may name what was never applied because an account may not even look at it.
  Result<kube::Inventory> owned_entries(const Context& context, const kube::Object& kustomization,
                                        const kube::Inventory& inventory) {
    kube::Inventory owned;
    for (const kube::InventoryEntry& entry : inventory) {
      ASSIGN_OR_RETURN(const std::optional<kube::Object> live, applier_.live(context, entry));
      if (live && may_prune(kustomization, *live)) owned.push_back(entry);
    }
    return owned;
  }

  Result<bool> has_account(const Context& context, const kube::Object& kustomization) {
    const std::string name(kustomization["spec"]["serviceAccountName"].as_string());
    if (name.empty()) return true;
    ASSIGN_OR_RETURN(const std::optional<kube::Object> account,
                     if_there(client_.get(context, kube::resources::service_accounts(),
                                          {std::string(kustomization.namespace_()), name})));
    return account.has_value();
  }

  Result<void> report(const Context& context, const kube::Object& kustomization, const Attempt& attempt) {
    TRY(write_flux_status(context, client_, kube::resources::kustomizations(), kustomization,
                          plan_kustomization_status(kustomization, attempt, context.clock().wall()), kOwnManager));
    announce(context, kustomization, attempt);
    return {};
  }

  void announce(const Context& context, const kube::Object& kustomization, const Attempt& attempt) {
    using Kind = FluxOutcome::Kind;
    const std::string& revision = attempt.revision;
    for (const std::string& deed : attempt.deeds) {
      tell(context, kustomization, kube::EventType::Normal, "Progressing", deed, revision);
    }
    const Value& status = kustomization["status"];
    const bool fresh = status["lastAppliedRevision"].as_string() != revision;
    if (attempt.applied && fresh) {
      log_.info("applied a revision", {{"kustomization", kustomization.key().text()}, {"revision", revision}});
    }
    // Flux tells of every round; one that finds all as it was says nothing that anybody waits for.
    const bool news = fresh || !attempt.deeds.empty() || !kube::condition_is_true(status["conditions"], "Ready") ||
                      has_unhandled_request(kustomization);
    if (attempt.applied && news) {
      const Duration took = attempt.snapshot ? attempt.snapshot->took : Duration{};
      tell(context, kustomization, kube::EventType::Normal, attempt.outcome.reason,
           "Reconciliation finished in " + format_duration(took) + ", next run in " +
               format_duration(interval(kustomization)),
           revision, {{"kustomize.toolkit.fluxcd.io/commit_status", "update"}});
    }
    if (attempt.outcome.reason == "DependencyNotReady") {
      tell(context, kustomization, kube::EventType::Normal, attempt.outcome.reason,
           "Dependencies do not meet ready condition, retrying in " + format_duration(kDependencyPoll), revision);
    } else if ((attempt.outcome.kind == Kind::Failed || attempt.outcome.kind == Kind::Stalled) && !attempt.quiet) {
      tell(context, kustomization, kube::EventType::Warning, attempt.outcome.reason, attempt.outcome.message, revision);
    }
  }

  // An event with the annotations that Flux's receivers of events go by.
  void tell(const Context& context, const kube::Object& kustomization, kube::EventType type, std::string_view reason,
            std::string_view message, std::string_view revision = {}, kube::EventAnnotations annotations = {}) {
    if (revision.empty()) revision = kustomization["status"]["lastAppliedRevision"].as_string();
    if (!revision.empty()) annotations.emplace("kustomize.toolkit.fluxcd.io/revision", revision);
    events_.record(context, kustomization, type, reason, message, annotations);
  }

  static std::string_view last_reason(const kube::Object& kustomization) {
    return kube::find_condition(kustomization["status"]["conditions"], "Ready")["reason"].as_string("info");
  }

  const kube::Client& client_;
  kube::RestMapper& mapper_;
  const kube::Store& kustomizations_;
  const kube::Store& repositories_;
  GitMirror& mirror_;
  Logger log_;
  const kube::Applier applier_;
  kube::EventRecorder events_;
  std::mutex mutex_;
  std::map<kube::ObjectKey, Waiting> waiting_;
};

// Kustomizations by the source that they name, and by those that they depend on.
kube::InformerOptions kustomization_indexes() {
  kube::InformerOptions options;
  options.indexes["source"] = [](const kube::Object& object) { return std::vector{source_key(object).text()}; };
  options.indexes["dependency"] = [](const kube::Object& object) {
    std::vector<std::string> keys;
    for (const Value& item : object["spec"]["dependsOn"].items()) keys.push_back(referenced_key(object, item).text());
    return keys;
  };
  return options;
}

std::string ready_mark(const kube::Object& object) {
  const Value& status = object["status"];
  const Value& ready = kube::find_condition(status["conditions"], "Ready");
  return std::string(status["lastAppliedRevision"].as_string()) + std::string(ready["status"].as_string());
}

}  // namespace

std::unique_ptr<kube::ManagedController> make_kustomization_controller(const kube::ControllerDeps& deps,
                                                                       GitMirror& mirror) {
  kube::Informer& kustomizations = deps.informers.get(kube::resources::kustomizations(), kustomization_indexes());
  kube::Informer& repositories = deps.informers.get(kube::resources::git_repositories());
  const kube::Store& store = kustomizations.store();
  auto controller = std::make_unique<kube::SimpleController>(
      kube::as_master(deps.context, "system:k3s-supervisor"),
      std::make_unique<KustomizationReconciler>(deps, store, repositories.store(), mirror),
      kube::ControllerOptions{.name = "kustomization-controller", .concurrency = 4, .lane = Lane::Blocking}, deps.log);
  kube::Controller& queue = controller->controller();
  const auto wake = [&queue, &store](std::string_view index, const std::string& key) {
    for (const kube::Object& dependent : store.by_index(index, key)) queue.enqueue(dependent.key());
  };
  kustomizations.add_handler(
      [&queue, wake](const std::optional<kube::Object>& before, const std::optional<kube::Object>& after) {
        if (!after) return;
        const bool confirms = before && confirmed_prune(*before) != confirmed_prune(*after);
        if (confirms || asks_for_work(before, *after)) queue.enqueue(after->key());
        if (!before || ready_mark(*before) != ready_mark(*after)) wake("dependency", after->key().text());
      });
  repositories.add_handler([wake](const std::optional<kube::Object>& before, const std::optional<kube::Object>& after) {
    if (!after) return;
    const Value& artifact = (*after)["status"]["artifact"]["revision"];
    if (!before || (*before)["status"]["artifact"]["revision"] != artifact) wake("source", after->key().text());
  });
  return controller;
}

}  // namespace coracle::reconcilers
