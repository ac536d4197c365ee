#include <utility>
#include <variant>

#include "kube/apiserver/internal/generic_store.h"
#include "kube/apiserver/internal/managed_fields.h"
#include "kube/apiserver/internal/object_meta.h"
#include "kube/apiserver/internal/schema_validation.h"

namespace coracle::kube::apiserver {

namespace {

void add_create_warnings(const WriteRequest& write, std::vector<std::string> warnings) {
  if (write.warnings == nullptr) return;
  for (std::string& warning : warnings) write.warnings->push_back(std::move(warning));
}

Error exists_error(const ResourceDescriptor& resource, const Object& object, const StoredObjectPtr& there,
                   bool generated) {
  Error error = already_exists(resource, object.name());
  if (there != nullptr && there->deleting()) error = error.in("object is being deleted");
  if (!generated) return error;
  return Error(Reason::AlreadyExists,
               error.message() + ", the server was not able to generate a unique name for the object")
      .with_details(error.details())
      .with_retry_after(std::chrono::seconds(1));
}

}  // namespace

Result<WriteResult> GenericStore::create(const WriteRequest& write, Object object) {
  if (!object.resource_version().empty() && !write.dry_run) {
    return Error(Reason::Unknown, "resourceVersion should not be set on objects to be created").with_code(500);
  }
  return create(write, UpdateOptions{}, std::move(object));
}

Result<WriteResult> GenericStore::create(const WriteRequest& write, const UpdateOptions& options, Object object) {
  const WallTime now = write.context.clock().wall();
  Random& random = write.context.executor().random();
  const ResourceDescriptor& resource = write.resource;
  // A new object is not being deleted, and nobody owns what says so.
  for (const std::string_view field : {"deletionTimestamp", "deletionGracePeriodSeconds"}) {
    if (object.metadata().contains(field)) object = object.with_metadata(field, Value());
  }
  if (options.tracks_managed_fields) {
    object = track_managed_fields({resource, write.field_manager, write.subresource, now}, nullptr, object);
  }
  ASSIGN_OR_RETURN(object, to_storage(resource, object));
  if (resource.namespaced) object = object.with_metadata("namespace", write.namespace_);
  TRY(admit(write, Operation::Create, &object, nullptr));

  object = fill_new_metadata(object, write.namespace_, resource.namespaced, now, random);
  const bool generated = object.name().empty() && !object.generate_name().empty();
  object = generate_name(object, random);
  const WriteContext context = write_context(write);
  ASSIGN_OR_RETURN(object, resource.strategy->prepare_for_create(context, std::move(object)));
  object = drop_duplicate_owners(object, write.warnings);

  FieldErrors errors;
  validate_metadata(resource, object, errors);
  validate_schema(resource, object, nullptr, errors);
  resource.strategy->validate(context, object, errors);
  // Named as it is stored: events are core's in whichever API they were written.
  if (!errors.empty()) return invalid(resource.storage_gvk, object.name(), errors);
  add_create_warnings(write, resource.strategy->warnings(context, object, nullptr));
  if (options.authorize_create) TRY(options.authorize_create());
  TRY(admit_validating(write, Operation::Create, &object, nullptr));

  for (unsigned attempt = 1;; ++attempt) {
    auto written = store_new(write, object);
    if (written.ok() || !generated || attempt >= kGenerateNameAttempts ||
        written.error().reason() != Reason::AlreadyExists) {
      return written;
    }
    object = generate_name(object.with_metadata("name", Value()), random);
  }
}

Result<WriteResult> GenericStore::store_new(const WriteRequest& write, const Object& prepared) {
  const ResourceDescriptor& resource = write.resource;
  ASSIGN_OR_RETURN(Strategy::Allocation allocation,
                   resource.strategy->begin_write(write_context(write), prepared, nullptr));
  PendingWrite pending(std::move(allocation));
  const Object& object = pending.object();
  ASSIGN_OR_RETURN(store::Bytes bytes, stored_bytes(resource, object));
  const bool generated = !object.generate_name().empty();
  const std::string key = storage_key(resource, resource.namespaced ? object.namespace_() : "", object.name());
  if (write.dry_run) {
    ASSIGN_OR_RETURN(const auto there, feed_->backend().get(write.context, key));
    if (there.entry) {
      const auto read = read_entry(resource, *there.entry);
      return exists_error(resource, object, read.ok() ? *read : nullptr, generated);
    }
    ASSIGN_OR_RETURN(StoredObjectPtr stored, StoredObject::make(std::move(bytes), 0));
    return WriteResult{std::move(stored), true, false};
  }
  ASSIGN_OR_RETURN(const store::WriteOutcome outcome,
                   feed_->backend().create(write.context, key, bytes, resource.lease));
  if (const auto* lost = std::get_if<store::Lost>(&outcome)) {
    const auto there = winner_of(resource, *lost);
    return exists_error(resource, object, there.ok() ? *there : nullptr, generated);
  }
  pending.stored();
  ASSIGN_OR_RETURN(StoredObjectPtr stored,
                   StoredObject::make(std::move(bytes), std::get<store::Written>(outcome).revision));
  return WriteResult{std::move(stored), true, false};
}

}  // namespace coracle::kube::apiserver
