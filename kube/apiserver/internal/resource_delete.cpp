#include <algorithm>
#include <utility>
#include <variant>

#include "kube/apiserver/internal/generic_store.h"
#include "kube/apiserver/internal/object_meta.h"

namespace coracle::kube::apiserver {

namespace {

constexpr unsigned kDeleteAttempts = 64;
constexpr std::string_view kOrphan = "orphan";
constexpr std::string_view kForeground = "foregroundDeletion";

// Precondition failures name the kind.
Error precondition_failed(const ResourceDescriptor& resource, std::string_view name, std::string message) {
  ErrorDetails details;
  details.name = name;
  details.group = resource.gvk.group;
  details.kind = resource.gvk.kind;
  const std::string kind = resource.gvk.kind + (resource.gvk.group.empty() ? "" : "." + resource.gvk.group);
  return Error(Reason::Conflict,
               "Operation cannot be fulfilled on " + kind + " \"" + std::string(name) + "\": " + std::move(message))
      .with_details(std::move(details));
}

Result<void> check_preconditions(const ResourceDescriptor& resource, const Preconditions& wanted,
                                 const StoredObject& current) {
  if (wanted.uid && *wanted.uid != current.uid()) {
    return precondition_failed(resource, current.name(),
                               "the UID in the precondition (" + *wanted.uid + ") does not match the UID in record (" +
                                   std::string(current.uid()) +
                                   "). The object might have been deleted and then recreated");
  }
  const std::string revision = std::to_string(current.revision());
  if (wanted.resource_version && *wanted.resource_version != revision) {
    return precondition_failed(resource, current.name(),
                               "the ResourceVersion in the precondition (" + *wanted.resource_version +
                                   ") does not match the ResourceVersion in record (" + revision +
                                   "). The object might have been modified");
  }
  return {};
}

enum class Dependents { Background, Foreground, Orphan };

Dependents dependents_policy(const Strategy& strategy, const Object& object, const DeleteOptions& options) {
  if (options.orphan_dependents) return *options.orphan_dependents ? Dependents::Orphan : Dependents::Background;
  if (options.propagation == "Orphan") return Dependents::Orphan;
  if (options.propagation == "Foreground") return Dependents::Foreground;
  if (options.propagation == "Background") return Dependents::Background;
  // A finalizer that is there already was somebody's choice.
  for (const Value& finalizer : object.metadata()["finalizers"].items()) {
    if (finalizer.as_string() == kOrphan) return Dependents::Orphan;
    if (finalizer.as_string() == kForeground) return Dependents::Foreground;
  }
  return strategy.default_propagation() == "Orphan" ? Dependents::Orphan : Dependents::Background;
}

Object with_dependents_finalizer(const Object& object, Dependents policy) {
  std::vector<Value> finalizers;
  for (const Value& finalizer : object.metadata()["finalizers"].items()) {
    if (finalizer.as_string() != kOrphan && finalizer.as_string() != kForeground) finalizers.push_back(finalizer);
  }
  if (policy == Dependents::Orphan) finalizers.emplace_back(kOrphan);
  if (policy == Dependents::Foreground) finalizers.emplace_back(kForeground);
  const auto before = object.metadata()["finalizers"].items();
  const bool same = finalizers.size() == before.size() &&
                    std::all_of(finalizers.begin(), finalizers.end(), [&](const Value& finalizer) {
                      return std::find(before.begin(), before.end(), finalizer) != before.end();
                    });
  if (same) return object;
  return object.with_metadata("finalizers", finalizers.empty() ? Value() : Value::array(std::move(finalizers)));
}

Object bump_generation(const Object& object) {
  return object.generation() > 0 ? object.with_metadata("generation", object.generation() + 1) : object;
}

// The mark of an object that stays only because something holds it.
Object mark_held(const Object& object, WallTime now, bool zero_grace) {
  Object marked = object.deleting() ? object : bump_generation(object);
  if (!object.deleting()) marked = marked.with_metadata("deletionTimestamp", format_time(now));
  return zero_grace ? marked.with_metadata("deletionGracePeriodSeconds", 0) : marked;
}

struct Grace {
  bool graceful = false;
  bool pending = false;  // already on its way; nothing to write
  std::int64_t seconds = 0;
  Object object;
};

// What a resource with grace periods makes of a DELETE (rest.BeforeDelete).
Grace apply_grace(const WriteContext& context, const Strategy& strategy, const Object& object,
                  const DeleteOptions& options) {
  Grace grace;
  grace.object = object;
  const auto period = strategy.grace_period(context, object, options.grace_period_seconds);
  if (!period) return grace;
  const Value& current = object.metadata()["deletionGracePeriodSeconds"];
  if (object.deleting()) {
    // Without a grace period, or when it is over, nothing is left to wait for: the server may have stopped between the
    // mark and the removal.
    if (current.is_null() || current.as_int() == 0) return grace;
    grace.seconds = current.as_int();
    if (!options.grace_period_seconds || *options.grace_period_seconds >= current.as_int()) {
      grace.pending = true;
      return grace;
    }
    // Only a shorter period counts, measured from the first request.
    auto planned = parse_time(object.metadata()["deletionTimestamp"].as_string());
    const WallTime base = planned.ok() ? *planned - std::chrono::seconds(current.as_int()) : context.now;
    grace.graceful = true;
    grace.seconds = *period;
    grace.object = object.with_metadata("deletionTimestamp", format_time(base + std::chrono::seconds(*period)))
                       .with_metadata("deletionGracePeriodSeconds", *period);
    return grace;
  }
  grace.graceful = true;
  grace.seconds = *period;
  grace.object = bump_generation(
      object.with_metadata("deletionTimestamp", format_time(context.now + std::chrono::seconds(*period)))
          .with_metadata("deletionGracePeriodSeconds", *period));
  return grace;
}

}  // namespace

Result<DeleteResult> GenericStore::remove(const WriteRequest& write, const DeleteOptions& options) {
  ASSIGN_OR_RETURN(StoredObjectPtr current, find(write.context, write.resource, write.namespace_, write.name));
  for (unsigned attempt = 0; attempt < kDeleteAttempts; ++attempt) {
    if (current == nullptr) return not_found(write.resource, write.name);
    ASSIGN_OR_RETURN(DeleteAttempt outcome, try_remove(write, options, current));
    if (outcome.result) return std::move(*outcome.result);
    current = std::move(outcome.winner);
  }
  return Error(Reason::ServerTimeout, "The DELETE operation against " + write.resource.qualified_resource() +
                                          " could not be completed at this time, please try again.");
}

Result<GenericStore::DeleteAttempt> GenericStore::try_remove(const WriteRequest& write, const DeleteOptions& options,
                                                             const StoredObjectPtr& current) {
  const ResourceDescriptor& resource = write.resource;
  const Strategy& strategy = *resource.strategy;
  const WriteContext context = write_context(write);
  TRY(check_preconditions(resource, options.preconditions, *current));
  ASSIGN_OR_RETURN(const Object old, current->object());
  TRY(admit(write, Operation::Delete, nullptr, &old));
  TRY(admit_validating(write, Operation::Delete, nullptr, &old));

  Grace grace = apply_grace(context, strategy, old, options);
  if (grace.pending) return DeleteAttempt{DeleteResult{current, false}, nullptr};
  const Object marked = with_dependents_finalizer(grace.object, dependents_policy(strategy, old, options));
  const bool finalizers = !marked.metadata()["finalizers"].empty();
  const bool held = strategy.holds_deletion(marked);
  if (grace.graceful) {
    ASSIGN_OR_RETURN(DeleteAttempt mark, store_marked(write, strategy.mark_deleted(context, marked), current));
    if (!mark.result || finalizers || held || grace.seconds > 0) return mark;
    if (write.dry_run) return DeleteAttempt{DeleteResult{std::move(mark.result->object), true}, nullptr};
    return remove_marked(write, mark.result->object);
  }
  if (finalizers || held) {
    return store_marked(write, strategy.mark_deleted(context, mark_held(marked, context.now, !held)), current);
  }
  if (write.dry_run) return DeleteAttempt{DeleteResult{current, true}, nullptr};
  return store_removed(write, old, current);
}

Result<GenericStore::DeleteAttempt> GenericStore::store_marked(const WriteRequest& write, const Object& marked,
                                                               const StoredObjectPtr& current) {
  const ResourceDescriptor& resource = write.resource;
  ASSIGN_OR_RETURN(store::Bytes bytes, stored_bytes(resource, marked));
  if (*bytes == *current->json()) return DeleteAttempt{DeleteResult{current, false}, nullptr};
  if (write.dry_run) {
    ASSIGN_OR_RETURN(StoredObjectPtr stored, StoredObject::make(std::move(bytes), current->revision()));
    return DeleteAttempt{DeleteResult{std::move(stored), false}, nullptr};
  }
  ASSIGN_OR_RETURN(Attempt<StoredObjectPtr> stored, replace(write, std::move(bytes), *current));
  if (!stored.result) return DeleteAttempt{std::nullopt, std::move(stored.winner)};
  return DeleteAttempt{DeleteResult{std::move(*stored.result), false}, nullptr};
}

// What has no time left goes at once, but its watchers see that it is being deleted before they see it gone. Whatever
// else is written to it in between does not hold it back, except for something to wait for.
Result<GenericStore::DeleteAttempt> GenericStore::remove_marked(const WriteRequest& write, StoredObjectPtr marked) {
  for (unsigned attempt = 0; attempt < kDeleteAttempts; ++attempt) {
    ASSIGN_OR_RETURN(const Object object, marked->object());
    if (!object.metadata()["finalizers"].empty()) return DeleteAttempt{DeleteResult{std::move(marked), false}, nullptr};
    ASSIGN_OR_RETURN(DeleteAttempt removed, store_removed(write, object, marked));
    if (removed.result) return removed;
    // Somebody else removed it, as was wanted.
    if (removed.winner == nullptr) return DeleteAttempt{DeleteResult{std::move(marked), true}, nullptr};
    marked = std::move(removed.winner);
  }
  return DeleteAttempt{DeleteResult{std::move(marked), false}, nullptr};
}

Result<GenericStore::DeleteAttempt> GenericStore::store_removed(const WriteRequest& write, const Object& object,
                                                                const StoredObjectPtr& current) {
  const ResourceDescriptor& resource = write.resource;
  const std::string key = storage_key(resource, current->namespace_(), current->name());
  ASSIGN_OR_RETURN(const auto outcome, feed_->backend().remove(write.context, key, current->revision()));
  if (const auto* lost = std::get_if<store::Lost>(&outcome)) {
    ASSIGN_OR_RETURN(StoredObjectPtr winner, winner_of(resource, *lost));
    return DeleteAttempt{std::nullopt, std::move(winner)};
  }
  resource.strategy->after_delete(write_context(write), object);
  return DeleteAttempt{DeleteResult{current->at(std::get<store::Written>(outcome).revision), true}, nullptr};
}

}  // namespace coracle::kube::apiserver
