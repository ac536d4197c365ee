#include <algorithm>
#include <utility>

#include "base/text.h"
#include "kube/apiserver/internal/strategies/pod_template.h"
#include "kube/apiserver/internal/strategies/resource_rules.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/object/int_or_string.h"
#include "kube/object/names.h"
#include "kube/object/selector.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kTemplateGeneration = "deprecated.daemonset.template.generation";

const FieldPath kSpecPath("spec");

void check_spec_counts(const Value& spec, std::initializer_list<std::string_view> fields, FieldErrors& errors) {
  for (const std::string_view field : fields) check_not_negative(spec[field], kSpecPath.child(field), errors);
}

std::int64_t percent_of(const Value& value) {
  if (!value.is_string()) return 0;
  std::string_view text = value.as_string();
  if (!text.ends_with('%')) return 0;
  return parse_int(text.substr(0, text.size() - 1)).value_or(0);
}

bool is_nothing(const Value& value) {
  return value.is_string() ? percent_of(value) == 0 : value.as_int() == 0;
}

// maxUnavailable and maxSurge of a rolling update.
void check_rolling_update(const Value& rolling, const FieldPath& path, FieldErrors& errors) {
  constexpr std::int64_t kWhole = 100;
  for (const std::string_view field : {"maxUnavailable", "maxSurge"}) {
    check_count_or_percent(rolling[field], path.child(field), errors);
  }
  if (is_nothing(rolling["maxUnavailable"]) && is_nothing(rolling["maxSurge"])) {
    errors.push_back(field_error::invalid(path.child("maxUnavailable").text(), rolling["maxUnavailable"],
                                          "may not be 0 when `maxSurge` is 0"));
  }
  if (percent_of(rolling["maxUnavailable"]) > kWhole) {
    errors.push_back(field_error::invalid(path.child("maxUnavailable").text(), rolling["maxUnavailable"],
                                          "must not be greater than 100%"));
  }
}

std::vector<std::string> warn_about_name(const Object& object, const Object* old) {
  if (old != nullptr || object.name().empty()) return {};
  const NameErrors findings = check_dns1123_label(object.name());
  if (findings.empty()) return {};
  std::string text =
      "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; "
      "a DNS label is recommended: [";
  for (std::size_t i = 0; i < findings.size(); ++i) text += (i == 0 ? "" : " ") + findings[i];
  return {text + "]"};
}

// Deployments count changes of annotations too: controllers copy them to replica sets.
Object prepare_deployment(const WriteContext&, const Object& object, const Object* old) {
  if (old == nullptr || object.metadata()["annotations"] == old->metadata()["annotations"]) return object;
  return object.with_metadata("generation", old->generation() + 1);
}

Object prepare_deployment_status(const WriteContext&, const Object& object, const Object& old) {
  return object.with_metadata("labels", old.metadata()["labels"]);
}

void check_deployment(const Object& object, const Object*, FieldErrors& errors) {
  const Value& spec = object["spec"];
  check_spec_counts(spec, {"replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"}, errors);
  check_workload_selector(spec, "empty selector is invalid for deployment", errors);
  check_pod_template(spec["template"], kSpecPath.child("template"), errors);
  check_restart_policy_always(spec["template"], kSpecPath.child("template"), errors);
  const Value& strategy = spec["strategy"];
  const FieldPath rolling = kSpecPath.child("strategy").child("rollingUpdate");
  if (strategy["type"].as_string() == "Recreate" && strategy["rollingUpdate"].is_object()) {
    errors.push_back(field_error::forbidden(rolling.text(), "may not be specified when strategy `type` is 'Recreate'"));
  } else if (strategy["type"].as_string() == "RollingUpdate") {
    check_rolling_update(strategy["rollingUpdate"], rolling, errors);
  }
  const Value& deadline = spec["progressDeadlineSeconds"];
  if (deadline.is_int() && deadline.as_int() <= spec["minReadySeconds"].as_int()) {
    errors.push_back(
        field_error::invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"));
  }
}

void check_replica_set(const Object& object, const Object*, FieldErrors& errors) {
  const Value& spec = object["spec"];
  check_spec_counts(spec, {"replicas", "minReadySeconds"}, errors);
  check_workload_selector(spec, "empty selector is invalid for deployment", errors);
  check_pod_template(spec["template"], kSpecPath.child("template"), errors);
  check_restart_policy_always(spec["template"], kSpecPath.child("template"), errors);
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
  check_restart_policy_always(spec["template"], kSpecPath.child("template"), errors);
}

// Everything of a stateful set's spec but what its controller can roll out.
Value frozen_stateful_part(const Value& spec) {
  Value::ObjectBuilder builder(spec);
  for (const std::string_view field : {"replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
                                       "persistentVolumeClaimRetentionPolicy", "minReadySeconds"}) {
    builder.remove(field);
  }
  return std::move(builder).build();
}

Object prepare_stateful_set(const WriteContext&, const Object& object, const Object*) {
  // The gate of this field is off.
  const Value& strategy = object["spec"]["updateStrategy"];
  if (!strategy["rollingUpdate"].contains("maxUnavailable")) return object;
  const Value rolling = strategy["rollingUpdate"].without("maxUnavailable");
  return object.with("spec", object["spec"].with("updateStrategy", strategy.with("rollingUpdate", rolling)));
}

void check_stateful_set(const Object& object, const Object* old, FieldErrors& errors) {
  const Value& spec = object["spec"];
  check_spec_counts(spec, {"replicas", "minReadySeconds", "revisionHistoryLimit"}, errors);
  check_workload_selector(spec, "empty selector is invalid for statefulset", errors);
  check_pod_template_metadata(spec["template"]["metadata"], kSpecPath.child("template"), errors);
  check_restart_policy_always(spec["template"], kSpecPath.child("template"), errors);
  const Value& strategy = spec["updateStrategy"];
  const FieldPath rolling = kSpecPath.child("updateStrategy").child("rollingUpdate");
  if (strategy["type"].as_string() == "OnDelete" && strategy["rollingUpdate"].is_object()) {
    errors.push_back(field_error::invalid(rolling.text(), strategy["rollingUpdate"],
                                          "only allowed for updateStrategy 'RollingUpdate'"));
  }
  check_not_negative(strategy["rollingUpdate"]["partition"], rolling.child("partition"), errors);
  check_not_negative(spec["ordinals"]["start"], kSpecPath.child("ordinals").child("start"), errors);
  if (old == nullptr || frozen_stateful_part(spec) == frozen_stateful_part((*old)["spec"])) return;
  // One entry for all fields; the schema tables name each of them.
  std::erase_if(errors, [](const Cause& cause) { return cause.message.ends_with(kImmutableField); });
  errors.push_back(field_error::forbidden(
      "spec",
      "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
      "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"));
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

void check_daemon_set(const Object& object, const Object*, FieldErrors& errors) {
  const Value& spec = object["spec"];
  check_spec_counts(spec, {"minReadySeconds", "revisionHistoryLimit"}, errors);
  check_workload_selector(spec, "empty selector is invalid for daemonset", errors);
  check_pod_template(spec["template"], kSpecPath.child("template"), errors);
  check_restart_policy_always(spec["template"], kSpecPath.child("template"), errors);
  const Value& strategy = spec["updateStrategy"];
  if (strategy["type"].as_string() == "RollingUpdate") {
    check_rolling_update(strategy["rollingUpdate"], kSpecPath.child("updateStrategy").child("rollingUpdate"), errors);
  }
}

void check_controller_revision(const Object& object, const Object*, FieldErrors& errors) {
  if (object["data"].is_null()) report(errors, field_error::required("data", "data is mandatory"));
  check_not_negative(object["revision"], FieldPath("revision"), errors);
}

void check_pod_template_object(const Object& object, const Object*, FieldErrors& errors) {
  check_pod_template(object["template"], FieldPath("template"), errors);
}

constexpr ResourceRules kWorkloadRules[] = {
    {"apps", "deployments", prepare_deployment, prepare_deployment_status, check_deployment, warn_about_name},
    {"apps", "replicasets", nullptr, nullptr, check_replica_set, warn_about_name},
    {"apps", "statefulsets", prepare_stateful_set, nullptr, check_stateful_set},
    {"apps", "daemonsets", prepare_daemon_set, nullptr, check_daemon_set},
    {"apps", "controllerrevisions", nullptr, nullptr, check_controller_revision},
    {"", "replicationcontrollers", nullptr, nullptr, check_replication_controller, warn_about_name},
    {"", "podtemplates", nullptr, nullptr, check_pod_template_object},
};

}  // namespace

std::span<const ResourceRules> workload_rules() {
  return kWorkloadRules;
}

}  // namespace coracle::kube::apiserver
