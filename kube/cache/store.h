#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/executor.h"
#include "kube/object/object.h"

namespace coracle::kube {

// Names the groups that an object belongs to ("the namespace", "the owner's uid").
using IndexFunction = std::function<std::vector<std::string>(const Object&)>;

// The content of one informer: one writer, many readers, immutable objects. Thread-safe.
class Store {
 public:
  explicit Store(Executor& executor, std::map<std::string, IndexFunction, std::less<>> indexes = {});

  // Readers (lister).
  std::optional<Object> get(const ObjectKey& key) const;
  std::vector<Object> list() const;
  std::vector<Object> list(std::string_view ns) const;
  // Objects whose index function answered `value`; the index must have been declared.
  std::vector<Object> by_index(std::string_view index, std::string_view value) const;
  std::size_t size() const;

  // True after the first complete list.
  bool synced() const;
  Result<void> wait_synced(const Context& context) const;
  // Waits until everything up to `resource_version` is in: a controller that has written reads its
  // own write. An empty or unreadable version returns at once.
  Result<void> wait_for(const Context& context, std::string_view resource_version) const;
  std::uint64_t revision() const;

  // Writer: what the watch brought. Answers the change as (before, after) for handlers.
  struct Change {
    std::optional<Object> before;
    std::optional<Object> after;
  };
  Change apply(Object object);
  Change remove(const Object& object);
  // Replaces the whole content by a list read at `resource_version`.
  std::vector<Change> replace(std::vector<Object> objects, std::string_view resource_version);
  void advance(std::string_view resource_version);

 private:
  struct Index {
    IndexFunction function;
    std::map<std::string, std::vector<ObjectKey>, std::less<>> keys;
  };

  void index_add(const Object& object);
  void index_remove(const Object& object);
  void advance_locked(std::string_view resource_version);
  Result<void> wait_until(const Context& context, const std::function<bool()>& reached) const;

  mutable std::mutex mutex_;
  std::unique_ptr<WaitPoint> point_;
  std::map<ObjectKey, Object> objects_;
  std::map<std::string, Index, std::less<>> indexes_;
  std::uint64_t revision_ = 0;
  bool synced_ = false;
};

}  // namespace coracle::kube
