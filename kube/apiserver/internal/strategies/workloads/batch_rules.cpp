#include <map>
#include <utility>

#include "kube/apiserver/internal/strategies/pods/pod_template.h"
#include "kube/apiserver/internal/strategies/resource_rules.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/apiserver/internal/strategies/workloads/cron_schedule.h"
#include "kube/apiserver/internal/strategies/workloads/job_validation.h"
#include "kube/object/conditions.h"
#include "kube/object/names.h"
#include "kube/object/selector.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kControllerUid = "batch.kubernetes.io/controller-uid";
constexpr std::string_view kJobName = "batch.kubernetes.io/job-name";
constexpr std::string_view kOldControllerUid = "controller-uid";
constexpr std::string_view kOldJobName = "job-name";
// A cron job's name, so that its jobs' names, 11 characters longer, fit into a label.
constexpr std::size_t kMaxCronJobName = 52;
constexpr std::string_view kZoneInSchedule = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";

using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

// The labels by which a job's pods are known, with what they must be.
Labels generated_labels(const Object& job) {
  return {
      {kOldJobName, job.name()}, {kJobName, job.name()}, {kOldControllerUid, job.uid()}, {kControllerUid, job.uid()}};
}

// Sorted, as upstream shows them in its messages. A label that is there already stays, for the validation to refuse.
Value with_missing_labels(const Value& labels, const Labels& more) {
  std::map<std::string_view, Value> sorted;
  for (const Value::Member& label : labels.members()) sorted.emplace(label.key, label.value);
  for (const auto& [key, value] : more) sorted.emplace(key, value);
  Value::ObjectBuilder builder;
  for (const auto& [key, value] : sorted) builder.append(std::string(key), value);
  return std::move(builder).build();
}

// A job selects its pods by its own uid, unless its author took that over.
Object prepare_job(const WriteContext&, const Object& object, const Object* old) {
  if (old != nullptr || object["spec"]["manualSelector"].as_bool()) return object;
  const Value& spec = object["spec"];
  const Value& pod_template = spec["template"];
  const Value& template_labels = pod_template["metadata"]["labels"];
  const Value labels = with_missing_labels(template_labels, generated_labels(object));
  const Value metadata = pod_template["metadata"].with("labels", labels);
  const Value& given = spec["selector"];
  Value::ObjectBuilder selector;
  selector.set("matchLabels", with_missing_labels(given["matchLabels"], {{kControllerUid, object.uid()}}));
  if (const Value* expressions = given.find("matchExpressions")) selector.set("matchExpressions", *expressions);
  const Value changed =
      spec.with("template", pod_template.with("metadata", metadata)).with("selector", std::move(selector).build());
  Object job = object.with("spec", changed);
  // A job without labels gets its template's. Defaulting has done so where the template had some: then both are one
  // tree, and what is added to the one is added to the other. Labels of its own stay, even if they are the same.
  const Value& own = object.metadata()["labels"];
  return own.empty() || own.same_tree(template_labels) ? job.with_metadata("labels", labels) : job;
}

// `prefixed`: are the newer of the labels looked for too? Jobs of old have not got them.
void check_generated_selector(const Object& object, bool prefixed, FieldErrors& errors) {
  const Value& spec = object["spec"];
  if (spec["manualSelector"].as_bool() || spec["selector"].is_null()) return;
  const FieldPath path = FieldPath("spec").child("template").child("metadata").child("labels");
  const Value& labels = spec["template"]["metadata"]["labels"];
  Value::ObjectBuilder expected;
  for (const auto& [key, value] : generated_labels(object)) {
    if (!prefixed && (key == kJobName || key == kControllerUid)) continue;
    expected.set(key, value);
    const std::string detail = "must be '" + std::string(value) + "'";
    if (!labels.contains(key)) {
      errors.push_back(field_error::required(path.key(key).text(), detail));
    } else if (labels[key].as_string() != value) {
      errors.push_back(field_error::invalid(path.key(key).text(), labels, detail));
    }
  }
  const auto selector = LabelSelector::from_value(spec["selector"]);
  if (selector.ok() && !selector->matches(std::move(expected).build())) {
    errors.push_back(field_error::invalid("spec.selector", spec["selector"], "`selector` not auto-generated"));
  }
}

// Pods of an indexed job have its name and their index for a host name.
void check_indexed_name(const Object& object, FieldErrors& errors) {
  const Value& spec = object["spec"];
  if (spec["completionMode"].as_string() != "Indexed" || spec["completions"].as_int() <= 0) return;
  const std::string longest = std::string(object.name()) + "-" + std::to_string(spec["completions"].as_int() - 1);
  if (check_dns1123_label(longest).empty()) return;
  errors.push_back(field_error::invalid("metadata.name", object.name(),
                                        "will not able to create pod with invalid DNS label: " + longest));
}

// A template in which what the scheduler goes by is that of another one.
Value with_scheduling_of(const Value& pod_template, const Value& other) {
  const auto take = [&](const Value& into, const Value& from, std::initializer_list<std::string_view> fields) {
    Value::ObjectBuilder builder(into);
    for (const std::string_view field : fields) {
      const Value* given = from.find(field);
      given == nullptr ? builder.remove(field) : builder.set(field, *given);
    }
    return std::move(builder).build();
  };
  Value spec = take(pod_template["spec"], other["spec"], {"nodeSelector", "tolerations", "schedulingGates"});
  const Value& wanted = other["spec"]["affinity"];
  const Value affinity = take(spec["affinity"], wanted, {"nodeAffinity"});
  // One that held nothing else may go as a whole.
  spec = affinity.empty() && wanted.is_null() ? spec.without("affinity") : spec.with("affinity", affinity);
  const Value metadata = take(pod_template["metadata"], other["metadata"], {"labels", "annotations"});
  return pod_template.with("spec", spec).with("metadata", metadata);
}

// A pod spec whose containers have the resources of another one's, where they are the same containers.
Value with_resources_of(const Value& pod, const Value& other) {
  Value changed = pod;
  for (const std::string_view list : {"containers", "initContainers"}) {
    if (pod[list].empty() || pod[list].size() != other[list].size()) continue;
    Value::ArrayBuilder containers;
    for (std::size_t i = 0; i < pod[list].size(); ++i) {
      const Value& container = pod[list].at(i);
      const Value& like = other[list].at(i);
      const bool same = container["name"] == like["name"];
      const Value* resources = like.find("resources");
      containers.add(!same                  ? container
                     : resources == nullptr ? container.without("resources")
                                            : container.with("resources", *resources));
    }
    changed = changed.with(list, std::move(containers).build());
  }
  return changed;
}

// The template may change while nothing of the job runs: it is suspended and has not started, or has stopped.
void check_template_change(const Value& pod_template, const Object& old, FieldErrors& errors) {
  const Value& before = old["spec"]["template"];
  const bool idle =
      old["spec"]["suspend"].as_bool() && old["status"]["active"].as_int() == 0 &&
      (old["status"]["startTime"].is_null() || condition_is_true(old["status"]["conditions"], "Suspended"));
  if (!idle) {
    if (!(pod_template == before)) {
      errors.push_back(field_error::invalid("spec.template", pod_template, kImmutableField));
    }
    return;
  }
  const Value& pod = pod_template["spec"];
  if (!(pod == with_resources_of(with_scheduling_of(before, pod_template)["spec"], pod))) {
    errors.push_back(field_error::invalid("spec.template.spec", pod, kImmutableField));
  }
}

void check_job_change(const Value& spec, const Object& old, FieldErrors& errors) {
  const Value& before = old["spec"];
  const Value& completions = spec["completions"];
  if (!(completions == before["completions"])) {
    if (spec["completionMode"].as_string() != "Indexed") {
      errors.push_back(field_error::invalid("spec.completions", completions, kImmutableField));
    } else if (completions.is_int() && !(completions == spec["parallelism"])) {
      errors.push_back(field_error::invalid("spec.completions", completions,
                                            "can only be modified in tandem with spec.parallelism"));
    }
  }
  const auto check_same = [&](std::string_view field, Value (*form)(const Value&) = nullptr) {
    if (spec[field] == before[field]) return;
    const Value shown = form == nullptr ? spec[field] : form(spec[field]);
    errors.push_back(field_error::invalid("spec." + std::string(field), shown, kImmutableField));
  };
  check_same("selector");
  check_template_change(spec["template"], old, errors);
  check_same("completionMode");
  check_same("podFailurePolicy", internal_failure_policy);
  check_same("backoffLimitPerIndex");
  check_same("managedBy");
  check_same("successPolicy", internal_success_policy);
}

void check_job(const Object& object, const Object* old, FieldErrors& errors) {
  const Value& spec = object["spec"];
  const Value* const labels = old == nullptr ? nullptr : &(*old)["spec"]["template"]["metadata"]["labels"];
  check_generated_selector(
      object, labels == nullptr || (labels->contains(kJobName) && labels->contains(kControllerUid)), errors);
  // Labels that a job has only from those of its pods are told as the template's.
  const Value& own = object.metadata()["labels"];
  if (old == nullptr && own.size() == generated_labels(object).size() &&
      own.same_tree(spec["template"]["metadata"]["labels"])) {
    retract_whole(errors, "metadata.labels");
  }
  check_job_spec(spec, FieldPath("spec"), errors);
  check_workload_selector(spec, {.empty = std::nullopt, .malformed = std::nullopt}, errors);
  check_indexed_name(object, errors);
  if (old != nullptr) check_job_change(spec, *old, errors);
}

std::vector<std::string> job_warnings(const Value& spec, std::string_view path) {
  constexpr std::int64_t kManyCompletions = 100000;
  constexpr std::int64_t kMuchParallelism = 10000;
  if (spec["completionMode"].as_string() != "Indexed" || spec["completions"].as_int() <= kManyCompletions ||
      spec["parallelism"].as_int() <= kMuchParallelism) {
    return {};
  }
  return {std::string(path) +
          ": In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, "
          "Kubernetes might not be able to track completedIndexes when a big number of indexes fail"};
}

std::vector<std::string> warn_about_job(const Object& object, const Object* old) {
  if (old != nullptr && object.generation() == old->generation()) return {};
  std::vector<std::string> warnings = warn_about_pod_name(object, old);
  for (std::string& text : job_warnings(object["spec"], "spec")) warnings.push_back(std::move(text));
  return warnings;
}

bool names_time_zone(std::string_view schedule) {
  return schedule.find("TZ") != std::string_view::npos;
}

// A zone in the schedule is no longer taken, but stays where it is.
void check_cron_schedule(const Value& spec, const Object* old, FieldErrors& errors) {
  const Value& schedule = spec["schedule"];
  const std::string_view text = schedule.as_string();
  if (text.empty()) {
    report(errors, field_error::required("spec.schedule"));
    return;
  }
  const std::string fault = cron_schedule_fault(text);
  if (!fault.empty()) errors.push_back(field_error::invalid("spec.schedule", schedule, fault));
  if (!names_time_zone(text)) return;
  if (old == nullptr || !names_time_zone((*old)["spec"]["schedule"].as_string())) {
    errors.push_back(field_error::invalid("spec.schedule", schedule, kZoneInSchedule));
  } else if (spec.contains("timeZone")) {
    errors.push_back(field_error::invalid("spec.schedule", schedule,
                                          "cannot use both timeZone field and TZ or CRON_TZ in schedule"));
  }
}

void check_job_template(const Value& spec, FieldErrors& errors) {
  const FieldPath path = FieldPath("spec").child("jobTemplate").child("spec");
  check_job_spec(spec, path, errors);
  if (spec["selector"].is_object()) {
    errors.push_back(
        field_error::invalid(path.child("selector").text(), spec["selector"], "`selector` will be auto-generated"));
  }
  if (spec["manualSelector"].as_bool()) {
    constexpr std::string_view kUnset[] = {"nil", "false"};
    errors.push_back(field_error::not_supported(path.child("manualSelector").text(), spec["manualSelector"], kUnset));
  }
}

void check_cron_job(const Object& object, const Object* old, FieldErrors& errors) {
  const Value& spec = object["spec"];
  check_cron_schedule(spec, old, errors);
  check_not_negative(spec["startingDeadlineSeconds"], FieldPath("spec").child("startingDeadlineSeconds"), errors);
  const Value& zone = spec["timeZone"];
  if (zone.is_string() && (old == nullptr || !((*old)["spec"]["timeZone"] == zone))) {
    add_name_errors(FieldPath("spec").child("timeZone"), zone, time_zone_faults(zone.as_string()), errors);
  }
  check_job_template(spec["jobTemplate"]["spec"], errors);
  for (const std::string_view field : {"successfulJobsHistoryLimit", "failedJobsHistoryLimit"}) {
    check_not_negative(spec[field], FieldPath("spec").child(field), errors);
  }
  if (old == nullptr && object.name().size() > kMaxCronJobName) {
    errors.push_back(field_error::invalid("metadata.name", object.name(), too_long_text(kMaxCronJobName)));
  }
}

std::vector<std::string> warn_about_cron_job(const Object& object, const Object* old) {
  std::vector<std::string> warnings = warn_about_pod_name(object, old);
  if (old == nullptr || object.generation() != old->generation()) {
    for (std::string& text : job_warnings(object["spec"]["jobTemplate"]["spec"], "spec.jobTemplate.spec")) {
      warnings.push_back(std::move(text));
    }
  }
  if (old != nullptr && names_time_zone(object["spec"]["schedule"].as_string())) {
    warnings.emplace_back(kZoneInSchedule);
  }
  return warnings;
}

constexpr ResourceRules kBatchRules[] = {
    {.group = "batch",
     .resource = "jobs",
     .prepare = prepare_job,
     .check = check_job,
     .warn = warn_about_job,
     .propagation = "Orphan",
     .check_status = check_job_status},
    {.group = "batch", .resource = "cronjobs", .check = check_cron_job, .warn = warn_about_cron_job},
};

}  // namespace

std::span<const ResourceRules> batch_rules() {
  return kBatchRules;
}

}  // namespace coracle::kube::apiserver
