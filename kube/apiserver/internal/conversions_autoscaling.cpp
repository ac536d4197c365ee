#include "kube/apiserver/internal/conversions_autoscaling.h"

#include <array>
#include <span>
#include <utility>
#include <vector>

#include "base/json/json.h"
#include "base/text.h"
#include "kube/apiserver/internal/strategies/internal_form.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kMetricsAnnotation = "autoscaling.alpha.kubernetes.io/metrics";
constexpr std::string_view kBehaviorAnnotation = "autoscaling.alpha.kubernetes.io/behavior";
constexpr std::string_view kConditionsAnnotation = "autoscaling.alpha.kubernetes.io/conditions";
constexpr std::string_view kCurrentMetricsAnnotation = "autoscaling.alpha.kubernetes.io/current-metrics";
// Of an autoscaler that names no metric.
constexpr std::int64_t kDefaultCpuPercentage = 80;

// A metric source of v2 and where each of its values stands in v1.
struct MetricField {
  std::vector<std::string_view> v2;
  std::string_view v1;
};
struct MetricShape {
  std::string_view source;  // "resource": the member of a MetricSpec or MetricStatus
  std::vector<MetricField> target;
  std::vector<MetricField> current;
};

const std::vector<MetricShape>& metric_shapes() {
  static const std::vector<MetricShape> shapes = {
      {"resource",
       {{{"name"}, "name"},
        {{"target", "averageUtilization"}, "targetAverageUtilization"},
        {{"target", "averageValue"}, "targetAverageValue"}},
       {{{"name"}, "name"},
        {{"current", "averageUtilization"}, "currentAverageUtilization"},
        {{"current", "averageValue"}, "currentAverageValue"}}},
      {"containerResource",
       {{{"name"}, "name"},
        {{"container"}, "container"},
        {{"target", "averageUtilization"}, "targetAverageUtilization"},
        {{"target", "averageValue"}, "targetAverageValue"}},
       {{{"name"}, "name"},
        {{"container"}, "container"},
        {{"current", "averageUtilization"}, "currentAverageUtilization"},
        {{"current", "averageValue"}, "currentAverageValue"}}},
      {"pods",
       {{{"metric", "name"}, "metricName"},
        {{"metric", "selector"}, "selector"},
        {{"target", "averageValue"}, "targetAverageValue"}},
       {{{"metric", "name"}, "metricName"},
        {{"metric", "selector"}, "selector"},
        {{"current", "averageValue"}, "currentAverageValue"}}},
      {"object",
       {{{"describedObject"}, "target"},
        {{"metric", "name"}, "metricName"},
        {{"metric", "selector"}, "selector"},
        {{"target", "value"}, "targetValue"},
        {{"target", "averageValue"}, "averageValue"}},
       {{{"describedObject"}, "target"},
        {{"metric", "name"}, "metricName"},
        {{"metric", "selector"}, "selector"},
        {{"current", "value"}, "currentValue"},
        {{"current", "averageValue"}, "averageValue"}}},
      {"external",
       {{{"metric", "name"}, "metricName"},
        {{"metric", "selector"}, "metricSelector"},
        {{"target", "value"}, "targetValue"},
        {{"target", "averageValue"}, "targetAverageValue"}},
       {{{"metric", "name"}, "metricName"},
        {{"metric", "selector"}, "metricSelector"},
        {{"current", "value"}, "currentValue"},
        {{"current", "averageValue"}, "currentAverageValue"}}},
  };
  return shapes;
}

Value metric_to_v1(const Value& metric, bool status) {
  Value::ObjectBuilder out;
  out.set("type", metric["type"]);
  for (const MetricShape& shape : metric_shapes()) {
    const Value& source = metric[shape.source];
    if (!source.is_object()) continue;
    Value::ObjectBuilder old;
    for (const MetricField& field : status ? shape.current : shape.target) {
      const Value& value = source.at_path(field.v2);
      if (!value.is_null()) old.set(field.v1, value);
      // v1 always has this amount.
      if (value.is_null() && field.v1 == "currentAverageValue") old.set(field.v1, "0");
    }
    out.set(shape.source, std::move(old).build());
  }
  return std::move(out).build();
}

// The kind of a v2 target follows from which of its values is set.
std::string_view target_type(const Value& target) {
  if (target.contains("averageUtilization")) return "Utilization";
  return target.contains("averageValue") && is_zero(target["value"]) ? "AverageValue" : "Value";
}

Value metric_to_v2(const Value& metric, bool status) {
  Value::ObjectBuilder out;
  out.set("type", metric["type"]);
  for (const MetricShape& shape : metric_shapes()) {
    const Value& source = metric[shape.source];
    if (!source.is_object()) continue;
    Value next = Value::object();
    for (const MetricField& field : status ? shape.current : shape.target) {
      const Value& value = source[field.v1];
      if (!value.is_null()) next = next.with_path(field.v2, value);
    }
    if (!status) {
      const Value& target = next["target"];
      next = next.with("target", target.with("type", target_type(target)));
    }
    out.set(shape.source, std::move(next));
  }
  return std::move(out).build();
}

// v1 has the behaviour in its internal form.
constexpr InternalField kPolicyForm[] = {
    {"type", "Type", kNoText}, {"value", "Value", kNoNumber}, {"periodSeconds", "PeriodSeconds", kNoNumber}};
constexpr InternalField kScalingForm[] = {{"stabilizationWindowSeconds", "StabilizationWindowSeconds"},
                                          {"selectPolicy", "SelectPolicy"},
                                          {"policies", "Policies", "null", kPolicyForm},
                                          {"tolerance", "Tolerance"}};
constexpr InternalField kBehaviorForm[] = {{"scaleUp", "ScaleUp", "null", kScalingForm},
                                           {"scaleDown", "ScaleDown", "null", kScalingForm}};

// The same backwards; Go does not mind how the names are capitalised.
Value behavior_to_v2(const Value& behavior) {
  if (behavior.is_array()) {
    Value::ArrayBuilder items;
    for (const Value& item : behavior.items()) items.add(behavior_to_v2(item));
    return std::move(items).build();
  }
  if (!behavior.is_object()) return behavior;
  Value::ObjectBuilder out;
  for (const Value::Member& member : behavior.members()) {
    if (member.value.is_null() || member.key.empty()) continue;
    out.set(to_lower(member.key.substr(0, 1)) + member.key.substr(1), behavior_to_v2(member.value));
  }
  return std::move(out).build();
}

// The percentage in `side` ("target", "current") of a metric of CPU; null for other metrics.
const Value& cpu_percentage(const Value& metric, std::string_view side) {
  static const Value kNone;
  const Value& resource = metric["resource"];
  if (metric["type"].as_string() != "Resource" || resource["name"].as_string() != "cpu") return kNone;
  const Value& percentage = resource[side]["averageUtilization"];
  return percentage.is_int() ? percentage : kNone;
}

// Both versions have these fields in the same places.
constexpr std::array<std::string_view, 3> kSameInSpec = {"scaleTargetRef", "minReplicas", "maxReplicas"};
constexpr std::array<std::string_view, 4> kSameInStatus = {"observedGeneration", "lastScaleTime", "currentReplicas",
                                                           "desiredReplicas"};

Value::ObjectBuilder with_fields(const Value& from, std::span<const std::string_view> fields) {
  Value::ObjectBuilder out;
  for (const std::string_view field : fields) {
    if (const Value* value = from.find(field)) out.set(field, *value);
  }
  return out;
}

Object to_v1(const Object& hpa) {
  Object out = hpa;
  const Value& spec = hpa["spec"];
  const Value& status = hpa["status"];
  Value::ObjectBuilder old_spec = with_fields(spec, kSameInSpec);
  Value::ObjectBuilder old_status;
  for (const std::string_view field : kSameInStatus) {
    const Value* value = status.find(field);
    const bool count = field.ends_with("Replicas");
    if (value != nullptr || count) old_status.set(field, value != nullptr ? *value : Value(0));
  }
  Value::ArrayBuilder others, current;
  bool cpu = false;
  for (const Value& metric : spec["metrics"].items()) {
    if (const Value& percentage = cpu_percentage(metric, "target"); !cpu && !percentage.is_null()) {
      cpu = true;
      old_spec.set("targetCPUUtilizationPercentage", percentage);
    } else {
      others.add(metric_to_v1(metric, false));
    }
  }
  for (const Value& metric : status["currentMetrics"].items()) {
    if (const Value& percentage = cpu_percentage(metric, "current"); !percentage.is_null()) {
      old_status.set("currentCPUUtilizationPercentage", percentage);
    }
    current.add(metric_to_v1(metric, true));
  }
  if (others.size() > 0) out = out.with_annotation(kMetricsAnnotation, json::write(std::move(others).build()));
  if (current.size() > 0) {
    out = out.with_annotation(kCurrentMetricsAnnotation, json::write(std::move(current).build()));
  }
  if (spec["behavior"].is_object()) {
    out = out.with_annotation(kBehaviorAnnotation, json::write(internal_form(spec["behavior"], kBehaviorForm)));
  }
  if (!status["conditions"].empty()) {
    out = out.with_annotation(kConditionsAnnotation, json::write(status["conditions"]));
  }
  return out.with("spec", std::move(old_spec).build()).with("status", std::move(old_status).build());
}

// The annotation's JSON, taken off the object; null when there is none that can be read.
Value take_annotation(Object& object, std::string_view key) {
  if (!object.has_annotation(key)) return {};
  auto tree = json::read(object.annotation(key));
  object = object.without_annotation(key);
  return tree.ok() ? std::move(tree).value() : Value();
}

// What is wanted of the processor ("target"), or what is ("current").
Value cpu_resource(std::string_view member, const Value& amount) {
  return Value::object({{"type", "Resource"}, {"resource", Value::object({{"name", "cpu"}, {member, amount}})}});
}

Value cpu_metric(const Value& percentage) {
  return cpu_resource("target", Value::object({{"type", "Utilization"}, {"averageUtilization", percentage}}));
}

Value cpu_status(const Value& percentage) {
  return cpu_resource("current", Value::object({{"averageUtilization", percentage}}));
}

Object to_v2(const Object& hpa) {
  Object out = hpa;
  const Value& spec = hpa["spec"];
  const Value& status = hpa["status"];
  Value::ObjectBuilder new_spec = with_fields(spec, kSameInSpec);
  Value::ObjectBuilder new_status = with_fields(status, kSameInStatus);
  Value::ArrayBuilder metrics, current;
  const Value old_metrics = take_annotation(out, kMetricsAnnotation);
  for (const Value& metric : old_metrics.items()) metrics.add(metric_to_v2(metric, false));
  if (const Value* percentage = spec.find("targetCPUUtilizationPercentage")) {
    metrics.add(cpu_metric(*percentage));
  } else if (metrics.size() == 0) {
    metrics.add(cpu_metric(kDefaultCpuPercentage));
  }
  new_spec.set("metrics", std::move(metrics).build());
  if (const Value behavior = behavior_to_v2(take_annotation(out, kBehaviorAnnotation)); !behavior.empty()) {
    new_spec.set("behavior", behavior);
  }
  const Value old_current = take_annotation(out, kCurrentMetricsAnnotation);
  for (const Value& metric : old_current.items()) {
    current.add(metric_to_v2(metric, true));
  }
  const Value* cpu = status.find("currentCPUUtilizationPercentage");
  if (cpu != nullptr && current.size() == 0) current.add(cpu_status(*cpu));
  if (current.size() > 0) new_status.set("currentMetrics", std::move(current).build());
  if (const Value conditions = take_annotation(out, kConditionsAnnotation); !conditions.empty()) {
    new_status.set("conditions", conditions);
  }
  return out.with("spec", std::move(new_spec).build()).with("status", std::move(new_status).build());
}

}  // namespace

Result<Object> convert_autoscaler(const Object& autoscaler, const GroupVersionKind& to) {
  Object out = autoscaler;
  const GroupVersionKind from = autoscaler.gvk();
  if (from.version == "v2" && to.version == "v1") out = to_v1(autoscaler);
  if (from.version == "v1" && to.version == "v2") out = to_v2(autoscaler);
  return out.with("apiVersion", to.api_version());
}

}  // namespace coracle::kube::apiserver
