#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/executor.h"
#include "base/log.h"
#include "kube/apiserver/internal/stored_object.h"
#include "kube/apiserver/internal/watcher.h"
#include "store/backend.h"

namespace coracle::kube::apiserver {

// Objects of one storage prefix at one moment, in the store's key order. Shared, immutable.
struct CacheSnapshot {
  std::shared_ptr<const std::vector<StoredObjectPtr>> objects;
  store::Revision revision = 0;     // up to which the state is complete
  store::Revision last_change = 0;  // since when it has been the same

  // Those of a namespace (all when empty) whose key is not before `start` ("ns/name" or "name").
  std::span<const StoredObjectPtr> range(std::string_view ns, std::string_view start = {}) const;
};

// Turns stored bytes into the JSON form that StoredObject reads.
struct Normalise {
  std::function<Result<store::Bytes>(const store::Bytes& stored)> convert;
  // Every value passes through `convert` (custom resources whose schema has defaults); else only
  // those that StoredObject cannot read as they are, and those that are not `as_it_is`.
  bool always = false;
  // Whether the value is what `convert` would make of it, told without parsing it; empty: any will do.
  std::function<bool(const StoredObject& object)> as_it_is = {};
  // Of the definition that all this comes from; 0 for built-in kinds.
  store::Revision definition = 0;
};

// A stored value as an object, brought into form where it has to be.
Result<StoredObjectPtr> read_stored(const Normalise& normalise, const store::Bytes& value, store::Revision revision);

// The current objects of one storage prefix and the watches on them. Fed by the StoreFeed, which
// also decides when it is loaded. Thread-safe.
class WatchCache {
 public:
  WatchCache(std::string prefix, Normalise normalise, Logger log)
      : prefix_(std::move(prefix)), normalise_(std::move(normalise)), log_(std::move(log)) {}

  const std::string& prefix() const { return prefix_; }
  store::Revision definition() const { return normalise_.definition; }

  StoredObjectPtr find(std::string_view ns, std::string_view name) const;
  // `progress`: what the feed has delivered so far, read before the call.
  CacheSnapshot snapshot(store::Revision progress) const;
  // Revision of the latest change; the state at any later revision is the current one.
  store::Revision last_change() const;
  std::size_t size() const;

  // From now on the watcher is offered every event behind the answered snapshot.
  CacheSnapshot add_watcher(const std::shared_ptr<Watcher>& watcher, store::Revision progress,
                            store::Revision start_after);
  void remove_watcher(const Watcher* watcher);

  // Feed side, in revision order. Watchers that must be woken are appended to `wake`.
  void load(const std::vector<store::Entry>& entries, store::Revision revision,
            std::vector<std::shared_ptr<Watcher>>& wake);
  void apply(const store::Event& event, std::vector<std::shared_ptr<Watcher>>& wake);
  // Ends every watch, also those that are added later: from `progress` on nothing is delivered any more.
  void close(store::Revision progress, std::vector<std::shared_ptr<Watcher>>& wake);

  // The event as watchers see it; null for values that cannot be read (logged).
  CacheEventPtr make_event(const store::Event& event) const;

  // An object of this resource; null, and logged, where it cannot be read or is not its key's.
  StoredObjectPtr read_value(std::string_view key, const store::Bytes& value, store::Revision revision) const;

 private:
  struct KeyView {
    std::string_view namespace_;
    std::string_view name;
  };
  struct KeyLess {
    using is_transparent = void;
    bool operator()(const StoredObjectPtr& a, const StoredObjectPtr& b) const {
      return compare_keys(a->namespace_(), a->name(), b->namespace_(), b->name()) < 0;
    }
    bool operator()(const StoredObjectPtr& a, const KeyView& b) const {
      return compare_keys(a->namespace_(), a->name(), b.namespace_, b.name) < 0;
    }
    bool operator()(const KeyView& a, const StoredObjectPtr& b) const {
      return compare_keys(a.namespace_, a.name, b->namespace_(), b->name()) < 0;
    }
  };
  KeyView split_key(std::string_view key) const;
  store::Revision known_until(store::Revision progress) const;
  void apply_locked(const store::Event& event, std::vector<std::shared_ptr<Watcher>>& wake);

  const std::string prefix_;
  const Normalise normalise_;
  const Logger log_;

  mutable std::mutex mutex_;
  std::set<StoredObjectPtr, KeyLess> objects_;
  mutable std::shared_ptr<const std::vector<StoredObjectPtr>> snapshot_;  // of objects_; null after a change
  store::Revision applied_ = 0;                                           // of the load or the latest event
  store::Revision last_change_ = 0;
  bool loaded_ = false;
  std::optional<store::Revision> closed_at_;
  std::vector<store::Event> early_;  // events that came while loading
  std::vector<std::shared_ptr<Watcher>> watchers_;
};

}  // namespace coracle::kube::apiserver
