#include <algorithm>
#include <utility>

#include "base/text.h"
#include "kube/apiserver/internal/strategies/internal_form.h"
#include "kube/apiserver/internal/strategies/pods/pod_template.h"
#include "kube/apiserver/internal/strategies/resource_rules.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/apiserver/internal/strategies/workloads/stateful_set_validation.h"
#include "kube/apiserver/internal/strategies/workloads/workload_status.h"
#include "kube/object/selector.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kTemplateGeneration = "deprecated.daemonset.template.generation";

constexpr std::string_view kMalformedSelector = "invalid label selector";

const FieldPath kSpecPath("spec");

void check_spec_counts(const Value& spec, std::initializer_list<std::string_view> fields, FieldErrors& errors) {
  for (const std::string_view field : fields) check_not_negative(spec[field], kSpecPath.child(field), errors);
}

void check_rolling_fields(const Value& rolling, const FieldPath& path, FieldErrors& errors) {
  for (const std::string_view field : {"maxUnavailable", "maxSurge"}) {
    check_count_or_percent(rolling[field], path.child(field), errors);
  }
}

constexpr InternalField kRollingForm[] = {{"maxUnavailable", "MaxUnavailable", kNoNumber},
                                          {"maxSurge", "MaxSurge", kNoNumber}};
constexpr InternalField kStrategyForm[] = {{"type", "Type", kNoText},
                                           {"rollingUpdate", "RollingUpdate", "null", kRollingForm}};

// An update strategy of a type that the kind does not know, as upstream shows it.
void report_strategy(const Value& strategy, const FieldPath& path, std::span<const std::string_view> types,
                     FieldErrors& errors) {
  retract_whole(errors, path.child("type").text());
  errors.push_back(field_error::not_supported(path.text(), internal_form(strategy, kStrategyForm), types));
}

// Deployments count changes of annotations too: controllers copy them to replica sets.
Object prepare_deployment(const WriteContext&, const Object& object, const Object* old) {
  if (old == nullptr || object.metadata()["annotations"] == old->metadata()["annotations"]) return object;
  return object.with_metadata("generation", old->generation() + 1);
}

Object prepare_deployment_status(const WriteContext&, const Object& object, const Object& old) {
  return object.with_metadata("labels", old.metadata()["labels"]);
}

void check_deployment_strategy(const Value& strategy, FieldErrors& errors) {
  constexpr std::string_view kTypes[] = {"Recreate", "RollingUpdate"};
  const FieldPath path = kSpecPath.child("strategy");
  const FieldPath at = path.child("rollingUpdate");
  const Value& rolling = strategy["rollingUpdate"];
  const std::string_view type = strategy["type"].as_string();
  if (type == "RollingUpdate") {
    check_rolling_fields(rolling, at, errors);
    const FieldPath unavailable = at.child("maxUnavailable");
    if (count_or_percent_number(rolling["maxUnavailable"]) == 0 && count_or_percent_number(rolling["maxSurge"]) == 0) {
      errors.push_back(
          field_error::invalid(unavailable.text(), rolling["maxUnavailable"], "may not be 0 when `maxSurge` is 0"));
    }
    check_at_most_whole(rolling["maxUnavailable"], unavailable, errors);
  } else if (type != "Recreate") {
    report_strategy(strategy, path, kTypes, errors);
  } else if (rolling.is_object()) {
    errors.push_back(field_error::forbidden(at.text(), "may not be specified when strategy `type` is 'Recreate'"));
  }
}

void check_deployment(const Object& object, const Object*, FieldErrors& errors) {
  const Value& spec = object["spec"];
  check_spec_counts(spec, {"replicas"}, errors);
  check_workload_selector(spec, {"empty selector is invalid for deployment", kMalformedSelector}, errors);
  check_pod_template(spec["template"], kSpecPath.child("template"), errors);
  check_restart_policy_always(spec["template"], "ReplicaSet", kSpecPath.child("template"), errors);
  check_deployment_strategy(spec["strategy"], errors);
  check_spec_counts(spec, {"minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"}, errors);
  const Value& deadline = spec["progressDeadlineSeconds"];
  if (deadline.is_int() && deadline.as_int() <= spec["minReadySeconds"].as_int()) {
    errors.push_back(
        field_error::invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"));
  }
}

void check_replica_set(const Object& object, const Object*, FieldErrors& errors) {
  const Value& spec = object["spec"];
  check_spec_counts(spec, {"replicas", "minReadySeconds"}, errors);
  check_workload_selector(spec, {"empty selector is invalid for deployment", kMalformedSelector}, errors);
  check_pod_template(spec["template"], kSpecPath.child("template"), errors);
  check_restart_policy_always(spec["template"], "ReplicaSet", kSpecPath.child("template"), errors);
}

void check_replication_controller(const Object& object, const Object*, FieldErrors& errors) {
  const Value& spec = object["spec"];
  check_spec_counts(spec, {"replicas", "minReadySeconds"}, errors);
  if (spec["selector"].empty()) report(errors, field_error::required("spec.selector"));
  if (!spec["template"].is_object()) {
    report(errors, field_error::required("spec.template"));
    return;
  }
  const Value& labels = spec["template"]["metadata"]["labels"];
  if (!spec["selector"].empty() && !LabelSelector::from_labels(spec["selector"]).matches(labels)) {
    errors.push_back(
        field_error::invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`"));
  }
  check_pod_template(spec["template"], kSpecPath.child("template"), errors);
  check_restart_policy_always(spec["template"], "ReplicationController", kSpecPath.child("template"), errors);
}

// spec.templateGeneration lives on as an annotation in v1.
Object prepare_daemon_set(const WriteContext&, const Object& object, const Object* old) {
  const Object& counted = old == nullptr ? object : *old;
  std::int64_t generation = parse_int(counted.annotation(kTemplateGeneration)).value_or(0);
  if (old == nullptr) {
    generation = std::max<std::int64_t>(generation, 1);
  } else if (!(object["spec"]["template"] == (*old)["spec"]["template"])) {
    ++generation;
  }
  return object.with_annotation(kTemplateGeneration, std::to_string(generation));
}

// Controllers that know nothing of the annotation do not take it away.
Object prepare_daemon_set_status(const WriteContext&, const Object& object, const Object& old) {
  if (!old.has_annotation(kTemplateGeneration)) return object;
  return object.with_annotation(kTemplateGeneration, old.annotation(kTemplateGeneration));
}

void check_daemon_strategy(const Value& strategy, FieldErrors& errors) {
  constexpr std::string_view kTypes[] = {"RollingUpdate", "OnDelete"};
  const FieldPath path = kSpecPath.child("updateStrategy");
  const FieldPath at = path.child("rollingUpdate");
  const Value& rolling = strategy["rollingUpdate"];
  const std::string_view type = strategy["type"].as_string();
  if (type == "OnDelete") return;
  if (type != "RollingUpdate") return report_strategy(strategy, path, kTypes, errors);
  check_rolling_fields(rolling, at, errors);
  for (const std::string_view field : {"maxUnavailable", "maxSurge"}) {
    check_at_most_whole(rolling[field], at.child(field), errors);
  }
  // A node has either one pod too few for a moment or one too many.
  const bool unavailable = count_or_percent_number(rolling["maxUnavailable"]) != 0;
  const bool surge = count_or_percent_number(rolling["maxSurge"]) != 0;
  if (unavailable && surge) {
    errors.push_back(field_error::invalid(at.child("maxSurge").text(), rolling["maxSurge"],
                                          "may not be set when maxUnavailable is non-zero"));
  } else if (!unavailable && !surge) {
    errors.push_back(field_error::required(at.child("maxUnavailable").text(), "cannot be 0 when maxSurge is 0"));
  }
}

void check_daemon_set(const Object& object, const Object*, FieldErrors& errors) {
  const Value& spec = object["spec"];
  check_workload_selector(spec, {"empty selector is invalid for daemonset", std::nullopt, false}, errors);
  check_pod_template(spec["template"], kSpecPath.child("template"), errors);
  check_restart_policy_always(spec["template"], "DaemonSet", kSpecPath.child("template"), errors);
  check_spec_counts(spec, {"minReadySeconds"}, errors);
  check_daemon_strategy(spec["updateStrategy"], errors);
  check_spec_counts(spec, {"revisionHistoryLimit"}, errors);
}

void check_controller_revision(const Object& object, const Object* old, FieldErrors& errors) {
  check_not_negative(object["revision"], FieldPath("revision"), errors);
  const Value& data = object["data"];
  if (old != nullptr || data.is_object()) return;
  report(errors,
         field_error::required("data", data.is_null() ? "data is mandatory" : "data must be a valid JSON object"));
}

void check_disruption_budget(const Object& object, const Object*, FieldErrors& errors) {
  const Value& spec = object["spec"];
  if (spec.contains("minAvailable") && spec.contains("maxUnavailable")) {
    const InternalField form[] = {{"minAvailable", "MinAvailable"},
                                  {"selector", "Selector", "null", label_selector_form()},
                                  {"maxUnavailable", "MaxUnavailable"},
                                  {"unhealthyPodEvictionPolicy", "UnhealthyPodEvictionPolicy"}};
    errors.push_back(
        field_error::invalid("spec", internal_form(spec, form), "minAvailable and maxUnavailable cannot be both set"));
  }
  for (const std::string_view field : {"minAvailable", "maxUnavailable"}) {
    check_count_or_percent(spec[field], kSpecPath.child(field), errors);
    check_at_most_whole(spec[field], kSpecPath.child(field), errors);
  }
  check_label_selector(spec["selector"], kSpecPath.child("selector"), errors);
}

void check_pod_template_object(const Object& object, const Object* old, FieldErrors& errors) {
  check_pod_template(object["template"], FieldPath("template"), errors, old == nullptr ? nullptr : &(*old)["template"]);
}

constexpr ResourceRules kWorkloadRules[] = {
    {.group = "apps",
     .resource = "deployments",
     .prepare = prepare_deployment,
     .prepare_status = prepare_deployment_status,
     .check = check_deployment,
     .warn = warn_about_pod_name,
     .check_status = check_workload_status},
    {.group = "apps",
     .resource = "replicasets",
     .check = check_replica_set,
     .warn = warn_about_pod_name,
     .check_status = check_workload_status},
    {.group = "apps",
     .resource = "statefulsets",
     .prepare = prepare_stateful_set,
     .check = check_stateful_set,
     .warn = warn_about_stateful_set,
     .check_status = check_workload_status},
    {.group = "apps",
     .resource = "daemonsets",
     .prepare = prepare_daemon_set,
     .prepare_status = prepare_daemon_set_status,
     .check = check_daemon_set,
     .check_status = check_workload_status},
    {.group = "apps", .resource = "controllerrevisions", .check = check_controller_revision},
    {.group = "",
     .resource = "replicationcontrollers",
     .check = check_replication_controller,
     .warn = warn_about_pod_name,
     .propagation = "Orphan",
     .check_status = check_workload_status},
    {.group = "", .resource = "podtemplates", .check = check_pod_template_object},
    {.group = "policy",
     .resource = "poddisruptionbudgets",
     .check = check_disruption_budget,
     .check_status = check_workload_status},
};

}  // namespace

std::span<const ResourceRules> workload_rules() {
  return kWorkloadRules;
}

}  // namespace coracle::kube::apiserver
