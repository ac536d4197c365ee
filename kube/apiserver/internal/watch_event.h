#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/http/message.h"
#include "kube/apiserver/internal/stored_object.h"

namespace coracle::kube::apiserver {

enum class WatchType : std::uint8_t { Added, Modified, Deleted };
std::string_view watch_type_text(WatchType type);

// One change of one object as a cache saw it, shared by every watcher. What watchers send is made
// once for each kind of encoding and kept here.
class CacheEvent {
 public:
  CacheEvent(StoredObjectPtr current, StoredObjectPtr previous)
      : current_(std::move(current)), previous_(std::move(previous)) {}

  // The object after the change; for deletions null.
  const StoredObjectPtr& current() const { return current_; }
  // The object before the change; null for creations.
  const StoredObjectPtr& previous() const { return previous_; }
  store::Revision revision() const { return revision_; }
  void set_revision(store::Revision revision) { revision_ = revision; }

  // The bytes kept under `key`, or null.
  http::Bytes encoded(std::uint64_t key) const;
  // Keeps the first bytes that are offered under `key` and answers what is kept.
  http::Bytes keep_encoded(std::uint64_t key, http::Bytes bytes) const;

 private:
  StoredObjectPtr current_;
  StoredObjectPtr previous_;
  store::Revision revision_ = 0;
  mutable std::mutex mutex_;
  mutable std::vector<std::pair<std::uint64_t, http::Bytes>> encoded_;
};
using CacheEventPtr = std::shared_ptr<const CacheEvent>;

}  // namespace coracle::kube::apiserver
