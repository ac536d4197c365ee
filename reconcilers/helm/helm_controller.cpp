#include "reconcilers/helm/helm_controller.h"

#include <algorithm>
#include <utility>

#include "base/not_found.h"
#include "kube/client/resources.h"
#include "kube/controller/event_recorder.h"
#include "kube/controller/identity.h"
#include "kube/object/conditions.h"
#include "reconcilers/helm/chart_inputs.h"
#include "reconcilers/helm/chart_turns.h"
#include "reconcilers/helm/helm_status.h"
#include "reconcilers/helm/k3s_leftovers.h"
#include "reconcilers/helm/release_operations.h"

namespace coracle::reconcilers {
namespace {

// Charts that are rendered or applied at once. The others that are under way wait for something.
constexpr unsigned kBusyCharts = 4;
constexpr kube::RetryPolicy kHelmRetry{std::chrono::seconds(1), std::chrono::minutes(5)};

// A HelmChart that somebody else looks after.
bool is_foreign(const kube::Object& chart) {
  const std::string_view manager = chart.annotation(kHelmManagedBy);
  return !manager.empty() && manager != kHelmController;
}

// k3s had it in its care before, and made a Job for it.
bool has_k3s_job(const kube::Object& chart) {
  return !chart["status"]["jobName"].as_string().empty();
}

// Only a changed object helps, so there is no use in trying again.
bool is_final(const Error& error) {
  return error.reason() == Reason::Unsupported;
}

class HelmReconciler : public kube::Reconciler {
 public:
  HelmReconciler(const kube::ControllerDeps& deps, ChartFetcher& fetcher, HelmControllerOptions options)
      : client_(deps.client),
        options_(std::move(options)),
        log_(deps.log.named(std::string(kHelmController))),
        inputs_(deps.client, fetcher, options_.api_ca_pem),
        operations_(deps.client, deps.mapper, log_),
        events_(deps.client, std::string(kHelmController), log_),
        turns_(deps.context.executor(), kBusyCharts) {}

  // Work on the chart begins anew. Whoever says so enqueues it afterwards.
  void outdate(const kube::ObjectKey& key) { turns_.outdate(key); }

  Result<kube::Done> reconcile(const Context& context, const kube::ObjectKey& key) override {
    ChartTurns::Turn turn(turns_, key);
    TRY(turn.begin(context));
    // What is deleted follows from the object, so it is read where it is written.
    ASSIGN_OR_RETURN(const std::optional<kube::Object> live,
                     if_there(client_.get(context, kube::resources::helm_charts(), key)));
    if (!live) return kube::Done{};
    const kube::Object& chart = *live;
    if (is_foreign(chart)) return kube::Done{};
    if (chart.has_annotation(kHelmUnmanaged)) {
      if (chart.deleting()) TRY(release_chart(context, chart));
      return kube::Done{};
    }
    Run run{chart, turn, chart["status"]["conditions"]};
    if (chart.deleting()) return finish(context, run);

    if (const std::string_view version = chart["spec"]["helmVersion"].as_string(); !supports_helm_version(version)) {
      const std::string text = "spec.helmVersion: \"" + std::string(version) + "\" is not supported, only v3";
      TRY(report(context, run, {true, text}, "UnsupportedVersion"));
      return kube::Done{};
    }
    TRY(claim(context, chart));
    if (has_k3s_job(chart)) TRY(remove_k3s_leftovers(context, client_, key));
    const Result<HelmOutcome> outcome = bring_about(context, run);
    if (outcome.ok()) {
      TRY(report(context, run, *outcome, "JobFailed"));
      return kube::Done{};
    }
    if (context.stopped()) return outcome.error();
    if (gave_way(run, outcome.error())) return kube::Done{};
    TRY(report(context, run, HelmOutcome::failure(outcome.error()), "JobFailed"));
    if (is_final(outcome.error())) return kube::Done{};
    return outcome.error();
  }

 private:
  // The work on a chart as it was read.
  struct Run {
    const kube::Object& chart;
    ChartTurns::Turn& turn;
    Value conditions;  // of its status, as last written
  };

  // It waited for something that is not wanted any more; what is wanted now is in the queue.
  bool gave_way(const Run& run, const Error& error) const {
    if (error.reason() != Reason::Canceled || !run.turn.outdated()) return false;
    log_.info("begins anew with a chart that has changed", {{"chart", run.chart.key().text()}, {"left", error}});
    return true;
  }

  Result<charts::Chart> load_chart(const Context& context, Run& run, const HelmSpec& spec) {
    if (!spec.chart_content.empty()) return ChartInputs::from_content(spec);
    ASSIGN_OR_RETURN(const ChartLocation from, inputs_.location(context, run.chart, spec));
    TRY(announce_fetch(context, run, from));
    return inputs_.fetch(context, run.turn, spec, from);
  }

  Result<HelmOutcome> bring_about(const Context& context, Run& run) {
    const kube::Object& chart = run.chart;
    // Read where it is written: a config that is applied just before its chart must count at once.
    ASSIGN_OR_RETURN(const std::optional<kube::Object> config,
                     if_there(client_.get(context, kube::resources::helm_chart_configs(), chart.key())));
    ASSIGN_OR_RETURN(const HelmSpec spec, read_helm_spec(chart, config, options_.api_address));
    ASSIGN_OR_RETURN(const LayeredValues values, inputs_.values(context, chart, config));
    const std::string hash = config_hash(spec, values.settled);
    const ReleaseStore store(client_, {spec.release, spec.driver});
    ASSIGN_OR_RETURN(const std::vector<ReleaseRecord> history, store.history(context));
    ReleasePlan plan = plan_release(history, hash, spec.failure_policy);

    if (plan.supersede_others) TRY(operations_.supersede_others(context, store, history.back().revision));
    if (plan.action == ReleasePlan::Action::Nothing) return deployed(spec, history.back().revision);
    if (plan.action == ReleasePlan::Action::StayFailed) return stay_failed(context, store, history.back().revision);
    ASSIGN_OR_RETURN(const charts::Chart loaded, load_chart(context, run, spec));
    if (plan.action == ReleasePlan::Action::Reinstall) {
      announce(context, chart,
               "removing release " + spec.release.text() + " to install it again, as failurePolicy says");
      TRY(operations_.uninstall(context, store, {spec.timeout, true, true, run.turn}));
      plan = {ReleasePlan::Action::Install, 1, false};
    }
    const bool upgrade = plan.action == ReleasePlan::Action::Upgrade;
    announce(context, chart,
             std::string(upgrade ? "upgrading" : "installing") + " release " + spec.release.text() + " to revision " +
                 std::to_string(plan.revision) + without_effect_note(chart));
    TRY(operations_.deploy(context, store, {spec, loaded, values.values, hash, plan.revision, upgrade, run.turn}));
    log_.info("deployed a release", {{"release", spec.release.text()}, {"revision", plan.revision}});
    return deployed(spec, plan.revision);
  }

  static HelmOutcome deployed(const HelmSpec& spec, int revision) {
    return {false, "release " + spec.release.text() + " revision " + std::to_string(revision) + " is deployed"};
  }

  static Result<HelmOutcome> stay_failed(const Context& context, const ReleaseStore& store, int revision) {
    ASSIGN_OR_RETURN(const charts::Release record, store.read(context, revision));
    return HelmOutcome{true, record.description + " (failurePolicy is abort: change the chart or its values)"};
  }

  static std::string without_effect_note(const kube::Object& chart) {
    std::string note;
    for (const std::string& field : fields_without_effect(chart)) {
      note += (note.empty() ? "; without a Job these have no effect: spec." : ", spec.") + field;
    }
    return note;
  }

  void announce(const Context& context, const kube::Object& chart, const std::string& text) {
    events_.record(context, chart, kube::EventType::Normal, "ApplyJob", text);
    log_.info("working on a release", {{"chart", chart.key().text()}, {"what", text}});
  }

  // A repository may take all of spec.timeout for its answer, and is then asked again: the event comes once.
  Result<void> announce_fetch(const Context& context, Run& run, const ChartLocation& from) {
    const std::string host = host_of(from);
    const std::string text = "fetching the chart" + (host.empty() ? std::string() : " from " + std::string(host));
    if (kube::condition_is_true(run.conditions, "Failed")) {
      log_.info("working on a release", {{"chart", run.chart.key().text()}, {"what", text}});
    } else {
      announce(context, run.chart, text);
    }
    return write_conditions(context, run, plan_helm_progress(run.conditions, text, context.clock().wall()));
  }

  Result<void> claim(const Context& context, const kube::Object& chart) {
    if (chart.has_finalizer(kHelmFinalizer) && chart.annotation(kHelmManagedBy) == kHelmController) return {};
    return write_metadata(context, chart,
                          chart.with_finalizer(kHelmFinalizer).with_annotation(kHelmManagedBy, kHelmController));
  }

  Result<void> release_chart(const Context& context, const kube::Object& chart) {
    if (!chart.has_finalizer(kHelmFinalizer)) return {};
    return write_metadata(context, chart, chart.without_finalizer(kHelmFinalizer));
  }

  Result<void> write_metadata(const Context& context, const kube::Object& before, const kube::Object& after) {
    return even_if_gone(client_.patch_metadata(context, kube::resources::helm_charts(), before,
                                               Value::ObjectBuilder()
                                                   .set("finalizers", after.metadata()["finalizers"])
                                                   .set("annotations", after.metadata()["annotations"]),
                                               {.field_manager = std::string(kHelmController)}));
  }

  Result<bool> namespace_terminating(const Context& context, const kube::Object& chart) const {
    ASSIGN_OR_RETURN(
        const std::optional<kube::Object> ns,
        if_there(client_.get(context, kube::resources::namespaces(), {"", std::string(chart.namespace_())})));
    return !ns || ns->deleting();
  }

  // A namespace that ends must not hang on its charts: there the release goes as far as it can.
  Result<kube::Done> finish(const Context& context, Run& run) {
    const kube::Object& chart = run.chart;
    if (!chart.has_finalizer(kHelmFinalizer)) return kube::Done{};
    const ReleaseStore store(client_, release_location(chart));
    ASSIGN_OR_RETURN(const bool terminating, namespace_terminating(context, chart));
    const Result<void> removed = uninstall(context, run, store, terminating);
    if (!removed.ok() && gave_way(run, removed.error())) return kube::Done{};
    if (!removed.ok() && !terminating) {
      events_.record(context, chart, kube::EventType::Warning, "JobFailed", removed.error().message());
      return removed.error();
    }
    if (!removed.ok()) {
      log_.warning("a namespace ends before its release is removed",
                   {{"release", store.release().text()}, {"error", removed.error()}});
    }
    if (has_k3s_job(chart)) TRY(remove_k3s_leftovers(context, client_, chart.key()));
    TRY(release_chart(context, chart));
    return kube::Done{};
  }

  Result<void> uninstall(const Context& context, Run& run, const ReleaseStore& store, bool terminating) {
    const kube::Object& chart = run.chart;
    ASSIGN_OR_RETURN(const std::vector<ReleaseRecord> history, store.history(context));
    if (history.empty()) return {};
    if (!terminating) {
      events_.record(context, chart, kube::EventType::Normal, "RemoveJob",
                     "removing release " + store.release().text());
    }
    // A timeout that cannot be read must not keep the chart from being deleted.
    const Result<HelmSpec> spec = read_helm_spec(chart, std::nullopt, options_.api_address);
    const Duration timeout = spec.ok() ? spec->timeout : kDefaultReleaseTimeout;
    TRY(operations_.uninstall(context, store, {timeout, !terminating, !terminating, run.turn}));
    log_.info("removed a release", {{"release", store.release().text()}});
    return {};
  }

  Result<void> report(const Context& context, Run& run, const HelmOutcome& outcome, std::string_view failure_reason) {
    if (outcome.failed) {
      events_.record(context, run.chart, kube::EventType::Warning, failure_reason, outcome.message);
    }
    return write_conditions(
        context, run,
        plan_helm_conditions(run.conditions, outcome, fields_without_effect(run.chart), context.clock().wall()));
  }

  Result<void> write_conditions(const Context& context, Run& run, const Value& conditions) {
    if (conditions == run.conditions && !has_k3s_job(run.chart)) return {};
    TRY(even_if_gone(
        client_.patch(context, kube::resources::helm_charts(), run.chart.key(), kube::PatchType::Merge,
                      Value::object({{"status", Value::object({{"conditions", conditions}, {"jobName", Value()}})}}),
                      {.field_manager = std::string(kHelmController)}, "status")));
    run.conditions = conditions;
    return {};
  }

  const kube::Client& client_;
  const HelmControllerOptions options_;
  const Logger log_;
  const ChartInputs inputs_;
  const ReleaseOperations operations_;
  kube::EventRecorder events_;
  ChartTurns turns_;
};

std::vector<std::string> keys_in_namespace(const kube::Object& owner, const std::vector<std::string>& names) {
  std::vector<std::string> keys;
  for (const std::string& name : names) keys.push_back(std::string(owner.namespace_()) + "/" + name);
  return keys;
}

// HelmCharts and HelmChartConfigs by what they refer to.
kube::InformerOptions reference_indexes() {
  kube::InformerOptions options;
  options.indexes["secret"] = [](const kube::Object& owner) {
    return keys_in_namespace(owner, watched_secrets(owner));
  };
  options.indexes["configmap"] = [](const kube::Object& owner) {
    const std::string name(owner["spec"]["repoCAConfigMap"]["name"].as_string());
    return name.empty() ? std::vector<std::string>() : keys_in_namespace(owner, {name});
  };
  return options;
}

// Our own writes of status and metadata ask for no work.
bool asks_for_work(const std::optional<kube::Object>& before, const kube::Object& after) {
  return !before || before->generation() != after.generation() || before->deleting() != after.deleting() ||
         before->has_annotation(kHelmUnmanaged) != after.has_annotation(kHelmUnmanaged) ||
         is_foreign(*before) != is_foreign(after);
}

}  // namespace

std::unique_ptr<kube::ManagedController> make_helm_controller(const kube::ControllerDeps& deps, ChartFetcher& fetcher,
                                                              HelmControllerOptions options) {
  kube::Informer& charts = deps.informers.get(kube::resources::helm_charts(), reference_indexes());
  kube::Informer& configs = deps.informers.get(kube::resources::helm_chart_configs(), reference_indexes());
  auto owned = std::make_unique<HelmReconciler>(deps, fetcher, std::move(options));
  HelmReconciler& reconciler = *owned;  // ends with the controller, after all handlers
  auto controller =
      std::make_unique<kube::SimpleController>(kube::as_master(deps.context, "system:k3s-supervisor"), std::move(owned),
                                               kube::ControllerOptions{.name = std::string(kHelmController),
                                                                       .concurrency = kChartsUnderWay,
                                                                       .lane = Lane::Blocking,
                                                                       .retry = kHelmRetry},
                                               deps.log);
  kube::Controller& queue = controller->controller();
  // In this order: what the queue begins after the change is not outdated by it.
  const auto begin_anew = [&queue, &reconciler](const kube::ObjectKey& key) {
    reconciler.outdate(key);
    queue.enqueue(key);
  };
  charts.add_handler([begin_anew](const std::optional<kube::Object>& before, const std::optional<kube::Object>& after) {
    if (!after || asks_for_work(before, *after)) begin_anew(after ? after->key() : before->key());
  });
  configs.add_handler(
      [begin_anew](const std::optional<kube::Object>& before, const std::optional<kube::Object>& after) {
        if (before && after && before->generation() == after->generation()) return;
        begin_anew(after ? after->key() : before->key());
      });
  // What their removal waits for is no longer worth it: finish() asks whether the namespace ends.
  const auto namespace_ends = [begin_anew, &charts](const std::optional<kube::Object>& before,
                                                    const std::optional<kube::Object>& after) {
    if (!after || !after->deleting() || (before && before->deleting())) return;
    for (const kube::Object& chart : charts.store().list()) {
      if (chart.deleting() && chart.namespace_() == after->name()) begin_anew(chart.key());
    }
  };
  deps.informers.get(kube::resources::namespaces()).add_handler(namespace_ends);
  // A config has the key of its chart.
  const auto wake = [&queue, &charts, &configs](std::string_view index) {
    return [&queue, &charts, &configs, index](const std::optional<kube::Object>& before,
                                              const std::optional<kube::Object>& after) {
      const std::string key = (after ? *after : *before).key().text();
      for (const kube::Store* store : {&charts.store(), &configs.store()}) {
        for (const kube::Object& owner : store->by_index(index, key)) queue.enqueue(owner.key());
      }
    };
  };
  deps.informers.get(kube::resources::secrets(), {.metadata_only = true}).add_handler(wake("secret"));
  deps.informers.get(kube::resources::config_maps(), {.metadata_only = true}).add_handler(wake("configmap"));
  const auto definition_changed = [&queue, &charts](const std::optional<kube::Object>&,
                                                    const std::optional<kube::Object>& after) {
    if (!after) return;
    for (const kube::Object& chart : charts.store().list()) {
      if (waits_for_definition(chart["status"]["conditions"])) queue.enqueue(chart.key());
    }
  };
  deps.informers.get(kube::resources::custom_resource_definitions(), {.metadata_only = true})
      .add_handler(definition_changed);
  return controller;
}

}  // namespace coracle::reconcilers
