#include "kube/apiserver/internal/object_meta.h"
#include "kube/apiserver/internal/strategies/resource_rules.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/schema/field_error.h"

// Events: two APIs over one kind. What came before events.k8s.io/v1 promises little and is checked as little.
// https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
namespace coracle::kube::apiserver {

namespace {

constexpr std::size_t kMaxEventText = 128;
constexpr std::size_t kMaxEventMessage = 1024;

void check_event_namespace(const Object& object, FieldErrors& errors) {
  const std::string_view involved = object["involvedObject"]["namespace"].as_string();
  const std::string_view ns = object.namespace_();
  const bool timed = !is_zero(object["eventTime"]);
  // Events about cluster-scoped objects are in the default namespace, or in the system's.
  const bool fits = involved.empty() ? ns == "default" || (timed && ns == "kube-system") : timed || involved == ns;
  if (fits) return;
  errors.push_back(field_error::invalid("involvedObject.namespace", involved, "does not match event.namespace"));
}

// Upstream does not show what is too long.
void check_length(std::string_view text, std::size_t maximum, std::string_view field, FieldErrors& errors) {
  if (text.size() <= maximum) return;
  errors.push_back(field_error::invalid(field, "", "can have at most " + std::to_string(maximum) + " characters"));
}

// Events with a time of their own, down to the microsecond, say who saw what. Stored events have the
// older API's names; `controller_field` is the newer one where that was spoken.
void check_timed_event(const Object& object, std::string_view controller_field, FieldErrors& errors) {
  const std::string_view controller = object["reportingComponent"].as_string();
  if (controller.empty()) report(errors, field_error::required(controller_field));
  add_name_errors(FieldPath(controller_field), controller, check_qualified_name(controller), errors);
  for (const std::string_view field : {"reportingInstance", "action", "reason"}) {
    const std::string_view text = object[field].as_string();
    if (text.empty()) report(errors, field_error::required(field));
    check_length(text, kMaxEventText, field, errors);
  }
  check_length(object["message"].as_string(), kMaxEventMessage, "message", errors);
}

void check_any_event(const Object& object, std::string_view controller_field, FieldErrors& errors) {
  check_event_namespace(object, errors);
  if (!is_zero(object["eventTime"])) check_timed_event(object, controller_field, errors);
}

void check_event(const Object& object, const Object*, FieldErrors& errors) {
  check_any_event(object, "reportingComponent", errors);
}

void check_series(const Object& object, FieldErrors& errors) {
  const Value& series = object["series"];
  if (!series.is_object()) return;
  if (series["count"].as_int() < 2) errors.push_back(field_error::invalid("series.count", "", "should be at least 2"));
  if (is_zero(series["lastObservedTime"])) report(errors, field_error::required("series.lastObservedTime"));
}

void check_new_event_create(const Object& object, FieldErrors& errors) {
  if (!object.name().empty()) {
    add_name_errors(FieldPath("metadata.name"), object.name(), check_dns1123_subdomain(object.name()), errors);
  }
  check_series(object, errors);
  if (is_zero(object["eventTime"])) report(errors, field_error::required("eventTime"));
  const std::string_view type = object["type"].as_string();
  if (type != "Normal" && type != "Warning") {
    errors.push_back(field_error::invalid("type", "", "has invalid value: " + std::string(type)));
  }
  // Fields that only the older API fills.
  for (const std::string_view field : {"firstTimestamp", "lastTimestamp", "count"}) {
    if (!is_zero(object[field])) errors.push_back(field_error::invalid(field, "", "needs to be unset"));
  }
  const Value& source = object["source"];
  if (!source["component"].as_string().empty() || !source["host"].as_string().empty()) {
    errors.push_back(field_error::invalid("source", "", "needs to be unset"));
  }
}

// A struct as Go prints the internal type: names without JSON tags, empty fields too.
struct EventStructField {
  std::string_view shown;
  std::string_view stored;
};
constexpr EventStructField kReferenceFields[] = {
    {"Kind", "kind"},
    {"Namespace", "namespace"},
    {"Name", "name"},
    {"UID", "uid"},
    {"APIVersion", "apiVersion"},
    {"ResourceVersion", "resourceVersion"},
    {"FieldPath", "fieldPath"},
};
constexpr EventStructField kReporterFields[] = {{"Component", "component"}, {"Host", "host"}};

Value shown_event_struct(const Value& value, std::span<const EventStructField> fields) {
  Value::ObjectBuilder builder;
  for (const EventStructField& field : fields) builder.set(field.shown, value[field.stored].as_string());
  return std::move(builder).build();
}

Value shown_event_value(std::string_view field, const Value& value) {
  if (field == "involvedObject") return shown_event_struct(value, kReferenceFields);
  if (field == "related") return value.is_null() ? value : shown_event_struct(value, kReferenceFields);
  if (field == "source") return shown_event_struct(value, kReporterFields);
  if (field == "count") return value.as_int();
  const bool text = field != "firstTimestamp" && field != "lastTimestamp" && field != "eventTime";
  return text ? Value(value.as_string()) : value;
}

// All but the series is said once. Stored name and name in messages, in upstream's order.
constexpr EventStructField kFrozenFields[] = {
    {"involvedObject", "involvedObject"},
    {"reason", "reason"},
    {"message", "message"},
    {"source", "source"},
    {"firstTimestamp", "firstTimestamp"},
    {"lastTimestamp", "lastTimestamp"},
    {"count", "count"},
    {"reason", "reason"},
    {"type", "type"},
    {"eventTime", "eventTime"},
    {"action", "action"},
    {"related", "related"},
    {"reportingController", "reportingComponent"},
    {"reportingInstance", "reportingInstance"},
};

void check_new_event_change(const Object& object, const Object& old, FieldErrors& errors) {
  if (!(object["series"] == old["series"])) check_series(object, errors);
  for (const EventStructField& field : kFrozenFields) {
    const Value now = shown_event_value(field.stored, object[field.stored]);
    if (now == shown_event_value(field.stored, old[field.stored])) continue;
    errors.push_back(field_error::invalid(field.shown, now, kImmutableField));
  }
}

void check_new_event(const Object& object, const Object* old, FieldErrors& errors) {
  check_any_event(object, "reportingController", errors);
  const Value& finalizers = object.metadata()["finalizers"];
  for (std::size_t i = 0; i < finalizers.size(); ++i) {
    add_name_errors(FieldPath("metadata.finalizers").index(i), finalizers.at(i),
                    check_finalizer_domain(finalizers.at(i).as_string()), errors);
  }
  if (old == nullptr) {
    check_new_event_create(object, errors);
  } else {
    check_new_event_change(object, *old, errors);
  }
}

constexpr ResourceRules kEventRules[] = {
    {"", "events", nullptr, nullptr, check_event},
    {"events.k8s.io", "events", nullptr, nullptr, check_new_event},
};

}  // namespace

std::span<const ResourceRules> event_rules() {
  return kEventRules;
}

}  // namespace coracle::kube::apiserver
