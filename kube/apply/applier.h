#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/log.h"
#include "base/result.h"
#include "kube/apply/inventory.h"
#include "kube/client/client.h"
#include "kube/client/discovery.h"

namespace coracle::kube {

enum class ApplyAction : std::uint8_t { Created, Configured, Unchanged, Skipped, Deleted };

struct ApplyOptions {
  std::string field_manager;
  // What the names of managers begin with whose ownership is taken over before applying, so that their edits are
  // reverted.
  std::vector<std::string> take_over_managers = {};
  // Decides per object and its live counterpart whether others keep what they own of it.
  std::function<bool(const Object& desired, const Object* live)> leave_managers = {};
  // Decides, where an update is refused that a new object may be made with, whether to delete the object and create it
  // again.
  std::function<bool(const Object& desired, const Object* live)> force = {};
  // Decides per object and its live counterpart (null when there is none) whether to leave it alone.
  std::function<bool(const Object& desired, const Object* live)> skip = {};
  // Answers what to apply in place of an object, given its live counterpart.
  std::function<Object(const Object& desired, const Object* live)> adapt = {};
  // How long a stage (definitions, then classes) may take to become ready for the next one.
  Duration stage_timeout = std::chrono::seconds(60);
};

struct Applied {
  InventoryEntry entry;
  ApplyAction action;
};

// "Deployment/shop/web created", as Flux tells what it did.
std::string applied_text(const Applied& applied);

// managedFields with what `managers` (by the start of their names), and plain updates of `field_manager` itself, own
// given to the applies of `field_manager`; nothing when there is none of them. The server keeps one of two entries for
// the same applies, so they become one here.
std::optional<Value> taken_over(const Value& managed_fields, const std::vector<std::string>& managers,
                                std::string_view field_manager);

// Applies sets of objects server-side, in Flux's order: definitions and namespaces first, then
// classes, then the rest; within a stage every object is tried as a dry run before any is written, so
// that one bad object changes nothing of its stage. Thread-safe.
class Applier {
 public:
  Applier(const Client& client, RestMapper& mapper, Logger log);

  // In the order of application; the error names the object it is about. What was applied before the
  // error is appended to `applied` all the same.
  Result<void> apply_all(const Context& context, std::vector<Object> objects, const ApplyOptions& options,
                         std::vector<Applied>& applied) const;

  struct PruneOptions {
    // Only what `owned` accepts is deleted.
    std::function<bool(const Object& live)> owned;
    std::string propagation = "Background";
  };
  // Deletes in reverse order. Answers the entries that could not be deleted, with the first error in
  // `error` when there is one.
  Inventory prune(const Context& context, const Inventory& stale, const PruneOptions& options,
                  std::optional<Error>& error, std::vector<Applied>& deleted) const;

  // Gives the fields that `managers`, and plain updates of `field_manager` itself, own to the applies of
  // `field_manager`, so that an apply removes what it no longer names. Answers the object as it then is.
  Result<std::optional<Object>> take_over_fields(const Context& context, const ResourceRef& resource,
                                                 std::optional<Object> live, const std::vector<std::string>& managers,
                                                 const std::string& field_manager) const;

  // The live object, or nothing when it does not exist (its kind included). At another version where that of the entry
  // is not served.
  Result<std::optional<Object>> live(const Context& context, const InventoryEntry& entry) const;

 private:
  struct Item;
  struct Found;
  Result<std::optional<Found>> find(const Context& context, const InventoryEntry& entry) const;
  Result<bool> remove_owned(const Context& context, const InventoryEntry& entry, const PruneOptions& options) const;
  Result<Item> try_object(const Context& context, const Object& object, const ApplyOptions& options) const;
  Result<ApplyAction> write(const Context& context, const Item& item, const ApplyOptions& options) const;
  Result<void> try_recreation(const Context& context, const Item& item, const ApplyOptions& options,
                              const Error& refused) const;
  Result<void> recreate(const Context& context, const Item& item, const ApplyOptions& options) const;
  Result<void> wait_for_stage(const Context& context, const std::vector<Item>& items, Duration timeout) const;

  const Client& client_;
  RestMapper& mapper_;
  Logger log_;
};

}  // namespace coracle::kube
