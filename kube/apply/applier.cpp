#include "kube/apply/applier.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/not_found.h"
#include "kube/apply/deletion.h"
#include "kube/apply/health.h"
#include "kube/apply/manifest.h"

namespace coracle::kube {
namespace {

// An object that changes all the time is left for the next round.
constexpr int kPruneTries = 5;
constexpr Duration kStagePoll = std::chrono::milliseconds(100);
constexpr int kLastStage = 3;
constexpr int kTakeOverTries = 5;
constexpr Duration kRecreateTimeout = std::chrono::seconds(60);

std::string describe(const Object& object) {
  return InventoryEntry::of(object).subject();
}

std::string_view action_text(ApplyAction action) {
  constexpr std::array<std::string_view, 5> kTexts = {"created", "configured", "unchanged", "skipped", "deleted"};
  return kTexts[static_cast<std::size_t>(action)];
}

// Of which object, and in which way, a dry run failed, in Flux's words.
std::string failed_dry_run(const Object& object, const Error& error) {
  const Reason reason = error.reason();
  // Of a kind that is not served the server said nothing.
  const bool answered = reason != Reason::Unknown && !error.details().kind.empty();
  if (answered && reason == Reason::NotFound) return describe(object) + " not found";
  return describe(object) + " dry-run failed" + (answered ? " (" + std::string(reason_text(reason)) + ")" : "");
}

bool says_immutable(const Error& error) {
  const std::string& text = error.message();
  return text.find("is immutable") != std::string::npos || text.find("immutable field") != std::string::npos ||
         text.find("may not change once set") != std::string::npos;
}

// Whether what an update was refused for may be possible for a new object. Not every kind says so in these words
// ("cannot change roleRef"), so whatever is invalid counts, as Flux has it; but for definitions and namespaces, with
// which all goes that stands in them.
bool may_be_immutable(const Object& object, const Error& error) {
  const GroupVersionKind gvk = object.gvk();
  return says_immutable(error) || (error.reason() == Reason::Invalid && apply_stage(gvk.group, gvk.kind) != 1);
}

// What an apply may change: everything but status and the metadata that the server keeps.
bool same_content(const Object& left, const Object& right) {
  const auto content = [](const Object& object) {
    Value::ObjectBuilder builder(object.tree());
    builder.remove("metadata").remove("status");
    builder.set("labels", object.metadata()["labels"]).set("annotations", object.metadata()["annotations"]);
    builder.set("owners", object.metadata()["ownerReferences"]).set("finalizers", object.metadata()["finalizers"]);
    return std::move(builder).build();
  };
  return content(left) == content(right);
}

// All fields that either of two sets of fields has.
Value union_of(const Value& left, const Value& right) {
  Value::ObjectBuilder fields(left.is_object() ? left : Value::object());
  for (const Value::Member& member : right.members()) {
    const Value* mine = left.find(member.key);
    fields.set(member.key, mine == nullptr ? member.value : union_of(*mine, member.value));
  }
  return std::move(fields).build();
}

}  // namespace

std::optional<Value> taken_over(const Value& managed_fields, const std::vector<std::string>& managers,
                                std::string_view field_manager) {
  std::optional<Value> ours;
  bool found = false;
  Value::ArrayBuilder others;
  const auto add_ours = [&](const Value& entry) {
    const Value fields = ours ? union_of((*ours)["fieldsV1"], entry["fieldsV1"]) : entry["fieldsV1"];
    ours = (ours ? *ours : entry).with("fieldsV1", fields);
  };
  for (const Value& entry : managed_fields.items()) {
    const std::string_view manager = entry["manager"].as_string();
    const bool applied = entry["operation"].as_string() == "Apply";
    const bool listed = std::any_of(managers.begin(), managers.end(),
                                    [manager](const std::string& prefix) { return manager.starts_with(prefix); });
    if (!entry["subresource"].as_string().empty() || (manager != field_manager && !listed)) {
      others.add(entry);
    } else if (manager == field_manager && applied) {
      add_ours(entry);
    } else {
      found = true;
      add_ours(entry.with("manager", field_manager).with("operation", "Apply"));
    }
  }
  if (!found) return std::nullopt;
  others.add(*ours);
  return std::move(others).build();
}

std::string applied_text(const Applied& applied) {
  return applied.entry.subject() + " " + std::string(action_text(applied.action));
}

struct Applier::Item {
  Object desired;
  ResourceRef resource;
  std::optional<Object> live;
  std::optional<Object> outcome;  // of the dry run; nothing when the object is skipped
  bool recreate = false;
};

// A live object and the resource that serves it.
struct Applier::Found {
  ResourceRef resource;
  Object object;
};

Applier::Applier(const Client& client, RestMapper& mapper, Logger log)
    : client_(client), mapper_(mapper), log_(std::move(log)) {}

// What was applied at a version that is not served any more is still there, at another one.
Result<std::optional<Applier::Found>> Applier::find(const Context& context, const InventoryEntry& entry) const {
  for (bool read_again = false;; read_again = true) {
    ASSIGN_OR_RETURN(const std::optional<DiscoveredResource> resource,
                     if_there(mapper_.find_at_any_version(context, entry.gvk())));
    if (!resource) return std::optional<Found>();
    Result<Object> object = client_.get(context, resource->ref, entry.key());
    if (object.ok()) return std::optional<Found>({resource->ref, std::move(*object)});
    if (object.error().reason() != Reason::NotFound) return object.error();
    // Of an object that is not there the server names the kind, of a version that it does not serve nothing.
    if (!object.error().details().kind.empty()) return std::optional<Found>();
    if (read_again) return object.error();
    mapper_.invalidate();
  }
}

Result<std::optional<Object>> Applier::live(const Context& context, const InventoryEntry& entry) const {
  ASSIGN_OR_RETURN(std::optional<Found> found, find(context, entry));
  return found ? std::optional<Object>(std::move(found->object)) : std::nullopt;
}

Result<Applier::Item> Applier::try_object(const Context& context, const Object& object,
                                          const ApplyOptions& options) const {
  Item item;
  ASSIGN_OR_RETURN(const DiscoveredResource resource, mapper_.find(context, object.gvk()));
  item.resource = resource.ref;
  if (item.resource.namespaced && object.namespace_().empty()) {
    return Error(Reason::Unknown,
                 "metadata.namespace: not specified, and nothing else says in which namespace it belongs");
  }
  item.desired = placed_for_apply(object, item.resource.namespaced).without("status");
  ASSIGN_OR_RETURN(item.live, live(context, InventoryEntry::of(item.desired)));
  const Object* live_object = item.live ? &*item.live : nullptr;
  if (options.skip && options.skip(item.desired, live_object)) return item;
  if (options.adapt) item.desired = options.adapt(item.desired, live_object);
  const bool leave = options.leave_managers && options.leave_managers(item.desired, live_object);
  if (!leave) {
    ASSIGN_OR_RETURN(item.live, take_over_fields(context, item.resource, std::move(item.live),
                                                 options.take_over_managers, options.field_manager));
  }

  Result<Object> outcome = client_.apply(context, item.resource, item.desired,
                                         {.field_manager = options.field_manager, .dry_run = true, .force = true});
  if (!outcome.ok()) {
    const bool immutable = item.live && may_be_immutable(item.desired, outcome.error());
    if (!immutable || !options.force || !options.force(item.desired, &*item.live)) return outcome.error();
    TRY(try_recreation(context, item, options, outcome.error()));
    item.recreate = true;
    item.outcome = item.desired;
    return item;
  }
  item.outcome = std::move(*outcome);
  return item;
}

// Replaces managedFields only while nobody else writes; the version in the patch is the lock.
Result<std::optional<Object>> Applier::take_over_fields(const Context& context, const ResourceRef& resource,
                                                        std::optional<Object> live,
                                                        const std::vector<std::string>& managers,
                                                        const std::string& field_manager) const {
  for (int tries = 0; live && tries < kTakeOverTries; ++tries) {
    const std::optional<Value> fields = taken_over(live->metadata()["managedFields"], managers, field_manager);
    if (!fields) break;
    Result<Object> written =
        client_.patch_metadata(context, resource, *live, Value::ObjectBuilder().set("managedFields", *fields),
                               {.field_manager = field_manager});
    if (written.ok()) {
      live = std::move(*written);
      break;
    }
    if (written.error().reason() != Reason::Conflict) return written.error();
    ASSIGN_OR_RETURN(live, if_there(client_.get(context, resource, live->key())));
  }
  return live;
}

// What could not be created must not be deleted. Whether the name is free is what the server asks last of a new object.
Result<void> Applier::try_recreation(const Context& context, const Item& item, const ApplyOptions& options,
                                     const Error& refused) const {
  const Result<Object> fresh =
      client_.create(context, item.resource, item.desired, {.field_manager = options.field_manager, .dry_run = true});
  if (fresh.ok() || fresh.error().reason() == Reason::AlreadyExists) return {};
  if (fresh.error().message() == refused.message()) return refused;
  return refused.in("it cannot be made again (" + fresh.error().message() + ")");
}

Result<void> Applier::recreate(const Context& context, const Item& item, const ApplyOptions& options) const {
  TRY(remove_and_wait(context.with_timeout(kRecreateTimeout), client_, item.resource, item.desired.key()));
  TRY(client_.apply(context, item.resource, item.desired, {.field_manager = options.field_manager, .force = true}));
  return {};
}

Result<ApplyAction> Applier::write(const Context& context, const Item& item, const ApplyOptions& options) const {
  if (!item.outcome) return ApplyAction::Skipped;
  if (item.recreate) {
    TRY(recreate(context, item, options));
    return ApplyAction::Created;
  }
  // Equal content may still change who owns it; the server writes nothing when that is equal, too.
  ASSIGN_OR_RETURN(const Object written, client_.apply(context, item.resource, item.desired,
                                                       {.field_manager = options.field_manager, .force = true}));
  if (!item.live) return ApplyAction::Created;
  return same_content(*item.live, written) ? ApplyAction::Unchanged : ApplyAction::Configured;
}

Result<void> Applier::wait_for_stage(const Context& context, const std::vector<Item>& items, Duration timeout) const {
  const Context bounded = context.with_timeout(timeout);
  for (const Item& item : items) {
    if (!item.outcome) continue;
    while (true) {
      ASSIGN_OR_RETURN(const Object now, client_.get(bounded, item.resource, item.desired.key()));
      const Health health = health_of(now, context.clock().wall());
      if (health.state == Health::State::Current) break;
      if (health.state == Health::State::Failed) {
        return Error(Reason::Invalid, describe(item.desired) + " failed: " + health.message);
      }
      if (Result<void> slept = bounded.sleep(kStagePoll); !slept.ok()) {
        return slept.error().in("waiting for " + describe(item.desired) + " (" + health.message + ")");
      }
    }
  }
  mapper_.invalidate();
  return {};
}

Result<void> Applier::apply_all(const Context& context, std::vector<Object> objects, const ApplyOptions& options,
                                std::vector<Applied>& applied) const {
  sort_for_apply(objects);
  for (int stage = 1; stage <= kLastStage; ++stage) {
    std::vector<Item> items;
    for (Object& object : objects) {
      if (const GroupVersionKind gvk = object.gvk(); apply_stage(gvk.group, gvk.kind) != stage) continue;
      Result<Item> item = try_object(context, object, options);
      if (!item.ok()) return item.error().in(failed_dry_run(object, item.error()));
      items.push_back(std::move(*item));
    }
    for (const Item& item : items) {
      Result<ApplyAction> action = write(context, item, options);
      if (!action.ok()) return action.error().in(describe(item.desired) + " apply failed");
      applied.push_back({InventoryEntry::of(item.desired), *action});
    }
    if (stage < kLastStage && !items.empty()) TRY(wait_for_stage(context, items, options.stage_timeout));
  }
  return {};
}

// Deletes the very state that was judged: another owner may take the object over at the same time. False: nothing to
// do.
Result<bool> Applier::remove_owned(const Context& context, const InventoryEntry& entry,
                                   const PruneOptions& options) const {
  ASSIGN_OR_RETURN(const std::optional<Found> found, find(context, entry));
  if (!found || (options.owned && !options.owned(found->object))) return false;
  TRY(even_if_gone(client_.remove(context, found->resource, entry.key(),
                                  {.propagation = options.propagation,
                                   .uid = std::string(found->object.uid()),
                                   .resource_version = std::string(found->object.resource_version())})));
  return true;
}

Inventory Applier::prune(const Context& context, const Inventory& stale, const PruneOptions& options,
                         std::optional<Error>& error, std::vector<Applied>& deleted) const {
  Inventory kept;
  const auto keep = [&](const InventoryEntry& entry, const Error& why) {
    log_.warning("cannot prune an object, will try again", {{"object", entry.id()}, {"error", why}});
    kept.push_back(entry);
    if (!error) error = why.in(entry.id() + " delete failed");
  };
  for (auto entry = stale.rbegin(); entry != stale.rend(); ++entry) {
    Result<bool> removed = remove_owned(context, *entry, options);
    for (int i = 1; i < kPruneTries && !removed.ok() && removed.error().reason() == Reason::Conflict; ++i) {
      removed = remove_owned(context, *entry, options);
    }
    if (!removed.ok()) {
      keep(*entry, removed.error());
    } else if (*removed) {
      deleted.push_back({*entry, ApplyAction::Deleted});
    }
  }
  return kept;
}

}  // namespace coracle::kube
