#include "kube/cache/store.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace coracle::kube {
namespace {

std::uint64_t parse_revision(std::string_view text) {
  return parse_int<std::uint64_t>(text).value_or(0);
}

}  // namespace

Store::Store(Executor& executor, std::map<std::string, IndexFunction, std::less<>> indexes)
    : point_(executor.make_wait_point()) {
  for (auto& [name, function] : indexes) indexes_.emplace(name, Index{std::move(function), {}});
}

std::optional<Object> Store::get(const ObjectKey& key) const {
  std::lock_guard lock(mutex_);
  const auto found = objects_.find(key);
  if (found == objects_.end()) return std::nullopt;
  return found->second;
}

std::vector<Object> Store::list() const {
  std::lock_guard lock(mutex_);
  std::vector<Object> objects;
  objects.reserve(objects_.size());
  for (const auto& [key, object] : objects_) objects.push_back(object);
  return objects;
}

std::vector<Object> Store::list(std::string_view ns) const {
  std::lock_guard lock(mutex_);
  std::vector<Object> objects;
  for (auto it = objects_.lower_bound(ObjectKey{std::string(ns), {}}); it != objects_.end(); ++it) {
    if (it->first.namespace_ != ns) break;
    objects.push_back(it->second);
  }
  return objects;
}

std::vector<Object> Store::by_index(std::string_view index, std::string_view value) const {
  std::lock_guard lock(mutex_);
  std::vector<Object> objects;
  const auto found = indexes_.find(index);
  if (found == indexes_.end()) return objects;
  const auto keys = found->second.keys.find(value);
  if (keys == found->second.keys.end()) return objects;
  for (const ObjectKey& key : keys->second) objects.push_back(objects_.at(key));
  return objects;
}

std::size_t Store::size() const {
  std::lock_guard lock(mutex_);
  return objects_.size();
}

bool Store::synced() const {
  std::lock_guard lock(mutex_);
  return synced_;
}

std::uint64_t Store::revision() const {
  std::lock_guard lock(mutex_);
  return revision_;
}

Result<void> Store::wait_until(const Context& context, const std::function<bool()>& reached) const {
  std::unique_lock lock(mutex_);
  while (!reached()) {
    TRY(context.check());
    point_->wait(lock, context);
  }
  return {};
}

Result<void> Store::wait_synced(const Context& context) const {
  return wait_until(context, [this] { return synced_; });
}

Result<void> Store::wait_for(const Context& context, std::string_view resource_version) const {
  const std::uint64_t wanted = parse_revision(resource_version);
  return wait_until(context, [this, wanted] { return revision_ >= wanted; });
}

void Store::index_add(const Object& object) {
  for (auto& [name, index] : indexes_) {
    for (std::string& value : index.function(object)) index.keys[std::move(value)].push_back(object.key());
  }
}

void Store::index_remove(const Object& object) {
  const ObjectKey key = object.key();
  for (auto& [name, index] : indexes_) {
    for (const std::string& value : index.function(object)) {
      const auto entry = index.keys.find(value);
      if (entry == index.keys.end()) continue;
      std::erase(entry->second, key);
      if (entry->second.empty()) index.keys.erase(entry);
    }
  }
}

void Store::advance_locked(std::string_view resource_version) {
  revision_ = std::max(revision_, parse_revision(resource_version));
  point_->notify_all();
}

void Store::advance(std::string_view resource_version) {
  std::lock_guard lock(mutex_);
  advance_locked(resource_version);
}

Store::Change Store::apply(Object object) {
  std::lock_guard lock(mutex_);
  Change change;
  const auto [position, is_new] = objects_.try_emplace(object.key(), object);
  if (!is_new) {
    change.before = std::exchange(position->second, object);
    index_remove(*change.before);
  }
  index_add(object);
  advance_locked(object.resource_version());
  change.after = std::move(object);
  return change;
}

Store::Change Store::remove(const Object& object) {
  std::lock_guard lock(mutex_);
  Change change;
  const auto position = objects_.find(object.key());
  if (position != objects_.end()) {
    change.before = position->second;
    index_remove(position->second);
    objects_.erase(position);
  }
  advance_locked(object.resource_version());
  return change;
}

std::vector<Store::Change> Store::replace(std::vector<Object> objects, std::string_view resource_version) {
  std::lock_guard lock(mutex_);
  std::map<ObjectKey, Object> before = std::exchange(objects_, {});
  for (auto& [name, index] : indexes_) index.keys.clear();
  std::vector<Change> changes;
  for (Object& object : objects) {
    const ObjectKey key = object.key();
    index_add(object);
    Change change;
    if (const auto known = before.find(key); known != before.end()) {
      if (known->second.resource_version() != object.resource_version()) change.before = known->second;
      const bool same = !change.before.has_value();
      before.erase(known);
      objects_.emplace(key, object);
      if (same) continue;
    } else {
      objects_.emplace(key, object);
    }
    change.after = std::move(object);
    changes.push_back(std::move(change));
  }
  for (auto& [key, object] : before) changes.push_back({std::move(object), std::nullopt});
  synced_ = true;
  advance_locked(resource_version);
  return changes;
}

}  // namespace coracle::kube
