#include <algorithm>

#include "base/text.h"
#include "kube/apiserver/internal/tables/cells.h"
#include "kube/object/conditions.h"

namespace coracle::kube::apiserver::tables {

namespace {

Cells config_map_cells(const Object& object, WallTime now) {
  return {object.name(), static_cast<std::int64_t>(object["data"].size() + object["binaryData"].size()),
          age(object, now)};
}

Cells secret_cells(const Object& object, WallTime now) {
  return {object.name(), object["type"].as_string(), static_cast<std::int64_t>(object["data"].size()),
          age(object, now)};
}

Cells service_account_cells(const Object& object, WallTime now) {
  return {object.name(), age(object, now)};
}

Cells namespace_cells(const Object& object, WallTime now) {
  return {object.name(), object["status"]["phase"].as_string(), age(object, now)};
}

// Requests and limits of a quota: "pods: 1/10, requests.cpu: 1/2".
Cells quota_cells(const Object& object, WallTime now) {
  std::vector<std::string> names;
  for (const Value::Member& member : object["status"]["hard"].members()) names.push_back(member.key);
  std::sort(names.begin(), names.end());
  std::vector<std::string> requests, limits;
  for (const std::string& name : names) {
    const std::string text = name + ": " + text_or(object["status"]["used"][name], "0") + "/" +
                             std::string(object["status"]["hard"][name].as_string());
    (name.starts_with("limits.") ? limits : requests).push_back(text);
  }
  return {object.name(), join(requests, ", "), join(limits, ", "), age(object, now)};
}

Cells component_cells(const Object& object, WallTime) {
  std::string status = "Unknown", message, error;
  const Value& healthy = find_condition(object["conditions"], "Healthy");
  if (!healthy.is_null()) {
    if (healthy["status"].as_string() == "True") status = "Healthy";
    if (healthy["status"].as_string() == "False") status = "Unhealthy";
    message = healthy["message"].as_string();
    error = healthy["error"].as_string();
  }
  return {object.name(), status, message, error};
}

constexpr Entry kCoreEntries[] = {
    {"", "configmaps", "Name:n,Data,Age", config_map_cells},
    {"", "secrets", "Name:n,Type,Data,Age", secret_cells},
    {"", "serviceaccounts", "Name:n,Age", service_account_cells},
    {"", "namespaces", "Name:n,Status,Age", namespace_cells},
    {"", "resourcequotas", "Name:n,Request,Limit,Age", quota_cells},
    {"", "componentstatuses", "Name:n,Status,Message,Error", component_cells},
};

// Where an event's fields stand in its two groups.
struct EventFields {
  std::string_view object, message, source, first, last, count;
};
constexpr EventFields kOldEvent = {"involvedObject", "message", "source", "firstTimestamp", "lastTimestamp", "count"};
constexpr EventFields kNewEvent = {
    "regarding", "note", "deprecatedSource", "deprecatedFirstTimestamp", "deprecatedLastTimestamp", "deprecatedCount"};

std::string event_source(const Object& event, const Value& source) {
  std::string component(source["component"].as_string());
  std::string host(source["host"].as_string());
  if (component.empty()) component = event["reportingController"].as_string();
  if (component.empty()) component = event["reportingComponent"].as_string();
  if (host.empty()) host = event["reportingInstance"].as_string();
  return host.empty() ? component : component + ", " + host;
}

Cells event_row(const Object& event, WallTime now, const EventFields& fields) {
  const Value& about = event[fields.object];
  const Value& series = event["series"];
  const Value& first_time = event[fields.first];
  const std::string first = since(first_time.is_string() ? first_time : event["eventTime"], now);
  std::string last = event[fields.last].is_string() ? since(event[fields.last], now) : first;
  std::int64_t count = event[fields.count].as_int();
  if (series.is_object()) {
    last = since(series["lastObservedTime"], now);
    count = series["count"].as_int();
  } else if (count == 0) {
    count = 1;
  }
  std::string target = to_lower(about["kind"].as_string());
  if (!about["name"].as_string().empty()) target += "/" + std::string(about["name"].as_string());
  return {last,
          event["type"].as_string(),
          event["reason"].as_string(),
          target,
          about["fieldPath"].as_string(),
          event_source(event, event[fields.source]),
          trim(event[fields.message].as_string()),
          first,
          count,
          event.name()};
}

Cells old_event_cells(const Object& event, WallTime now) {
  return event_row(event, now, kOldEvent);
}
Cells new_event_cells(const Object& event, WallTime now) {
  return event_row(event, now, kNewEvent);
}

constexpr std::string_view kEventColumns =
    "Last Seen,Type,Reason,Object,Subobject*,Source*,Message,First Seen*,Count*,Name:n*";
constexpr Entry kEventEntries[] = {
    {"", "events", kEventColumns, old_event_cells},
    {"events.k8s.io", "events", kEventColumns, new_event_cells},
};

}  // namespace

std::span<const Entry> core_tables() {
  return kCoreEntries;
}
std::span<const Entry> event_tables() {
  return kEventEntries;
}

}  // namespace coracle::kube::apiserver::tables
