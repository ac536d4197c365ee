#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "kube/apiserver/internal/admission/chain.h"
#include "kube/apiserver/internal/resource_store.h"
#include "kube/apiserver/internal/store_feed.h"

namespace coracle::kube::apiserver {

// The generic registry over caches and a store backend.
class GenericStore : public ResourceStore {
 public:
  GenericStore(std::shared_ptr<StoreFeed> feed, const AdmissionChain& admission)
      : feed_(std::move(feed)), admission_(admission) {}

  // The resource's loaded cache, brought up to what the store has acknowledged.
  Result<std::shared_ptr<WatchCache>> fresh_cache(const Context& context, const ResourceDescriptor& resource);
  Result<std::shared_ptr<WatchCache>> cache(const Context& context, const ResourceDescriptor& resource);
  // The state at an older revision, read from the store. Expired when it is compacted.
  Result<CacheSnapshot> snapshot_at(const Context& context, const ResourceDescriptor& resource, std::string_view ns,
                                    store::Revision revision);
  const std::shared_ptr<StoreFeed>& feed() const { return feed_; }

  Result<StoredObjectPtr> find(const Context& context, const ResourceDescriptor& resource, std::string_view ns,
                               std::string_view name) override;
  Result<Object> get(const Context& context, const ResourceDescriptor& resource, std::string_view ns,
                     std::string_view name) override;
  Result<std::vector<StoredObjectPtr>> list(const Context& context, const ResourceDescriptor& resource,
                                            std::string_view ns) override;
  Result<store::Revision> last_change(const Context& context, const ResourceDescriptor& resource) override;

  Result<WriteResult> create(const WriteRequest& write, Object object) override;
  Result<WriteResult> update(const WriteRequest& write, const UpdateOptions& options, const Change& change) override;
  Result<DeleteResult> remove(const WriteRequest& write, const DeleteOptions& options) override;

 private:
  // The outcome of one attempt: done, or lost against what is there now.
  template <class Outcome>
  struct Attempt {
    std::optional<Outcome> result;
    StoredObjectPtr winner;  // null when the object is gone
  };
  using UpdateAttempt = Attempt<WriteResult>;
  using DeleteAttempt = Attempt<DeleteResult>;

  Result<WriteResult> create(const WriteRequest& write, const UpdateOptions& options, Object object);
  Result<WriteResult> store_new(const WriteRequest& write, const Object& object);
  Result<UpdateAttempt> try_update(const WriteRequest& write, const UpdateOptions& options, const Change& change,
                                   const StoredObjectPtr& current);
  Result<Object> changed(const WriteRequest& write, const UpdateOptions& options, const Change& change,
                         const Object& current, const StoredObject& stored);
  Result<void> check_update(const WriteRequest& write, const Object& object, const Object& old);
  Result<UpdateAttempt> finish_update(const WriteRequest& write, const Object& object, const Object& old,
                                      const StoredObjectPtr& current);
  Result<DeleteAttempt> try_remove(const WriteRequest& write, const DeleteOptions& options,
                                   const StoredObjectPtr& current);
  Result<DeleteAttempt> store_marked(const WriteRequest& write, const Object& marked, const StoredObjectPtr& current);
  Result<DeleteAttempt> remove_marked(const WriteRequest& write, StoredObjectPtr marked);
  Result<DeleteAttempt> store_removed(const WriteRequest& write, const Object& object, const StoredObjectPtr& current);
  Result<void> admit(const WriteRequest& write, Operation operation, Object* object, const Object* old);
  Result<void> admit_validating(const WriteRequest& write, Operation operation, const Object* object,
                                const Object* old);
  // Stores the bytes in the place of `current`.
  Result<Attempt<StoredObjectPtr>> replace(const WriteRequest& write, store::Bytes bytes, const StoredObject& current);
  Result<StoredObjectPtr> winner_of(const ResourceDescriptor& resource, const store::Lost& lost) const;
  Result<StoredObjectPtr> read_entry(const ResourceDescriptor& resource, const store::Entry& entry) const;

  const std::shared_ptr<StoreFeed> feed_;
  const AdmissionChain& admission_;
};

// What strategies learn of a write.
WriteContext write_context(const WriteRequest& write);

// An object with what its strategy has allocated for it (addresses, ports), which is given back unless it is stored.
class PendingWrite {
 public:
  explicit PendingWrite(Strategy::Allocation allocation) : allocation_(std::move(allocation)) {}
  PendingWrite(const PendingWrite&) = delete;
  PendingWrite& operator=(const PendingWrite&) = delete;
  ~PendingWrite() { give_back(); }

  const Object& object() const { return allocation_.object; }
  void give_back() {
    if (const auto undo = std::exchange(allocation_.undo, nullptr)) undo();
  }
  void stored() {
    allocation_.undo = nullptr;
    if (allocation_.commit) allocation_.commit();
  }

 private:
  Strategy::Allocation allocation_;
};

// How stored values of a resource become the JSON form of StoredObject: protobuf and foreign JSON.
Normalise normalise_for(const ResourceDescriptor& resource);
// The bytes of an object in the storage version, in the form of StoredObject.
Result<store::Bytes> stored_bytes(const ResourceDescriptor& resource, const Object& object);
std::string storage_key(const ResourceDescriptor& resource, std::string_view ns, std::string_view name);
// Between the version that a caller speaks and the stored one.
Result<Object> to_storage(const ResourceDescriptor& resource, const Object& object);
Result<Object> to_served(const ResourceDescriptor& resource, const Object& object);

}  // namespace coracle::kube::apiserver
