#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/value.h"
#include "kube/client/client.h"
#include "kube/object/object.h"

// What all of Flux's kinds share: conditions, the request to reconcile, the finalizer.
// https://fluxcd.io/flux/components/
namespace coracle::reconcilers {

inline constexpr std::string_view kFluxFinalizer = "finalizers.fluxcd.io";
inline constexpr std::string_view kReconcileRequest = "reconcile.fluxcd.io/requestedAt";

// The outcome of one attempt, as conditions tell it.
struct FluxOutcome {
  enum class Kind : std::uint8_t {
    Ready,
    Failed,       // Ready False, tried again
    Progressing,  // Ready Unknown, Reconciling True
    Stalled,      // Ready False and Stalled True: only a changed spec helps
  };
  Kind kind = Kind::Ready;
  std::string reason;
  std::string message;
};

// Whether a generation is done with: only then does status say that it was observed.
bool is_final(const FluxOutcome& outcome);

// The conditions after an outcome: Ready, and Reconciling or Stalled while they are true. Pure.
Value plan_flux_conditions(const Value& conditions, const FluxOutcome& outcome, std::int64_t generation, WallTime now);

// The list with a condition set while it is wanted, and without it else: Flux shows what is abnormal only while it is.
struct FluxCondition {
  std::string_view type;
  std::string_view status;
  std::string_view reason;
  std::string_view message;
};
Value with_flux_condition(const Value& conditions, bool wanted, const FluxCondition& condition, std::int64_t generation,
                          WallTime now);

// Says which reconcile request was answered, if there was one.
void set_handled_request(Value::ObjectBuilder& status, const kube::Object& object);

// Status of an object that is suspended: the request is handled, and what is ready is so in its present generation.
Value plan_suspended_status(const kube::Object& object);

// True when somebody asked for a reconcile that status has not answered yet.
bool has_unhandled_request(const kube::Object& object);

// Whether a change asks for work. Our own writes of status do not.
bool asks_for_work(const std::optional<kube::Object>& before, const kube::Object& after);

// What a reference of an object names: without a namespace one in its own.
kube::ObjectKey referenced_key(const kube::Object& object, const Value& reference);

// Makes status what is given when it differs from what the object has; what is not in it goes.
Result<void> write_flux_status(const Context& context, const kube::Client& client, const kube::ResourceRef& resource,
                               const kube::Object& object, const Value& status, std::string_view field_manager);
// Adds or removes the finalizer when it is not, or is, there.
Result<void> set_flux_finalizer(const Context& context, const kube::Client& client, const kube::ResourceRef& resource,
                                const kube::Object& object, bool wanted, std::string_view field_manager);

// A duration of spec, or the fallback where there is none.
Duration spec_duration(const kube::Object& object, std::string_view field, Duration fallback);
// A duration between two attempts: never so short that one follows the other without a pause.
inline constexpr Duration kShortestInterval = std::chrono::seconds(1);
Duration spec_interval(const kube::Object& object, std::string_view field, Duration fallback);

}  // namespace coracle::reconcilers
