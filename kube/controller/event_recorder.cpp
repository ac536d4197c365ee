#include "kube/controller/event_recorder.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/executor.h"
#include "base/utf8.h"
#include "kube/client/resources.h"

namespace coracle::kube {
namespace {

constexpr Duration kAggregationWindow = std::chrono::minutes(10);
constexpr double kEventBurst = 25;
constexpr std::chrono::duration<double> kEventInterval = std::chrono::minutes(5);
constexpr std::size_t kMaxKnown = 1024;
constexpr std::size_t kMaxMessage = 1024;  // upstream's limit of Event.message

Value object_reference(const Object& about) {
  Value::ObjectBuilder reference;
  reference.set_nonempty("kind", about.kind())
      .set_nonempty("namespace", about.namespace_())
      .set_nonempty("name", about.name())
      .set_nonempty("uid", about.uid())
      .set_nonempty("apiVersion", about.api_version())
      .set_nonempty("resourceVersion", about.resource_version());
  return std::move(reference).build();
}

std::string_view type_text(EventType type) {
  return type == EventType::Normal ? "Normal" : "Warning";
}

std::string aggregation_key(const Object& about, EventType type, std::string_view reason, std::string_view message) {
  std::string key(about.uid());
  for (const std::string_view part : {type_text(type), reason, message}) {
    key += '\0';
    key += part;
  }
  return key;
}

}  // namespace

EventRecorder::EventRecorder(const Client& client, std::string component, Logger log)
    : client_(client), component_(std::move(component)), log_(std::move(log)) {}

void EventRecorder::record(const Context& context, const Object& about, EventType type, std::string_view reason,
                           std::string_view message, const EventAnnotations& annotations) {
  if (!admit(context, about)) {
    log_.debug("dropped an event, there were too many", {{"object", about.key().text()}, {"reason", reason}});
    return;
  }
  message = truncate_utf8(message, kMaxMessage);
  const std::string now = format_time(context.clock().wall());
  const std::string key = aggregation_key(about, type, reason, message);
  std::optional<Known> known;
  {
    std::lock_guard lock(mutex_);
    const auto found = known_.find(key);
    if (found != known_.end() && context.clock().monotonic() - found->second.last < kAggregationWindow) {
      known = found->second;
    }
  }
  if (known && raise(context, *known, now).ok()) {
    ++known->count;
  } else {
    Result<ObjectKey> written = write_new(context, about, type, reason, message, annotations, now);
    if (!written.ok()) {
      log_.debug("cannot write an event", {{"reason", reason}, {"error", written.error()}});
      return;
    }
    known = Known{std::move(*written), 1, {}};
  }
  known->last = context.clock().monotonic();
  std::lock_guard lock(mutex_);
  if (known_.size() >= kMaxKnown) known_.clear();
  known_.insert_or_assign(key, std::move(*known));
}

bool EventRecorder::admit(const Context& context, const Object& about) {
  const MonotonicTime now = context.clock().monotonic();
  std::string key(about.kind());
  for (const std::string_view part : {about.namespace_(), about.name(), about.uid()}) key.append("/").append(part);
  std::lock_guard lock(mutex_);
  if (budgets_.size() >= kMaxKnown) budgets_.clear();
  Budget& budget = budgets_.try_emplace(std::move(key), Budget{kEventBurst, now}).first->second;
  budget.events =
      std::min(kEventBurst, budget.events + std::chrono::duration<double>(now - budget.filled) / kEventInterval);
  budget.filled = now;
  if (budget.events < 1) return false;
  budget.events -= 1;
  return true;
}

Result<void> EventRecorder::raise(const Context& context, Known& known, std::string_view now) {
  const Value patch = Value::object({{"count", known.count + 1}, {"lastTimestamp", now}});
  TRY(client_.patch(context, resources::events(), known.key, PatchType::Merge, patch, {.field_manager = component_}));
  return {};
}

Result<ObjectKey> EventRecorder::write_new(const Context& context, const Object& about, EventType type,
                                           std::string_view reason, std::string_view message,
                                           const EventAnnotations& annotations, std::string_view now) {
  // Events of cluster-scoped objects live in "default", as upstream's do.
  const std::string ns(about.namespace_().empty() ? "default" : about.namespace_());
  const std::string name = std::string(about.name()) + "." + context.executor().random().hex(8);
  Value::ObjectBuilder texts, metadata;
  for (const auto& [key, text] : annotations) texts.set(key, text);
  metadata.set("name", name).set("namespace", ns).set_nonempty("annotations", std::move(texts).build());
  const Object event(Value::object({
      {"kind", "Event"},
      {"apiVersion", "v1"},
      {"metadata", std::move(metadata).build()},
      {"involvedObject", object_reference(about)},
      {"reason", reason},
      {"message", message},
      {"source", Value::object({{"component", component_}})},
      {"firstTimestamp", now},
      {"lastTimestamp", now},
      {"count", 1},
      {"type", type_text(type)},
      {"reportingComponent", component_},
      {"reportingInstance", ""},
  }));
  ASSIGN_OR_RETURN(Object written, client_.create(context, resources::events(), event, {.field_manager = component_}));
  return written.key();
}

}  // namespace coracle::kube
