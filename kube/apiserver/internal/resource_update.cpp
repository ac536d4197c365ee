#include <utility>

#include "base/text.h"
#include "kube/apiserver/internal/generic_store.h"
#include "kube/apiserver/internal/managed_fields.h"
#include "kube/apiserver/internal/object_meta.h"
#include "kube/apiserver/internal/schema_validation.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kModified =
    "the object has been modified; please apply your changes to the latest version and try again";
// Where all keys begin; upstream's dry runs do not name it.
constexpr std::string_view kKeyRoot = "/registry";
// Lost races that are run again when the caller did not pin a revision.
constexpr unsigned kMaxAttempts = 64;

// PUT with another object's uid: upstream's text comes from its storage layer.
Error uid_conflict(const WriteRequest& write, std::string_view uid, std::string_view current_uid) {
  const std::string key = storage_key(write.resource, write.namespace_, write.name);
  return conflict(write.resource, write.name,
                  "StorageError: invalid object, Code: 4, Key: " + (write.dry_run ? key.substr(kKeyRoot.size()) : key) +
                      ", ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: " +
                      std::string(uid) + ", UID in object meta: " + std::string(current_uid));
}

Result<void> check_revision(const WriteRequest& write, const Object& object, const StoredObject& current) {
  const std::string_view wanted = object.resource_version();
  if (wanted.empty() || wanted == "0") {
    if (write.resource.strategy->allow_unconditional_update()) return {};
    // The name in this one error is the resource's, not the kind's.
    GroupVersionKind named = write.resource.gvk;
    named.kind = write.resource.resource;
    return invalid(named, current.name(),
                   {field_error::invalid("metadata.resourceVersion", 0, "must be specified for an update")});
  }
  const bool digits = wanted.find_first_not_of("0123456789") == std::string_view::npos;
  if (!digits || !parse_int(wanted)) {
    return Error(Reason::Unknown, "strconv.ParseUint: parsing \"" + std::string(wanted) +
                                      (digits ? "\": value out of range" : "\": invalid syntax"))
        .with_code(500);
  }
  if (wanted != std::to_string(current.revision())) return conflict(write.resource, current.name(), kModified);
  return {};
}

// Did the write take away the last thing that kept a deleted object?
bool vanishes(const Strategy& strategy, const Object& object, const Object& old) {
  if (!old.deleting() || !object.metadata()["finalizers"].empty()) return false;
  const Value& grace = old.metadata()["deletionGracePeriodSeconds"];
  return (grace.is_null() || grace.as_int() == 0) && !strategy.holds_deletion(object);
}

}  // namespace

Result<WriteResult> GenericStore::update(const WriteRequest& write, const UpdateOptions& options,
                                         const Change& change) {
  ASSIGN_OR_RETURN(StoredObjectPtr current, find(write.context, write.resource, write.namespace_, write.name));
  for (unsigned attempt = 0; attempt < kMaxAttempts; ++attempt) {
    if (current == nullptr) {
      if (!options.create_if_missing) return not_found(write.resource, write.name);
      if (options.preconditions.uid) return uid_conflict(write, *options.preconditions.uid, "");
      ASSIGN_OR_RETURN(Object object, change(nullptr));
      auto created = create(write, options, std::move(object));
      if (created.ok() || created.error().reason() != Reason::AlreadyExists) return created;
      ASSIGN_OR_RETURN(current, find(write.context, write.resource, write.namespace_, write.name));
      if (current == nullptr) return created;
      continue;
    }
    ASSIGN_OR_RETURN(UpdateAttempt outcome, try_update(write, options, change, current));
    if (outcome.result) return std::move(*outcome.result);
    if (attempt >= options.retries) break;
    current = std::move(outcome.winner);
  }
  return conflict(write.resource, write.name, kModified);
}

Result<Object> GenericStore::changed(const WriteRequest& write, const UpdateOptions& options, const Change& change,
                                     const Object& current, const StoredObject& stored) {
  const ResourceDescriptor& resource = write.resource;
  ASSIGN_OR_RETURN(const Object served, to_served(resource, current));
  ASSIGN_OR_RETURN(Object object, change(&served));
  TRY(check_revision(write, object, stored));
  if (options.tracks_managed_fields) {
    const WallTime now = write.context.clock().wall();
    object = track_managed_fields({resource, write.field_manager, write.subresource, now}, &served, object);
  }
  return to_storage(resource, object);
}

Result<void> GenericStore::check_update(const WriteRequest& write, const Object& object, const Object& old) {
  const ResourceDescriptor& resource = write.resource;
  const WriteContext context = write_context(write);
  FieldErrors errors;
  validate_metadata_update(resource, object, old, errors);
  validate_schema(resource, object, &old, errors);
  resource.strategy->validate_update(context, object, old, errors);
  // Named as it is stored: events are core's in whichever API they were written.
  if (!errors.empty()) return invalid(resource.storage_gvk, object.name(), errors);
  if (write.warnings != nullptr) {
    for (std::string& warning : resource.strategy->warnings(context, object, &old)) {
      write.warnings->push_back(std::move(warning));
    }
  }
  return admit_validating(write, Operation::Update, &object, &old);
}

Result<GenericStore::UpdateAttempt> GenericStore::try_update(const WriteRequest& write, const UpdateOptions& options,
                                                             const Change& change, const StoredObjectPtr& current) {
  const ResourceDescriptor& resource = write.resource;
  const Preconditions& wanted = options.preconditions;
  if (wanted.uid && *wanted.uid != current->uid()) return uid_conflict(write, *wanted.uid, current->uid());
  if (wanted.resource_version && *wanted.resource_version != std::to_string(current->revision())) {
    return conflict(resource, current->name(), kModified);
  }
  ASSIGN_OR_RETURN(const Object old, current->object());
  ASSIGN_OR_RETURN(Object object, changed(write, options, change, old, *current));
  object = keep_system_metadata(object, old);
  TRY(admit(write, Operation::Update, &object, &old));
  if (!options.skip_prepare) {
    ASSIGN_OR_RETURN(object, resource.strategy->prepare_for_update(write_context(write), std::move(object), old));
  }
  object = drop_duplicate_owners(object, write.warnings, options.patched);
  TRY(check_update(write, object, old));
  return finish_update(write, object, old, current);
}

Result<GenericStore::UpdateAttempt> GenericStore::finish_update(const WriteRequest& write, const Object& object,
                                                                const Object& old, const StoredObjectPtr& current) {
  const ResourceDescriptor& resource = write.resource;
  ASSIGN_OR_RETURN(Strategy::Allocation allocation, resource.strategy->begin_write(write_context(write), object, &old));
  PendingWrite pending(std::move(allocation));
  ASSIGN_OR_RETURN(store::Bytes bytes, stored_bytes(resource, pending.object()));
  if (vanishes(*resource.strategy, pending.object(), old)) {
    pending.give_back();
    ASSIGN_OR_RETURN(StoredObjectPtr last, StoredObject::make(std::move(bytes), current->revision()));
    if (write.dry_run) return UpdateAttempt{WriteResult{std::move(last), false, true}, nullptr};
    ASSIGN_OR_RETURN(DeleteAttempt removed, store_removed(write, pending.object(), current));
    if (!removed.result) return UpdateAttempt{std::nullopt, std::move(removed.winner)};
    return UpdateAttempt{WriteResult{last->at(removed.result->object->revision()), false, true}, nullptr};
  }
  if (*bytes == *current->json()) return UpdateAttempt{WriteResult{current, false, false}, nullptr};
  if (write.dry_run) {
    ASSIGN_OR_RETURN(StoredObjectPtr stored, StoredObject::make(std::move(bytes), current->revision()));
    return UpdateAttempt{WriteResult{std::move(stored), false, false}, nullptr};
  }
  ASSIGN_OR_RETURN(Attempt<StoredObjectPtr> stored, replace(write, std::move(bytes), *current));
  if (!stored.result) return UpdateAttempt{std::nullopt, std::move(stored.winner)};
  pending.stored();
  return UpdateAttempt{WriteResult{std::move(*stored.result), false, false}, nullptr};
}

}  // namespace coracle::kube::apiserver
