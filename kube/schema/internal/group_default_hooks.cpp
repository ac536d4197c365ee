#include <array>
#include <limits>
#include <string>

#include "kube/schema/internal/default_hooks.h"

namespace coracle::kube::internal {
namespace {

constexpr std::string_view kRbacGroup = "rbac.authorization.k8s.io";

// RollingUpdate without its parameters gets an empty set of them, which has defaults of its own.
void default_rolling_update(StructDraft& strategy, WallTime) {
  if (strategy["type"].as_string() == "RollingUpdate") strategy.set_default("rollingUpdate", Value::object());
}

// Only a strategy that names no type gets parameters.
void default_stateful_set_strategy(StructDraft& strategy, WallTime) {
  if (!strategy["type"].as_string().empty()) return;
  strategy.set("type", Value("RollingUpdate"));
  strategy.set_default("rollingUpdate", Value::object());
}

// The store's form of a claim has no type information in a template; readers get it back.
void default_stateful_set(StructDraft& spec, WallTime) {
  if (spec["volumeClaimTemplates"].empty()) return;
  const Schema& claim = field_schema(spec.schema(), "volumeClaimTemplates");
  std::vector<Value> templates;
  for (const Value& item : spec["volumeClaimTemplates"].items()) {
    StructDraft draft(item, claim);
    if (draft["kind"].as_string().empty()) draft.set("kind", Value("PersistentVolumeClaim"));
    if (draft["apiVersion"].as_string().empty()) draft.set("apiVersion", Value("v1"));
    templates.push_back(std::move(draft).build());
  }
  Value changed = Value::array(std::move(templates));
  if (!(changed == spec["volumeClaimTemplates"])) spec.set("volumeClaimTemplates", std::move(changed));
}

void default_job(StructDraft& job, WallTime) {
  if (!job["spec"].is_object()) return;
  StructDraft spec(job["spec"], field_schema(job.schema(), "spec"));
  if (spec.absent("completions") && spec.absent("parallelism")) spec.set("completions", Value(1));
  spec.set_default("parallelism", Value(1));
  const bool by_index = !spec.absent("backoffLimitPerIndex");
  spec.set_default("backoffLimit", by_index ? Value(std::numeric_limits<std::int32_t>::max()) : Value(6));
  spec.set_default("completionMode", Value("NonIndexed"));
  spec.set_default("suspend", Value(false));
  spec.set_default("podReplacementPolicy", Value(spec.absent("podFailurePolicy") ? "TerminatingOrFailed" : "Failed"));
  spec.set_default("manualSelector", Value(false));
  const Value labels = spec["template"]["metadata"]["labels"];
  job.set("spec", std::move(spec).build());
  if (labels.empty() || !job["metadata"]["labels"].empty()) return;
  StructDraft metadata(job["metadata"], field_schema(job.schema(), "metadata"));
  metadata.set("labels", labels);
  job.set("metadata", std::move(metadata).build());
}

Value scaling_rules(const Value& given, const Schema& schema, std::int64_t window, bool has_window, Value policies) {
  StructDraft rules(given.is_object() ? given : Value::object(), schema);
  if (has_window) rules.set_default("stabilizationWindowSeconds", Value(window));
  rules.set_default("selectPolicy", Value("Max"));
  rules.set_default("policies", std::move(policies));
  return std::move(rules).build();
}

Value scaling_policy(std::string_view type, std::int64_t value) {
  return Value::object({{"type", Value(type)}, {"value", Value(value)}, {"periodSeconds", Value(15)}});
}

void default_scaling_behaviour(StructDraft& behaviour, WallTime) {
  const Schema& rules = field_schema(behaviour.schema(), "scaleUp");
  behaviour.set("scaleUp", scaling_rules(behaviour["scaleUp"], rules, 0, true,
                                         Value::array({scaling_policy("Pods", 4), scaling_policy("Percent", 100)})));
  behaviour.set("scaleDown",
                scaling_rules(behaviour["scaleDown"], rules, 0, false, Value::array({scaling_policy("Percent", 100)})));
}

void default_network_policy(StructDraft& spec, WallTime) {
  if (!spec["policyTypes"].empty()) return;
  Value::ArrayBuilder types;
  types.add("Ingress");
  if (!spec["egress"].empty()) types.add("Egress");
  spec.set("policyTypes", std::move(types).build());
}

void default_subject(StructDraft& subject, WallTime) {
  const std::string_view kind = subject["kind"].as_string();
  if (subject["apiGroup"].as_string().empty() && (kind == "User" || kind == "Group")) {
    subject.set("apiGroup", Value(kRbacGroup));
  }
}

void default_device_request(StructDraft& request, WallTime) {
  if (request["allocationMode"].as_string() == "ExactCount" && request["count"].as_int() == 0) {
    request.set("count", Value(1));
  }
}

void default_device_taint(StructDraft& taint, WallTime now) {
  taint.set_default("timeAdded", Value(format_time(now)));
}

void default_names(StructDraft& names, WallTime) {
  const std::string kind(names["kind"].as_string());
  if (names["singular"].as_string().empty() && !kind.empty()) {
    std::string lower = kind;
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    names.set("singular", Value(lower));
  }
  if (names["listKind"].as_string().empty() && !kind.empty()) names.set("listKind", Value(kind + "List"));
}

void default_custom_resource_definition(StructDraft& definition, WallTime) {
  if (!definition["status"]["storedVersions"].empty()) return;
  for (const Value& version : definition["spec"]["versions"].items()) {
    if (!version["storage"].as_bool()) continue;
    StructDraft status(definition["status"], field_schema(definition.schema(), "status"));
    status.set("storedVersions", Value::array({version["name"]}));
    definition.set("status", std::move(status).build());
    return;
  }
}

constexpr std::array kGroupHooks = {
    DefaultHookRow{"io.k8s.api.apps.v1.DaemonSetUpdateStrategy", default_rolling_update},
    DefaultHookRow{"io.k8s.api.apps.v1.DeploymentStrategy", default_rolling_update},
    DefaultHookRow{"io.k8s.api.apps.v1.StatefulSetSpec", default_stateful_set},
    DefaultHookRow{"io.k8s.api.apps.v1.StatefulSetUpdateStrategy", default_stateful_set_strategy},
    DefaultHookRow{"io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerBehavior", default_scaling_behaviour},
    DefaultHookRow{"io.k8s.api.batch.v1.Job", default_job},
    DefaultHookRow{"io.k8s.api.networking.v1.NetworkPolicySpec", default_network_policy},
    DefaultHookRow{"io.k8s.api.rbac.v1.Subject", default_subject},
    DefaultHookRow{"io.k8s.api.resource.v1.DeviceSubRequest", default_device_request},
    DefaultHookRow{"io.k8s.api.resource.v1.DeviceTaint", default_device_taint},
    DefaultHookRow{"io.k8s.api.resource.v1.ExactDeviceRequest", default_device_request},
    DefaultHookRow{"io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
                   default_custom_resource_definition},
    DefaultHookRow{"io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionNames",
                   default_names},
};

}  // namespace

std::span<const DefaultHookRow> group_default_hooks() {
  return kGroupHooks;
}

}  // namespace coracle::kube::internal
