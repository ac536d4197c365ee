#include "reconcilers/git/flux_status.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/not_found.h"
#include "base/utf8.h"
#include "kube/object/conditions.h"

namespace coracle::reconcilers {
namespace {

constexpr std::size_t kMaxMessage = 20'000;

// A merge patch keeps what it does not name.
Value with_removals(const Value& before, const Value& after) {
  Value::ObjectBuilder patch(after);
  for (const Value::Member& member : before.members()) {
    if (!after.contains(member.key)) patch.set(member.key, Value());
  }
  return std::move(patch).build();
}

// What is abnormal first, then Ready, then what stands behind it by name.
Value in_flux_order(const Value& conditions) {
  const auto rank = [](const Value& condition) {
    constexpr std::array<std::string_view, 3> kFirst = {"Stalled", "Reconciling", "Ready"};
    const std::string_view type = condition["type"].as_string();
    return std::pair(std::find(kFirst.begin(), kFirst.end(), type) - kFirst.begin(), type);
  };
  std::vector<Value> sorted(conditions.items().begin(), conditions.items().end());
  std::sort(sorted.begin(), sorted.end(), [&](const Value& a, const Value& b) { return rank(a) < rank(b); });
  return Value::array(std::move(sorted));
}

}  // namespace

Value with_flux_condition(const Value& conditions, bool wanted, const FluxCondition& condition, std::int64_t generation,
                          WallTime now) {
  if (!wanted) return kube::without_condition(conditions, condition.type);
  kube::Condition entry;
  entry.type = condition.type;
  entry.status = condition.status;
  entry.reason = condition.reason;
  entry.message = truncate_utf8(condition.message, kMaxMessage);
  entry.observed_generation = generation;
  // Flux's transitions are of reason and message, too: dashboards show them as the time of the latest revision.
  const Value& before = kube::find_condition(conditions, condition.type);
  const bool same = before["reason"].as_string() == entry.reason && before["message"].as_string() == entry.message;
  return in_flux_order(
      kube::with_condition(same ? conditions : kube::without_condition(conditions, condition.type), entry, now));
}

bool is_final(const FluxOutcome& outcome) {
  return outcome.kind == FluxOutcome::Kind::Ready || outcome.kind == FluxOutcome::Kind::Stalled;
}

Value plan_flux_conditions(const Value& conditions, const FluxOutcome& outcome, std::int64_t generation, WallTime now) {
  using Kind = FluxOutcome::Kind;
  const bool ready = outcome.kind == Kind::Ready;
  const bool progressing = outcome.kind == Kind::Progressing;
  const bool stalled = outcome.kind == Kind::Stalled;
  const std::string_view status = ready ? "True" : progressing ? "Unknown" : "False";
  Value planned =
      with_flux_condition(conditions, true, {"Ready", status, outcome.reason, outcome.message}, generation, now);
  // A failed attempt that will be repeated is still on its way.
  const bool retrying = outcome.kind == Kind::Failed;
  planned = with_flux_condition(
      planned, progressing || retrying,
      {"Reconciling", "True", retrying ? "ProgressingWithRetry" : "Progressing", outcome.message}, generation, now);
  return with_flux_condition(planned, stalled, {"Stalled", "True", outcome.reason, outcome.message}, generation, now);
}

void set_handled_request(Value::ObjectBuilder& status, const kube::Object& object) {
  status.set_nonempty("lastHandledReconcileAt", object.annotation(kReconcileRequest));
}

Value plan_suspended_status(const kube::Object& object) {
  const Value& before = object["status"];
  Value::ObjectBuilder status(before);
  set_handled_request(status, object);
  if (kube::condition_is_true(before["conditions"], "Ready")) {
    status.set("observedGeneration", object.generation());
    status.set("conditions", kube::without_condition(before["conditions"], "Reconciling"));
  }
  return std::move(status).build();
}

bool has_unhandled_request(const kube::Object& object) {
  const std::string_view requested = object.annotation(kReconcileRequest);
  return !requested.empty() && requested != object["status"]["lastHandledReconcileAt"].as_string();
}

bool asks_for_work(const std::optional<kube::Object>& before, const kube::Object& after) {
  return !before || before->generation() != after.generation() || before->deleting() != after.deleting() ||
         has_unhandled_request(after);
}

kube::ObjectKey referenced_key(const kube::Object& object, const Value& reference) {
  const std::string_view ns = reference["namespace"].as_string();
  return {std::string(ns.empty() ? object.namespace_() : ns), std::string(reference["name"].as_string())};
}

Result<void> write_flux_status(const Context& context, const kube::Client& client, const kube::ResourceRef& resource,
                               const kube::Object& object, const Value& status, std::string_view field_manager) {
  if (object["status"] == status) return {};
  return even_if_gone(client.patch(context, resource, object.key(), kube::PatchType::Merge,
                                   Value::object({{"status", with_removals(object["status"], status)}}),
                                   {.field_manager = std::string(field_manager)}, "status"));
}

Result<void> set_flux_finalizer(const Context& context, const kube::Client& client, const kube::ResourceRef& resource,
                                const kube::Object& object, bool wanted, std::string_view field_manager) {
  if (object.has_finalizer(kFluxFinalizer) == wanted) return {};
  const kube::Object changed =
      wanted ? object.with_finalizer(kFluxFinalizer) : object.without_finalizer(kFluxFinalizer);
  return even_if_gone(client.patch_metadata(context, resource, object,
                                            Value::ObjectBuilder().set("finalizers", changed.metadata()["finalizers"]),
                                            {.field_manager = std::string(field_manager)}));
}

Duration spec_duration(const kube::Object& object, std::string_view field, Duration fallback) {
  const Result<Duration> duration = parse_duration(object["spec"][field].as_string());
  return duration.ok() ? *duration : fallback;
}

Duration spec_interval(const kube::Object& object, std::string_view field, Duration fallback) {
  return std::max<Duration>(spec_duration(object, field, fallback), kShortestInterval);
}

}  // namespace coracle::reconcilers
