#include "base/text.h"
#include "kube/apiserver/internal/tables/cells.h"
#include "kube/object/conditions.h"

namespace coracle::kube::apiserver::tables {

namespace {

constexpr std::size_t kShownMetrics = 2;

// The measured part of one metric that belongs to `spec`, which stands at the same index.
std::string metric_pair(const Value& target, const Value& current, std::string_view field, std::string_view suffix) {
  return text_or(current[field], kUnknown) + "/" + std::string(target[field].as_string()) + std::string(suffix);
}

std::string resource_metric(const Value& spec, const Value& status) {
  const Value& target = spec["target"];
  const Value& current = status["current"];
  const std::string name = std::string(spec["name"].as_string()) + ": ";
  if (target["averageValue"].is_string()) return name + metric_pair(target, current, "averageValue", "");
  const Value& measured = current["averageUtilization"];
  const Value& wanted = target["averageUtilization"];
  return name + (measured.is_int() ? std::to_string(measured.as_int()) + "%" : std::string(kUnknown)) + "/" +
         (wanted.is_int() ? std::to_string(wanted.as_int()) + "%" : std::string("<auto>"));
}

std::string metric_text(const Value& metric, const Value& status) {
  const std::string_view type = metric["type"].as_string();
  if (type == "Resource") return resource_metric(metric["resource"], status["resource"]);
  if (type == "ContainerResource") return resource_metric(metric["containerResource"], status["containerResource"]);
  if (type == "Pods") return metric_pair(metric["pods"]["target"], status["pods"]["current"], "averageValue", "");
  if (type != "External" && type != "Object") return "<unknown type>";
  const std::string_view field = type == "External" ? "external" : "object";
  const Value& target = metric[field]["target"];
  if (target["averageValue"].is_string())
    return metric_pair(target, status[field]["current"], "averageValue", " (avg)");
  return metric_pair(target, status[field]["current"], "value", "");
}

// autoscaling/v1 knows one metric, with fields of its own.
std::vector<std::string> metrics_of(const Object& scaler) {
  std::vector<std::string> metrics;
  if (scaler.api_version() == "autoscaling/v1") {
    const Value& wanted = scaler["spec"]["targetCPUUtilizationPercentage"];
    const Value& measured = scaler["status"]["currentCPUUtilizationPercentage"];
    if (!wanted.is_int()) return metrics;
    metrics.push_back("cpu: " + (measured.is_int() ? std::to_string(measured.as_int()) + "%" : std::string(kUnknown)) +
                      "/" + std::to_string(wanted.as_int()) + "%");
    return metrics;
  }
  std::size_t index = 0;
  for (const Value& metric : scaler["spec"]["metrics"].items()) {
    metrics.push_back(metric_text(metric, scaler["status"]["currentMetrics"].at(index++)));
  }
  return metrics;
}

Cells autoscaler_cells(const Object& scaler, WallTime now) {
  const Value& spec = scaler["spec"];
  const Value& target = spec["scaleTargetRef"];
  return {scaler.name(),
          std::string(target["kind"].as_string()) + "/" + std::string(target["name"].as_string()),
          shortened(metrics_of(scaler), kShownMetrics, ", ", kNone),
          spec["minReplicas"].is_int() ? std::to_string(spec["minReplicas"].as_int()) : std::string(kUnset),
          spec["maxReplicas"].as_int(),
          scaler["status"]["currentReplicas"].as_int(),
          age(scaler, now)};
}

Cells scale_cells(const Object& scale, WallTime now) {
  return {scale.name(), scale["spec"]["replicas"].as_int(), scale["status"]["replicas"].as_int(), age(scale, now)};
}

Cells priority_class_cells(const Object& object, WallTime now) {
  return {object.name(), object["value"].as_int(), object["globalDefault"].as_bool(), age(object, now),
          object["preemptionPolicy"].as_string()};
}

Cells lease_cells(const Object& object, WallTime now) {
  return {object.name(), object["spec"]["holderIdentity"].as_string(), age(object, now)};
}

Cells runtime_class_cells(const Object& object, WallTime now) {
  return {object.name(), object["handler"].as_string(), age(object, now)};
}

Cells name_and_age_cells(const Object& object, WallTime now) {
  return {object.name(), age(object, now)};
}

Cells claim_state_cells(const Object& object, WallTime now) {
  std::vector<std::string> states;
  if (object.deleting()) states.emplace_back("deleted");
  if (object["status"]["allocation"].is_null()) {
    if (!object.deleting()) states.emplace_back("pending");
  } else {
    states.emplace_back("allocated");
    if (!object["status"]["reservedFor"].empty()) states.emplace_back("reserved");
  }
  return {object.name(), join(states, ","), age(object, now)};
}

Cells slice_cells(const Object& object, WallTime now) {
  const Value& spec = object["spec"];
  std::string node(spec["nodeName"].as_string());
  if (node.empty()) node = spec["allNodes"].as_bool() ? "<all>" : kUnset;
  return {object.name(), node, spec["driver"].as_string(), spec["pool"]["name"].as_string(), age(object, now)};
}

Cells flow_schema_cells(const Object& object, WallTime now) {
  const Value& spec = object["spec"];
  return {object.name(),
          text_or(spec["priorityLevelConfiguration"]["name"], kNone),
          spec["matchingPrecedence"].as_int(),
          text_or(spec["distinguisherMethod"]["type"], kNone),
          age(object, now),
          text_or(find_condition(object["status"]["conditions"], "Dangling")["status"], "?")};
}

Value number_or_none(const Value& value) {
  return value.is_int() ? value : Value(kNone);
}

Cells priority_level_cells(const Object& object, WallTime now) {
  const Value& spec = object["spec"];
  const Value& limited = spec["limited"];
  const Value& queuing = limited["limitResponse"]["queuing"];
  return {object.name(),
          spec["type"].as_string(),
          number_or_none(limited["nominalConcurrencyShares"]),
          number_or_none(queuing["queues"]),
          number_or_none(queuing["handSize"]),
          number_or_none(queuing["queueLengthLimit"]),
          age(object, now)};
}

Cells api_service_cells(const Object& object, WallTime now) {
  const Value& service = object["spec"]["service"];
  std::string target = "Local";
  if (service.is_object()) {
    target = std::string(service["namespace"].as_string()) + "/" + std::string(service["name"].as_string());
  }
  const Value& available = find_condition(object["status"]["conditions"], "Available");
  std::string state = text_or(available["status"], "Unknown");
  if (!available.is_null() && state != "True") state += " (" + std::string(available["reason"].as_string()) + ")";
  return {object.name(), target, state, age(object, now)};
}

constexpr Entry kScalingEntries[] = {
    {"autoscaling", "horizontalpodautoscalers", "Name:n,Reference,Targets,MinPods,MaxPods,Replicas,Age",
     autoscaler_cells},
    {"autoscaling", "scale", "Name:n,Desired:i,Available:i,Age", scale_cells},
};

constexpr std::string_view kFlowGroup = "flowcontrol.apiserver.k8s.io";
constexpr Entry kSystemEntries[] = {
    {"scheduling.k8s.io", "priorityclasses", "Name:n,Value:i,Global-Default:b,Age,PreemptionPolicy",
     priority_class_cells},
    {"coordination.k8s.io", "leases", "Name:n,Holder,Age", lease_cells},
    {"node.k8s.io", "runtimeclasses", "Name:n,Handler,Age", runtime_class_cells},
    {"resource.k8s.io", "deviceclasses", "Name:n,Age", name_and_age_cells},
    {"resource.k8s.io", "resourceclaimtemplates", "Name:n,Age", name_and_age_cells},
    {"resource.k8s.io", "resourceclaims", "Name:n,State,Age", claim_state_cells},
    {"resource.k8s.io", "resourceslices", "Name:n,Node,Driver,Pool,Age", slice_cells},
    {kFlowGroup, "flowschemas", "Name:n,PriorityLevel,MatchingPrecedence,DistinguisherMethod,Age,MissingPL",
     flow_schema_cells},
    {kFlowGroup, "prioritylevelconfigurations",
     "Name:n,Type,NominalConcurrencyShares,Queues,HandSize,QueueLengthLimit,Age", priority_level_cells},
    {"apiregistration.k8s.io", "apiservices", "Name:n,Service,Available,Age", api_service_cells},
};

}  // namespace

std::span<const Entry> scaling_tables() {
  return kScalingEntries;
}
std::span<const Entry> system_tables() {
  return kSystemEntries;
}

}  // namespace coracle::kube::apiserver::tables
