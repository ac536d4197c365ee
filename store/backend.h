#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/context.h"
#include "base/result.h"

// kine: bytes and revisions, nothing of Kubernetes. Semantics are etcd's as far as an API server
// uses them.
namespace coracle::store {

using Revision = std::int64_t;
using Bytes = std::shared_ptr<const std::string>;

struct Entry {
  std::string key;
  Bytes value;
  Revision create_revision = 0;
  Revision mod_revision = 0;
  std::chrono::seconds lease{0};  // 0: never expires
};

// Keys k with start <= k < end; an empty end means the single key `start`.
struct KeyRange {
  std::string start;
  std::string end;
  static KeyRange prefix(std::string_view prefix);
  static KeyRange single(std::string_view key) { return {std::string(key), {}}; }
  bool contains(std::string_view key) const { return end.empty() ? key == start : key >= start && key < end; }
};

struct GetResult {
  Revision revision = 0;  // of the store when read
  std::optional<Entry> entry;
};

struct ListOptions {
  std::size_t limit = 0;  // 0: all
  Revision at = 0;        // 0: now; otherwise that revision exactly
  bool keys_only = false;
};

struct ListResult {
  Revision revision = 0;       // the one that was read
  std::vector<Entry> entries;  // by key
  std::size_t remaining = 0;   // entries of the range beyond the limit
};

struct Written {
  Revision revision;
};

// A lost compare-and-swap: what is there instead; no entry when the key does not exist.
struct Lost {
  Revision revision = 0;
  std::optional<Entry> entry;
};

using WriteOutcome = std::variant<Written, Lost>;

struct Event {
  enum class Type : std::uint8_t { Create, Update, Delete };
  Type type;
  Entry entry;     // for Delete: key and mod_revision of the deletion, previous value
  Bytes previous;  // value before; null for Create
  Revision previous_revision = 0;
};

// One committed change; all watchers share it.
using EventPtr = std::shared_ptr<const Event>;

// A stream of events in revision order. Bounded: a watch that is not drained fails with Expired.
class Watch {
 public:
  virtual ~Watch() = default;
  // Appends what is there, at most `limit`; never waits. `progress` becomes the revision up to which
  // this watch has delivered everything. Expired when the watcher was too slow or the revision is
  // compacted; Canceled after the backend has stopped.
  virtual Result<void> drain(std::vector<EventPtr>& out, std::size_t limit, Revision& progress) = 0;
  // `wake` runs on the writer's thread (or a timer's) when events become available, once until the
  // next drain; it must not wait and must not call back into the backend. Progress alone wakes at most
  // once a second: who waits for a revision drains, which always tells the latest. Set once, before the
  // first drain. After the watch is destroyed `wake` neither runs nor will run.
  virtual void on_ready(std::function<void()> wake) = 0;
};

// Every operation is linearizable. Thread-safe. An acknowledged write survives power loss in the
// durable implementations.
class Backend {
 public:
  virtual ~Backend() = default;

  virtual Result<GetResult> get(const Context& context, std::string_view key) = 0;
  // Expired when options.at is compacted; Invalid (code 504, future) when it lies ahead.
  virtual Result<ListResult> list(const Context& context, const KeyRange& range, const ListOptions& options = {}) = 0;
  virtual Result<std::size_t> count(const Context& context, const KeyRange& range) = 0;

  // Writes only if the key does not exist.
  virtual Result<WriteOutcome> create(const Context& context, std::string_view key, Bytes value,
                                      std::chrono::seconds lease = std::chrono::seconds(0)) = 0;
  // Writes only if the key's mod_revision is `expected`.
  virtual Result<WriteOutcome> update(const Context& context, std::string_view key, Bytes value, Revision expected,
                                      std::chrono::seconds lease = std::chrono::seconds(0)) = 0;
  // Deletes only if the key's mod_revision is `expected`; 0 deletes whatever is there.
  virtual Result<WriteOutcome> remove(const Context& context, std::string_view key, Revision expected) = 0;

  // Events with revision > `after`, from the range. Expired when `after` is compacted.
  virtual Result<std::unique_ptr<Watch>> watch(const Context& context, const KeyRange& range, Revision after) = 0;

  virtual Revision current_revision() const = 0;
  virtual Revision compacted_revision() const = 0;
  // Forgets history up to and including `revision`.
  virtual Result<void> compact(const Context& context, Revision revision) = 0;
  // Bytes on disk or in memory, for metrics.
  virtual Result<std::int64_t> size(const Context& context) = 0;
};

}  // namespace coracle::store
