#include <algorithm>

#include "base/text.h"
#include "kube/apiserver/internal/strategies/field_check.h"
#include "kube/apiserver/internal/strategies/resource_rules.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/apiserver/internal/strategies/workloads/workload_status.h"
#include "kube/object/quantity.h"
#include "kube/schema/field_error.h"

// https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/horizontal-pod-autoscaler-v2/
namespace coracle::kube::apiserver {

namespace {

constexpr std::int64_t kLongestPeriod = 1800;
constexpr std::int64_t kLongestWindow = 3600;

constexpr std::string_view kMetricTypes[] = {"ContainerResource", "External", "Object", "Pods", "Resource"};

enum class MetricName : std::uint8_t { Metric, Resource, ContainerResource };

// A source of metrics: what names the metric, and which of its targets' values it goes by.
struct MetricSource {
  std::string_view type;
  std::string_view field;
  MetricName identity;
  std::string_view values[2];  // one of them must be set; the second may be empty
  std::string_view missing;    // what is said when none is, of the path below
  std::string_view missing_at;
  std::string_view both;  // what is said when both are, if that is wrong, of the path below
  std::string_view both_at;
};

// In the order in which upstream looks for them: of several, the first is checked.
constexpr MetricSource kMetricSources[] = {
    {"Object",
     "object",
     MetricName::Metric,
     {"value", "averageValue"},
     "must set either a target value or averageValue",
     "averageValue",
     "",
     ""},
    {"External",
     "external",
     MetricName::Metric,
     {"value", "averageValue"},
     "must set either a target value for metric or a per-pod target",
     "averageValue",
     "may not set both a target value for metric and a per-pod target",
     "value"},
    {"Pods",
     "pods",
     MetricName::Metric,
     {"averageValue", ""},
     "must specify a positive target averageValue",
     "averageValue",
     "",
     ""},
    {"Resource",
     "resource",
     MetricName::Resource,
     {"averageUtilization", "averageValue"},
     "must set either a target raw value or a target utilization",
     "averageUtilization",
     "may not set both a target raw value and a target utilization",
     "averageValue"},
    {"ContainerResource",
     "containerResource",
     MetricName::ContainerResource,
     {"averageUtilization", "averageValue"},
     "must set either a target raw value or a target utilization",
     "averageUtilization",
     "may not set both a target raw value and a target utilization",
     "averageValue"},
};

// How much an apiVersion of a reference is looked at.
enum class GroupCheck : std::uint8_t { None, AnyGroup, NamedGroup };

std::string group_fault(std::string_view api_version, GroupCheck check) {
  if (check == GroupCheck::None) return {};
  if (std::count(api_version.begin(), api_version.end(), '/') > 1) {
    return "unexpected GroupVersion string: " + std::string(api_version);
  }
  const bool grouped = api_version.find('/') != std::string_view::npos && !api_version.starts_with('/');
  return grouped || check == GroupCheck::AnyGroup ? std::string() : "apiVersion must specify API group";
}

void check_path_segment(const Value& name, const FieldPath& path, std::string_view missing, FieldErrors& errors) {
  if (name.as_string().empty()) {
    errors.push_back(field_error::required(path.text(), missing));
  } else {
    add_name_errors(path, name, check_path_segment_name(name.as_string()), errors);
  }
}

void check_scale_reference(const Value& reference, GroupCheck check, const FieldPath& path, FieldErrors& errors) {
  for (const std::string_view field : {"kind", "name"})
    check_path_segment(reference[field], path.child(field), {}, errors);
  const std::string_view api_version = reference["apiVersion"].as_string();
  const std::string fault = group_fault(api_version, check);
  if (!fault.empty()) errors.push_back(field_error::invalid(path.child("apiVersion").text(), api_version, fault));
}

void check_container_resource_name(const Value& name, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kStandard[] = {"cpu", "memory", "ephemeral-storage"};
  const std::string_view text = name.as_string();
  add_name_errors(path, name, check_qualified_name(text), errors);
  if (text.find('/') != std::string_view::npos || text.starts_with("hugepages-")) return;
  if (is_listed(text, kStandard)) return;
  add_name_errors(path, name,
                  {"must be a standard resource type or fully qualified", "must be a standard resource for containers"},
                  errors);
}

void check_metric_name(const Value& source, MetricName identity, const FieldPath& path, FieldErrors& errors) {
  if (identity == MetricName::Metric) {
    check_path_segment(source["metric"]["name"], path.child("metric").child("name"), "must specify a metric name",
                       errors);
    return;
  }
  const bool in_container = identity == MetricName::ContainerResource;
  const Value& name = source["name"];
  if (name.as_string().empty()) {
    errors.push_back(field_error::required(path.child("name").text(), "must specify a resource name"));
  } else if (in_container) {
    check_container_resource_name(name, path.child("name"), errors);
  }
  if (!in_container) return;
  const Value& container = source["container"];
  if (container.as_string().empty()) {
    errors.push_back(field_error::required(path.child("container").text(), "must specify a container"));
  } else {
    add_name_errors(path.child("container"), container, check_dns1123_label(container.as_string()), errors);
  }
}

void check_metric_target(const Value& target, const FieldPath& path, FieldErrors& errors) {
  const std::string_view type = target["type"].as_string();
  const std::string at = path.child("type").text();
  if (type.empty()) errors.push_back(field_error::required(at, "must specify a metric target type"));
  if (type != "Utilization" && type != "Value" && type != "AverageValue") {
    errors.push_back(field_error::invalid(at, type, "must be either Utilization, Value, or AverageValue"));
  }
  for (const std::string_view field : {"value", "averageValue"}) {
    const auto amount = Quantity::from_value(target[field]);
    if (target[field].is_null() || !amount.ok() || amount->sign() > 0) continue;
    errors.push_back(field_error::invalid(path.child(field).text(), target[field], "must be positive"));
  }
  const Value& utilization = target["averageUtilization"];
  if (utilization.is_int() && utilization.as_int() < 1) {
    errors.push_back(
        field_error::invalid(path.child("averageUtilization").text(), utilization, "must be greater than 0"));
  }
}

void check_metric_source(const Value& source, const MetricSource& rules, GroupCheck group, const FieldPath& path,
                         FieldErrors& errors) {
  if (rules.type == "Object") {
    check_scale_reference(source["describedObject"], group, path.child("describedObject"), errors);
  }
  check_metric_name(source, rules.identity, path, errors);
  const FieldPath at = path.child("target");
  const Value& target = source["target"];
  check_metric_target(target, at, errors);
  const bool first = target.contains(rules.values[0]);
  const bool second = !rules.values[1].empty() && target.contains(rules.values[1]);
  if (!first && !second) {
    errors.push_back(field_error::required(at.child(rules.missing_at).text(), rules.missing));
  } else if (first && second && !rules.both.empty()) {
    errors.push_back(field_error::forbidden(at.child(rules.both_at).text(), rules.both));
  }
}

void check_metric(const Value& metric, GroupCheck group, const FieldPath& path, FieldErrors& errors) {
  const std::string_view type = metric["type"].as_string();
  if (type.empty())
    errors.push_back(field_error::required(path.child("type").text(), "must specify a metric source type"));
  const bool known = is_listed(type, kMetricTypes);
  if (!known) errors.push_back(field_error::not_supported(path.child("type").text(), type, kMetricTypes));
  const MetricSource* named = nullptr;
  std::vector<std::string_view> given;
  for (const MetricSource& rules : kMetricSources) {
    if (rules.type == type) named = &rules;
    if (!metric[rules.field].is_object()) continue;
    given.push_back(rules.field);
    if (given.size() == 1) check_metric_source(metric[rules.field], rules, group, path.child(rules.field), errors);
  }
  if (named == nullptr) {
    errors.push_back(field_error::not_supported(path.child("type").text(), type, kMetricTypes));
  } else if (!metric[named->field].is_object()) {
    errors.push_back(field_error::required(path.child(named->field).text(),
                                           "must populate information for the given metric source"));
  }
  if (given.size() == 1) return;
  for (const std::string_view field : given) {
    if (named != nullptr && field == named->field) continue;
    errors.push_back(field_error::forbidden(path.child(field).text(), "must populate the given metric source only"));
  }
}

void check_scaling_policy(const Value& policy, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kTypes[] = {"Percent", "Pods"};
  const std::string_view type = policy["type"].as_string();
  if (type != kTypes[0] && type != kTypes[1]) {
    errors.push_back(field_error::not_supported(path.child("type").text(), type, kTypes));
  }
  for (const std::string_view field : {"value", "periodSeconds"}) {
    if (policy[field].as_int() > 0) continue;
    errors.push_back(
        field_error::invalid(path.child(field).text(), policy[field].as_int(), "must be greater than zero"));
  }
  if (policy["periodSeconds"].as_int() > kLongestPeriod) {
    errors.push_back(field_error::invalid(path.child("periodSeconds").text(), policy["periodSeconds"],
                                          "must be less than or equal to " + std::to_string(kLongestPeriod)));
  }
}

void check_scaling_rules(const Value& rules, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kSelections[] = {"Disabled", "Max", "Min"};
  if (!rules.is_object()) return;
  const Value& window = rules["stabilizationWindowSeconds"];
  const std::string window_path = path.child("stabilizationWindowSeconds").text();
  if (window.as_int() < 0) {
    errors.push_back(field_error::invalid(window_path, window, "must be greater than or equal to zero"));
  }
  if (window.as_int() > kLongestWindow) {
    errors.push_back(
        field_error::invalid(window_path, window, "must be less than or equal to " + std::to_string(kLongestWindow)));
  }
  const Value& selection = rules["selectPolicy"];
  if (selection.is_string() && !is_listed(selection.as_string(), kSelections)) {
    errors.push_back(field_error::not_supported(path.child("selectPolicy").text(), selection, kSelections));
  }
  const Value& policies = rules["policies"];
  const FieldPath policies_path = path.child("policies");
  if (policies.empty()) {
    errors.push_back(field_error::required(policies_path.text(), "must specify at least one Policy"));
  }
  for (std::size_t i = 0; i < policies.size(); ++i) {
    check_scaling_policy(policies.at(i), policies_path.index(i), errors);
  }
  const auto tolerance = Quantity::from_value(rules["tolerance"]);
  if (tolerance.ok() && tolerance->sign() < 0) {
    errors.push_back(field_error::invalid(path.child("tolerance").text(), rules["tolerance"], kNotNegative));
  }
}

void check_replica_bounds(const Value& spec, std::int64_t lowest, FieldErrors& errors) {
  const Value& least = spec["minReplicas"];
  const std::int64_t most = spec["maxReplicas"].as_int();
  if (least.is_int() && least.as_int() < lowest) {
    errors.push_back(
        field_error::invalid("spec.minReplicas", least, "must be greater than or equal to " + std::to_string(lowest)));
  }
  if (most == 0) {
    errors.push_back(field_error::required("spec.maxReplicas", "must be set and greater than 0"));
  } else if (most < 0) {
    errors.push_back(field_error::invalid("spec.maxReplicas", most, "must be greater than or equal to 1"));
  }
  if (least.is_int() && most < least.as_int()) {
    errors.push_back(field_error::invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`"));
  }
}

// What the reference may leave out; one that is stored already and has not changed, anything.
GroupCheck target_check(const Value& target, const Object* old) {
  if (old != nullptr) {
    const Value& before = (*old)["spec"]["scaleTargetRef"];
    if (before["apiVersion"] == target["apiVersion"] && before["kind"] == target["kind"]) return GroupCheck::None;
  }
  return target["kind"].as_string() == "ReplicationController" ? GroupCheck::AnyGroup : GroupCheck::NamedGroup;
}

GroupCheck metrics_check(const Object* old) {
  if (old == nullptr) return GroupCheck::AnyGroup;
  for (const Value& metric : (*old)["spec"]["metrics"].items()) {
    const Value& object = metric["object"]["describedObject"];
    if (!group_fault(object["apiVersion"].as_string(), GroupCheck::AnyGroup).empty()) return GroupCheck::None;
  }
  return GroupCheck::AnyGroup;
}

void check_metrics(const Value& spec, const Object* old, FieldErrors& errors) {
  const FieldPath path = FieldPath("spec").child("metrics");
  const Value& metrics = spec["metrics"];
  bool known_without_pods = false;
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    check_metric(metrics.at(i), metrics_check(old), path.index(i), errors);
    const std::string_view type = metrics.at(i)["type"].as_string();
    known_without_pods = known_without_pods || type == "Object" || type == "External";
  }
  const Value& least = spec["minReplicas"];
  if (least.is_int() && least.as_int() == 0 && !known_without_pods) {
    errors.push_back(field_error::forbidden(
        path.text(), "must specify at least one Object or External metric to support scaling to zero replicas"));
  }
}

void check_autoscaler(const Object& object, const Object* old, FieldErrors& errors) {
  const Value& spec = object["spec"];
  retract_whole(errors, "spec");
  // The gate of scaling to zero is off; an autoscaler that has it stays.
  const bool had_zero =
      old != nullptr && (*old)["spec"]["minReplicas"].is_int() && (*old)["spec"]["minReplicas"].as_int() == 0;
  check_replica_bounds(spec, had_zero ? 0 : 1, errors);
  const FieldPath path("spec");
  check_scale_reference(spec["scaleTargetRef"], target_check(spec["scaleTargetRef"], old), path.child("scaleTargetRef"),
                        errors);
  check_metrics(spec, old, errors);
  for (const std::string_view direction : {"scaleUp", "scaleDown"}) {
    check_scaling_rules(spec["behavior"][direction], path.child("behavior").child(direction), errors);
  }
}

constexpr ResourceRules kAutoscalingRules[] = {
    {.group = "autoscaling",
     .resource = "horizontalpodautoscalers",
     .check = check_autoscaler,
     .check_status = check_workload_status},
};

}  // namespace

std::span<const ResourceRules> autoscaling_rules() {
  return kAutoscalingRules;
}

}  // namespace coracle::kube::apiserver
