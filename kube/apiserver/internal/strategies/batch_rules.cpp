#include <utility>

#include "kube/apiserver/internal/strategies/cron_schedule.h"
#include "kube/apiserver/internal/strategies/pod_template.h"
#include "kube/apiserver/internal/strategies/resource_rules.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/object/selector.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kControllerUid = "batch.kubernetes.io/controller-uid";
constexpr std::string_view kJobName = "batch.kubernetes.io/job-name";
constexpr std::string_view kOldControllerUid = "controller-uid";
constexpr std::string_view kOldJobName = "job-name";
// A cron job's name, so that its jobs' names, 11 characters longer, fit into a label.
constexpr std::size_t kMaximumCronJobName = 52;

Value with_job_labels(const Value& labels, const Object& job) {
  Value::ObjectBuilder builder(labels);
  builder.set(kControllerUid, job.uid()).set(kJobName, job.name());
  builder.set(kOldControllerUid, job.uid()).set(kOldJobName, job.name());
  return std::move(builder).build();
}

// A job selects its pods by its own uid, unless its author took that over.
Object prepare_job(const WriteContext&, const Object& object, const Object* old) {
  if (old != nullptr || object["spec"]["manualSelector"].as_bool()) return object;
  const Value& spec = object["spec"];
  const Value& pod_template = spec["template"];
  const Value& template_labels = pod_template["metadata"]["labels"];
  const Value labels = with_job_labels(template_labels, object);
  const Value metadata = pod_template["metadata"].with("labels", labels);
  const Value& selector = spec["selector"];
  const Value match = selector["matchLabels"].with(kControllerUid, object.uid());
  Value changed = spec.with("template", pod_template.with("metadata", metadata));
  changed = changed.with("selector", selector.with("matchLabels", match));
  Object job = object.with("spec", std::move(changed));
  // Labels that a job has from its template are the template's, with what is added to them.
  const bool from_template = !template_labels.empty() && object.metadata()["labels"] == template_labels;
  return from_template ? job.with_metadata("labels", labels) : job;
}

void check_job_spec(const Value& spec, const FieldPath& path, FieldErrors& errors) {
  for (const std::string_view field : {"parallelism", "completions", "activeDeadlineSeconds", "backoffLimit",
                                       "backoffLimitPerIndex", "maxFailedIndexes", "ttlSecondsAfterFinished"}) {
    check_not_negative(spec[field], path.child(field), errors);
  }
  const bool indexed = spec["completionMode"].as_string() == "Indexed";
  if (indexed && !spec.contains("completions")) {
    errors.push_back(field_error::required(path.child("completions").text(), "when completion mode is Indexed"));
  }
  if (!indexed && spec.contains("backoffLimitPerIndex")) {
    errors.push_back(field_error::invalid(path.child("backoffLimitPerIndex").text(), spec["backoffLimitPerIndex"],
                                          "requires indexed completion mode"));
  }
  check_pod_template(spec["template"], path.child("template"), errors);
  const Value& policy = spec["template"]["spec"]["restartPolicy"];
  const std::string at = path.child("template").child("spec").child("restartPolicy").text();
  if (policy.as_string("Always") == "Always") {
    report(errors, field_error::required(at, "valid values: \"OnFailure\", \"Never\""));
  } else if (spec["podFailurePolicy"].is_object() && policy.as_string() != "Never") {
    errors.push_back(
        field_error::invalid(at, policy, "only \"Never\" is supported when podFailurePolicy is specified"));
  }
}

void check_new_job(const Object& object, FieldErrors& errors) {
  const Value& spec = object["spec"];
  const Value& labels = spec["template"]["metadata"]["labels"];
  if (!spec["selector"].is_object()) {
    report(errors, field_error::required("spec.selector"));
    return;
  }
  check_label_selector(spec["selector"], FieldPath("spec.selector"), errors);
  const auto selector = LabelSelector::from_value(spec["selector"]);
  if (selector.ok() && !selector->matches(labels)) {
    errors.push_back(
        field_error::invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`"));
  }
}

// What of a template may change while a job is suspended and has never started.
Value without_scheduling(const Value& pod_template) {
  Value::ObjectBuilder spec(pod_template["spec"]);
  for (const std::string_view field : {"nodeSelector", "affinity", "tolerations", "schedulingGates"}) {
    spec.remove(field);
  }
  for (const std::string_view list : {"containers", "initContainers"}) {
    if (spec.find(list) == nullptr) continue;
    Value::ArrayBuilder containers;
    for (const Value& container : pod_template["spec"][list].items()) {
      containers.add(container.without("resources"));
    }
    spec.set(list, std::move(containers).build());
  }
  const Value metadata = pod_template["metadata"].without("labels").without("annotations");
  return pod_template.with("spec", std::move(spec).build()).with("metadata", metadata);
}

void check_job_change(const Value& spec, const Object& old, FieldErrors& errors) {
  const Value& before = old["spec"];
  for (const std::string_view field :
       {"selector", "completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"}) {
    if (spec[field] == before[field]) continue;
    errors.push_back(field_error::invalid("spec." + std::string(field), spec[field], kImmutableField));
  }
  const bool indexed = spec["completionMode"].as_string() == "Indexed";
  const bool scaled = indexed && spec["completions"] == spec["parallelism"];
  if (!(spec["completions"] == before["completions"]) && !scaled) {
    errors.push_back(field_error::invalid("spec.completions", spec["completions"], kImmutableField));
  }
  const bool unstarted = before["suspend"].as_bool() && old["status"]["startTime"].is_null();
  const bool same = unstarted ? without_scheduling(spec["template"]) == without_scheduling(before["template"])
                              : spec["template"] == before["template"];
  if (!same) errors.push_back(field_error::invalid("spec.template", spec["template"], kImmutableField));
}

void check_job(const Object& object, const Object* old, FieldErrors& errors) {
  check_job_spec(object["spec"], FieldPath("spec"), errors);
  if (old == nullptr) {
    check_new_job(object, errors);
  } else {
    check_job_change(object["spec"], *old, errors);
  }
}

bool names_time_zone(std::string_view schedule) {
  return schedule.find("TZ") != std::string_view::npos;
}

void check_cron_schedule(const Value& spec, const Object* old, FieldErrors& errors) {
  const Value& schedule = spec["schedule"];
  if (schedule.as_string().empty()) {
    report(errors, field_error::required("spec.schedule"));
    return;
  }
  if (old != nullptr && (*old)["spec"]["schedule"] == schedule) return;
  if (names_time_zone(schedule.as_string())) {
    errors.push_back(field_error::invalid("spec.schedule", schedule,
                                          spec.contains("timeZone")
                                              ? "cannot use both timeZone field and TZ or CRON_TZ in schedule"
                                              : "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"));
    return;
  }
  const std::string fault = cron_schedule_fault(schedule.as_string());
  if (!fault.empty()) errors.push_back(field_error::invalid("spec.schedule", schedule, fault));
}

void check_cron_job(const Object& object, const Object* old, FieldErrors& errors) {
  const Value& spec = object["spec"];
  check_cron_schedule(spec, old, errors);
  for (const std::string_view field :
       {"startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"}) {
    check_not_negative(spec[field], FieldPath("spec").child(field), errors);
  }
  const Value& zone = spec["timeZone"];
  if (zone.is_string() && zone.as_string().empty()) {
    errors.push_back(field_error::invalid("spec.timeZone", zone, "timeZone must be nil or non-empty string"));
  } else if (zone.as_string() == "Local") {
    errors.push_back(field_error::invalid(
        "spec.timeZone", zone, "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"));
  }
  if (old == nullptr && object.name().size() > kMaximumCronJobName) {
    errors.push_back(field_error::invalid("metadata.name", object.name(), too_long_text(kMaximumCronJobName)));
  }
  const FieldPath job = FieldPath("spec").child("jobTemplate").child("spec");
  const Value& job_spec = spec["jobTemplate"]["spec"];
  if (job_spec["selector"].is_object()) {
    errors.push_back(
        field_error::invalid(job.child("selector").text(), job_spec["selector"], "`selector` will be auto-generated"));
  }
  if (job_spec["manualSelector"].as_bool()) {
    constexpr std::string_view kUnset[] = {"nil", "false"};
    errors.push_back(
        field_error::not_supported(job.child("manualSelector").text(), job_spec["manualSelector"], kUnset));
  }
  check_job_spec(job_spec, job, errors);
}

std::vector<std::string> warn_about_schedule(const Object& object, const Object* old) {
  if (old == nullptr || !names_time_zone(object["spec"]["schedule"].as_string())) return {};
  return {"cannot use TZ or CRON_TZ in schedule, use timeZone field instead"};
}

constexpr ResourceRules kBatchRules[] = {
    {"batch", "jobs", prepare_job, nullptr, check_job, nullptr, {}, "Orphan"},
    {"batch", "cronjobs", nullptr, nullptr, check_cron_job, warn_about_schedule},
};

}  // namespace

std::span<const ResourceRules> batch_rules() {
  return kBatchRules;
}

}  // namespace coracle::kube::apiserver
