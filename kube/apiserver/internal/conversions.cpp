#include "kube/apiserver/internal/conversions.h"

#include <array>
#include <utility>

#include "kube/apiserver/internal/conversions_autoscaling.h"
#include "kube/apiserver/internal/custom_resources/definition.h"

namespace coracle::kube::apiserver {

namespace {

// Fields of an event in core/v1 and in events.k8s.io/v1, in the order of the latter.
struct EventFieldNames {
  std::string_view core;
  std::string_view events;
};
constexpr std::array<EventFieldNames, 15> kEventFieldNames = {{
    {"metadata", "metadata"},
    {"eventTime", "eventTime"},
    {"series", "series"},
    {"reportingComponent", "reportingController"},
    {"reportingInstance", "reportingInstance"},
    {"action", "action"},
    {"reason", "reason"},
    {"involvedObject", "regarding"},
    {"related", "related"},
    {"message", "note"},
    {"type", "type"},
    {"source", "deprecatedSource"},
    {"firstTimestamp", "deprecatedFirstTimestamp"},
    {"lastTimestamp", "deprecatedLastTimestamp"},
    {"count", "deprecatedCount"},
}};

// Core events in the order in which Go prints them.
constexpr std::array<std::string_view, 15> kCoreEventOrder = {
    "metadata", "involvedObject", "reason", "message", "source",  "firstTimestamp",     "lastTimestamp",    "count",
    "type",     "eventTime",      "series", "action",  "related", "reportingComponent", "reportingInstance"};

std::string_view events_name(std::string_view core) {
  for (const EventFieldNames& names : kEventFieldNames) {
    if (names.core == core) return names.events;
  }
  return core;
}

Result<Object> convert_event(const Object& event, const GroupVersionKind& to) {
  Value::ObjectBuilder out;
  out.set("kind", to.kind).set("apiVersion", to.api_version());
  if (to.group.empty()) {
    for (std::string_view core : kCoreEventOrder) {
      if (const Value* value = event.tree().find(events_name(core))) out.set(core, *value);
    }
    if (out.find("involvedObject") == nullptr) out.set("involvedObject", Value::object());
  } else {
    for (const EventFieldNames& names : kEventFieldNames) {
      const Value* value = event.tree().find(names.core);
      // core/v1 prints these where they are empty, the newer API does not.
      const bool reporter = names.core.starts_with("reporting");
      if (value != nullptr && !(reporter && is_zero(*value))) out.set(names.events, *value);
    }
  }
  return Object(std::move(out).build());
}

std::string text_at(const Value& tree, std::string_view path) {
  const Value* at = &tree;
  while (true) {
    const std::size_t dot = path.find('.');
    at = &(*at)[path.substr(0, dot)];
    if (dot == std::string_view::npos) break;
    path.remove_prefix(dot + 1);
  }
  if (at->is_int()) return std::to_string(at->as_int());
  if (at->is_bool()) return at->as_bool() ? "true" : "false";
  return std::string(at->as_string());
}

// `source` is the component that reported, in whichever of the two fields names it.
std::string event_field(const Object& event, std::string_view field) {
  constexpr std::string_view kRegarding = "regarding.";
  if (field == "source") {
    std::string source = text_at(event.tree(), "source.component");
    return source.empty() ? text_at(event.tree(), "reportingComponent") : source;
  }
  if (field == "reportingController") return text_at(event.tree(), "reportingComponent");
  if (field.starts_with(kRegarding)) {
    return text_at(event.tree(), "involvedObject." + std::string(field.substr(kRegarding.size())));
  }
  return text_at(event.tree(), field);
}

std::string pod_field(const Object& pod, std::string_view field) {
  if (field == "spec.hostNetwork") return "false";  // asked only where the field is absent
  if (field == "status.podIPs") return text_at(pod.tree(), "status.podIP");
  return {};
}

}  // namespace

std::function<Result<Object>(const Object&, const GroupVersionKind& to)> builtin_conversion(
    const GroupVersionKind& gvk) {
  if (gvk.kind == "Event") return convert_event;
  if (gvk.group == "autoscaling" && gvk.kind == "HorizontalPodAutoscaler") return convert_autoscaler;
  if (gvk.kind == "CustomResourceDefinition") return definition_to_v1;
  return {};
}

std::function<std::string(const Object&, std::string_view)> builtin_field_value(const GroupVersionKind& gvk) {
  if (gvk.kind == "Event") return event_field;
  if (gvk.group.empty() && gvk.kind == "Pod") return pod_field;
  if (gvk.group.empty() && gvk.kind == "Node") return [](const Object&, std::string_view) { return "false"; };
  if (gvk.kind == "ReplicationController") {
    return [](const Object&, std::string_view) { return "0"; };
  }
  if (gvk.group == "batch" && gvk.kind == "Job") {
    return [](const Object& job, std::string_view) { return std::to_string(job["status"]["succeeded"].as_int()); };
  }
  return {};
}

}  // namespace coracle::kube::apiserver
