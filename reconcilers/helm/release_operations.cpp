#include "reconcilers/helm/release_operations.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <utility>

#include "base/executor.h"
#include "base/not_found.h"

namespace coracle::reconcilers {
namespace {

namespace status = charts::release_status;

// "csa" and "ssa" are what records call the two ways of applying; a record of Helm 3 has neither.
constexpr std::string_view kServerSideMethod = "ssa";
constexpr std::string_view kClientSideMethod = "csa";

bool applies_server_side(ApplyMode mode, const charts::Release* before) {
  if (mode != ApplyMode::Auto) return mode == ApplyMode::Server;
  return before == nullptr || before->apply_method == kServerSideMethod;
}

std::string failure_text(const ReleaseRequest& request, const Error& error) {
  return (request.is_upgrade ? "Upgrade \"" : "Release \"") + request.spec.release.name +
         "\" failed: " + error.message();
}

// What no retry can mend.
bool is_unreadable(const Error& error) {
  return error.reason() == Reason::Corrupt || error.reason() == Reason::BadRequest;
}

// It waited for something that is not wanted any more.
bool gave_way(const Error& error, const ChartTurns::Turn& turn) {
  return error.reason() == Reason::Canceled && turn.outdated();
}

}  // namespace

// What earlier revisions have left in the cluster.
struct ReleaseOperations::Standing {
  std::vector<charts::Release> records;  // by rising revision; the newest deployed one and what came after
  ReleaseObjects objects;                // those of later records win
};

// A revision on its way.
struct ReleaseOperations::Attempt {
  charts::Release record;
  ReleaseObjects objects;
  const Standing& standing;
  WriteMode mode;
};

ReleaseOperations::ReleaseOperations(const kube::Client& client, kube::RestMapper& mapper, const Logger& log)
    : client_(client), mapper_(mapper), log_(log), applier_(client, mapper, log) {}

Result<ReleaseOperations::Standing> ReleaseOperations::standing(const Context& context,
                                                                const ReleaseStore& store) const {
  ASSIGN_OR_RETURN(const std::vector<ReleaseRecord> history, store.history(context));
  Standing standing;
  std::set<std::string> seen;
  const std::vector<std::size_t> positions = standing_records(history);
  for (auto position = positions.rbegin(); position != positions.rend(); ++position) {
    Result<charts::Release> record = store.read(context, history[*position].revision);
    if (!record.ok() && is_unreadable(record.error())) {
      log_.warning("a release record cannot be read, its objects are left alone",
                   {{"release", store.release().text()}, {"error", record.error()}});
      continue;
    }
    TRY(record);
    ASSIGN_OR_RETURN(ReleaseObjects objects,
                     applier_.place(context, record->manifest, store.release().namespace_, true));
    for (ReleaseObject& item : objects) {
      if (seen.insert(kube::InventoryEntry::of(item.object).id()).second) standing.objects.push_back(std::move(item));
    }
    standing.records.insert(standing.records.begin(), std::move(*record));
  }
  return standing;
}

Result<charts::Capabilities> ReleaseOperations::capabilities(const Context& context) const {
  mapper_.invalidate();
  ASSIGN_OR_RETURN(const std::shared_ptr<const kube::Discovery> discovery, mapper_.current(context));
  ASSIGN_OR_RETURN(const Value version, client_.raw_get(context, "/version"));
  charts::Capabilities served;
  served.kube_version = version["gitVersion"].as_string();
  served.api_versions = discovery->api_versions();
  return served;
}

Result<Value> ReleaseOperations::look_up(const Context& context, const std::string& api_version,
                                         const std::string& kind, const std::string& ns,
                                         const std::string& name) const {
  ASSIGN_OR_RETURN(const std::optional<kube::DiscoveredResource> resource,
                   if_there(mapper_.find(context, kube::GroupVersionKind::parse(api_version, kind))));
  if (!resource) return Value();
  if (name.empty()) {
    ASSIGN_OR_RETURN(const kube::ObjectList list, client_.list_all(context, resource->ref, ns));
    Value::ArrayBuilder items;
    for (const kube::Object& item : list.items) items.add(item.tree());
    return Value::object({{"apiVersion", api_version},
                          {"kind", kind + "List"},
                          {"metadata", Value::object({{"resourceVersion", list.resource_version}})},
                          {"items", std::move(items).build()}});
  }
  ASSIGN_OR_RETURN(
      const std::optional<kube::Object> object,
      if_there(client_.get(context, resource->ref, {resource->ref.namespaced ? ns : std::string(), name})));
  return object ? object->tree() : Value();
}

// What crds/ holds is there before templates ask for it; upgrades leave definitions alone, as Helm does.
Result<charts::Rendering> ReleaseOperations::render(const Context& context, const ReleaseRequest& request) const {
  ASSIGN_OR_RETURN(charts::PreparedChart prepared, charts::prepare(request.chart, request.values));
  if (!request.is_upgrade && !prepared.crds.empty()) {
    TRY(request.turn.wait(context,
                          [&](const Context& waiting) { return applier_.create_definitions(waiting, prepared.crds); }));
  }
  ASSIGN_OR_RETURN(const charts::Capabilities served, capabilities(context));
  charts::TemplateEnvironment environment{context.clock(), context.executor().random()};
  const Context bounded = context.with_timeout(request.spec.timeout);
  environment.context = &bounded;
  environment.lookup = [&](const std::string& api_version, const std::string& kind, const std::string& ns,
                           const std::string& name) { return look_up(context, api_version, kind, ns, name); };
  const kube::ObjectKey& release = request.spec.release;
  ASSIGN_OR_RETURN(charts::Rendering rendering,
                   charts::render_prepared(std::move(prepared),
                                           {release.name, release.namespace_, request.revision, request.is_upgrade},
                                           served, environment));
  for (const std::string& warning : rendering.warnings) {
    log_.info("the chart's author should look at this", {{"release", release.text()}, {"warning", warning}});
  }
  return rendering;
}

Result<void> ReleaseOperations::deploy(const Context& context, const ReleaseStore& store,
                                       const ReleaseRequest& request) const {
  const HelmSpec& spec = request.spec;
  ASSIGN_OR_RETURN(const Standing before, standing(context, store));
  ASSIGN_OR_RETURN(const charts::Rendering rendering, render(context, request));
  const charts::Release* last = before.records.empty() ? nullptr : &before.records.back();

  const charts::ReleaseIdentity identity{spec.release.name, spec.release.namespace_, request.revision,
                                         request.is_upgrade};
  Attempt attempt{charts::make_release(request.chart, request.values, rendering, identity,
                                       request.is_upgrade ? status::kPendingUpgrade : status::kPendingInstall,
                                       context.clock().wall()),
                  {},
                  before,
                  {}};
  charts::Release& record = attempt.record;
  if (last != nullptr && last->first_deployed) record.first_deployed = last->first_deployed;
  record.description = request.is_upgrade ? "Preparing upgrade" : "Initial install underway";
  record.labels[std::string(kConfigHashLabel)] = request.config_hash;
  attempt.mode.server_side = applies_server_side(spec.apply_mode, last);
  attempt.mode.force_conflicts = spec.force_conflicts;
  attempt.mode.take_over_fields =
      attempt.mode.server_side && last != nullptr && last->apply_method != kServerSideMethod;
  record.apply_method = attempt.mode.server_side ? kServerSideMethod : kClientSideMethod;

  ASSIGN_OR_RETURN(attempt.objects, applier_.place(context, record.manifest, spec.release.namespace_, false));
  if (!spec.take_ownership) {
    TRY(applier_.check_ownership(context, spec.release, attempt.objects, before.objects,
                                 request.is_upgrade ? "update" : "install"));
  }
  if (spec.create_namespace) TRY(applier_.ensure_namespace(context, spec.release.namespace_));
  TRY(shorten_history(context, store));
  TRY(store.create(context, record));
  TRY(fail_interrupted(context, store, request.revision));

  Result<void> done = carry_out(context, request, attempt);
  // Nobody knows how it would have ended, so it has not failed, and no failurePolicy applies: the record stays pending,
  // and whoever comes next, in this process or another, goes on from there.
  if (!done.ok() && (context.stopped() || gave_way(done.error(), request.turn))) return done;
  record.status = done.ok() ? status::kDeployed : status::kFailed;
  record.description = !done.ok()           ? failure_text(request, done.error())
                       : request.is_upgrade ? "Upgrade complete"
                                            : "Install complete";
  TRY(store.update(context, record));
  TRY(done);
  return supersede_others(context, store, request.revision);
}

Result<void> ReleaseOperations::carry_out(const Context& context, const ReleaseRequest& request,
                                          Attempt& attempt) const {
  const kube::ObjectKey& release = request.spec.release;
  const HookSettings hooks{release.namespace_, attempt.mode, request.spec.timeout, request.turn};
  const std::string_view moment = request.is_upgrade ? "upgrade" : "install";
  TRY(run_hooks(context, applier_, hooks, attempt.record.hooks, "pre-" + std::string(moment)));
  TRY(applier_.apply(context, release, attempt.objects, attempt.standing.objects, attempt.mode));
  TRY(applier_.remove(context, release,
                      objects_that_left(plain_objects(attempt.standing.objects), plain_objects(attempt.objects))));
  return run_hooks(context, applier_, hooks, attempt.record.hooks, "post-" + std::string(moment));
}

// The deployed revision is the only one of that status.
Result<void> ReleaseOperations::supersede_others(const Context& context, const ReleaseStore& store,
                                                 int revision) const {
  ASSIGN_OR_RETURN(const std::vector<ReleaseRecord> history, store.history(context));
  for (const ReleaseRecord& record : history) {
    if (record.revision == revision || record.status != status::kDeployed) continue;
    TRY(store.set_status(context, record.revision, status::kSuperseded, {}));
  }
  return {};
}

// Nobody works on another record that is pending: whoever did has ended or given way. Not before the new record is
// there, as what follows a failed one may be an uninstallation.
Result<void> ReleaseOperations::fail_interrupted(const Context& context, const ReleaseStore& store,
                                                 int revision) const {
  ASSIGN_OR_RETURN(const std::vector<ReleaseRecord> history, store.history(context));
  for (const ReleaseRecord& record : history) {
    if (record.revision == revision || !is_interrupted(record.status)) continue;
    log_.warning("going on after an operation that was cut short",
                 {{"release", store.release().text()}, {"revision", record.revision}, {"status", record.status}});
    const Result<void> marked =
        store.set_status(context, record.revision, status::kFailed, "Interrupted while " + record.status);
    if (!marked.ok() && !is_unreadable(marked.error())) return marked.error();
  }
  return {};
}

// Makes room for one more record.
Result<void> ReleaseOperations::shorten_history(const Context& context, const ReleaseStore& store) const {
  ASSIGN_OR_RETURN(const std::vector<ReleaseRecord> history, store.history(context));
  for (const int revision : records_to_prune(history, kReleaseHistory - 1)) TRY(store.remove(context, revision));
  return {};
}

Result<void> ReleaseOperations::uninstall(const Context& context, const ReleaseStore& store,
                                          const UninstallOptions& options) const {
  ASSIGN_OR_RETURN(Standing standing, this->standing(context, store));
  if (!standing.records.empty()) {
    charts::Release& last = standing.records.back();
    const std::vector<kube::Object> objects = plain_objects(standing.objects);
    std::vector<kube::Object> kept;
    std::copy_if(objects.begin(), objects.end(), std::back_inserter(kept), is_kept);
    const kube::Inventory left = objects_that_left(objects, kept);
    TRY(finish_uninstall(context, store, options, last, left));
  }
  ASSIGN_OR_RETURN(const std::vector<ReleaseRecord> history, store.history(context));
  for (const ReleaseRecord& record : history) TRY(store.remove(context, record.revision));
  return {};
}

Result<void> ReleaseOperations::finish_uninstall(const Context& context, const ReleaseStore& store,
                                                 const UninstallOptions& options, charts::Release& last,
                                                 const kube::Inventory& left) const {
  const HookSettings hooks{store.release().namespace_, {}, options.timeout, options.turn};
  const auto run = [&](std::string_view event) -> Result<void> {
    if (!options.run_hooks) return {};
    const Result<void> done = run_hooks(context, applier_, hooks, last.hooks, event);
    if (done.ok()) return {};
    if (gave_way(done.error(), options.turn)) return done.error();
    log_.warning("a hook failed, the release is removed all the same",
                 {{"release", store.release().text()}, {"error", done.error()}});
    return {};
  };
  if (last.status != status::kUninstalling) {
    TRY(run("pre-delete"));
    last.status = status::kUninstalling;
    last.description = "Deletion in progress (or silently failed)";
    last.deleted = context.clock().wall();
    TRY(store.update(context, last));
  }
  TRY(applier_.remove(context, store.release(), left));
  if (options.wait) {
    const Result<void> gone = options.turn.wait(context, [&](const Context& waiting) {
      return applier_.wait_until_gone(waiting.with_timeout(options.timeout), store.release(), left);
    });
    if (!gone.ok() && gone.error().reason() != Reason::Timeout) return gone.error();
    if (!gone.ok()) {
      log_.warning("objects of a removed release are still there, look at their finalizers",
                   {{"release", store.release().text()}, {"error", gone.error()}});
    }
  }
  return run("post-delete");
}

}  // namespace coracle::reconcilers
