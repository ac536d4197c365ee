#include "kube/apiserver/internal/watch_cache.h"

#include <algorithm>

namespace coracle::kube::apiserver {

namespace {

struct CacheKey {
  std::string_view namespace_;
  std::string_view name;
};

CacheKey split_cache_key(std::string_view key) {
  const std::size_t slash = key.find('/');
  if (slash == std::string_view::npos) return {{}, key};
  return {key.substr(0, slash), key.substr(slash + 1)};
}

}  // namespace

std::span<const StoredObjectPtr> CacheSnapshot::range(std::string_view ns, std::string_view start) const {
  const auto before = [](const StoredObjectPtr& object, const CacheKey& key) {
    return compare_keys(object->namespace_(), object->name(), key.namespace_, key.name) < 0;
  };
  auto first = objects->begin();
  auto last = objects->end();
  if (!ns.empty()) {
    first = std::lower_bound(first, last, CacheKey{ns, {}}, before);
    last = std::partition_point(first, last, [&](const StoredObjectPtr& o) { return o->namespace_() == ns; });
  }
  if (!start.empty()) first = std::max(first, std::lower_bound(objects->begin(), last, split_cache_key(start), before));
  if (first > last) first = last;
  return {objects->data() + (first - objects->begin()), static_cast<std::size_t>(last - first)};
}

WatchCache::KeyView WatchCache::split_key(std::string_view key) const {
  const CacheKey split = split_cache_key(key.substr(prefix_.size()));
  return {split.namespace_, split.name};
}

StoredObjectPtr WatchCache::find(std::string_view ns, std::string_view name) const {
  std::lock_guard lock(mutex_);
  const auto found = objects_.find(KeyView{ns, name});
  return found == objects_.end() ? nullptr : *found;
}

CacheSnapshot WatchCache::snapshot(store::Revision progress) const {
  std::lock_guard lock(mutex_);
  if (snapshot_ == nullptr) {
    snapshot_ = std::make_shared<const std::vector<StoredObjectPtr>>(objects_.begin(), objects_.end());
  }
  return {snapshot_, known_until(progress), last_change_};
}

// Whoever holds a closed cache must not take for its state what has happened since.
store::Revision WatchCache::known_until(store::Revision progress) const {
  return std::max(closed_at_ ? std::min(*closed_at_, progress) : progress, applied_);
}

store::Revision WatchCache::last_change() const {
  std::lock_guard lock(mutex_);
  return last_change_;
}

std::size_t WatchCache::size() const {
  std::lock_guard lock(mutex_);
  return objects_.size();
}

CacheSnapshot WatchCache::add_watcher(const std::shared_ptr<Watcher>& watcher, store::Revision progress,
                                      store::Revision start_after) {
  std::lock_guard lock(mutex_);
  if (snapshot_ == nullptr) {
    snapshot_ = std::make_shared<const std::vector<StoredObjectPtr>>(objects_.begin(), objects_.end());
  }
  const store::Revision revision = known_until(progress);
  watcher->start_after(std::max(revision, start_after));
  if (closed_at_) {
    watcher->close();  // its stream has not begun and will see it
  } else {
    watchers_.push_back(watcher);
  }
  return {snapshot_, revision, last_change_};
}

void WatchCache::remove_watcher(const Watcher* watcher) {
  std::lock_guard lock(mutex_);
  const auto found = std::find_if(watchers_.begin(), watchers_.end(),
                                  [&](const std::shared_ptr<Watcher>& w) { return w.get() == watcher; });
  if (found == watchers_.end()) return;
  std::swap(*found, watchers_.back());
  watchers_.pop_back();
}

Result<StoredObjectPtr> read_stored(const Normalise& normalise, const store::Bytes& value, store::Revision revision) {
  if (!normalise.always) {
    auto object = StoredObject::make(value, revision);
    if (!normalise.convert) return object;
    if (object.ok() && (!normalise.as_it_is || normalise.as_it_is(**object))) return object;
  }
  ASSIGN_OR_RETURN(store::Bytes normal, normalise.convert(value));
  return StoredObject::make(std::move(normal), revision);
}

StoredObjectPtr WatchCache::read_value(std::string_view key, const store::Bytes& value,
                                       store::Revision revision) const {
  auto object = read_stored(normalise_, value, revision);
  if (!object.ok()) {
    log_.error("a stored value cannot be read and is left out", {{"key", key}, {"error", object.error()}});
    return nullptr;
  }
  const KeyView names = split_key(key);
  if (names.name != (*object)->name() || names.namespace_ != (*object)->namespace_()) {
    log_.error("a stored object's name contradicts its key; it is left out", {{"key", key}});
    return nullptr;
  }
  return std::move(object).value();
}

void WatchCache::load(const std::vector<store::Entry>& entries, store::Revision revision,
                      std::vector<std::shared_ptr<Watcher>>& wake) {
  std::vector<StoredObjectPtr> objects;
  objects.reserve(entries.size());
  store::Revision newest = 0;
  for (const store::Entry& entry : entries) {
    newest = std::max(newest, entry.mod_revision);
    if (auto object = read_value(entry.key, entry.value, entry.mod_revision)) objects.push_back(std::move(object));
  }
  std::lock_guard lock(mutex_);
  objects_.clear();
  objects_.insert(objects.begin(), objects.end());
  snapshot_ = nullptr;
  applied_ = revision;
  // Deletions before the load left no trace: only from the loaded revision on is the state known to stand.
  last_change_ = revision;
  loaded_ = true;
  for (const store::Event& event : std::exchange(early_, {})) apply_locked(event, wake);
}

void WatchCache::apply(const store::Event& event, std::vector<std::shared_ptr<Watcher>>& wake) {
  std::lock_guard lock(mutex_);
  if (!loaded_) {
    early_.push_back(event);
    return;
  }
  apply_locked(event, wake);
}

void WatchCache::apply_locked(const store::Event& event, std::vector<std::shared_ptr<Watcher>>& wake) {
  const store::Revision revision = event.entry.mod_revision;
  if (revision <= applied_) return;
  applied_ = revision;
  last_change_ = revision;
  const bool deletion = event.type == store::Event::Type::Delete;
  StoredObjectPtr current = deletion ? nullptr : read_value(event.entry.key, event.entry.value, revision);
  if (current == nullptr && !deletion) return;

  StoredObjectPtr previous;
  const auto found = objects_.find(split_key(event.entry.key));
  if (found != objects_.end()) {
    previous = *found;
    // An update keeps the key: exchange the pointer in place instead of searching again.
    auto node = objects_.extract(found);
    if (current != nullptr) {
      node.value() = current;
      objects_.insert(std::move(node));
    }
  } else if (current != nullptr) {
    objects_.insert(current);
  }
  snapshot_ = nullptr;
  if (watchers_.empty() || (current == nullptr && previous == nullptr)) return;
  auto cache_event = std::make_shared<CacheEvent>(std::move(current), std::move(previous));
  cache_event->set_revision(revision);
  const CacheEventPtr shared = std::move(cache_event);
  for (const std::shared_ptr<Watcher>& watcher : watchers_) {
    if (watcher->offer(shared)) wake.push_back(watcher);
  }
}

void WatchCache::close(store::Revision progress, std::vector<std::shared_ptr<Watcher>>& wake) {
  std::lock_guard lock(mutex_);
  if (!closed_at_) closed_at_ = progress;
  for (const std::shared_ptr<Watcher>& watcher : watchers_) {
    if (watcher->close()) wake.push_back(watcher);
  }
  watchers_.clear();
}

CacheEventPtr WatchCache::make_event(const store::Event& event) const {
  const store::Revision revision = event.entry.mod_revision;
  StoredObjectPtr current, previous;
  if (event.type != store::Event::Type::Delete) current = read_value(event.entry.key, event.entry.value, revision);
  if (event.previous != nullptr) previous = read_value(event.entry.key, event.previous, event.previous_revision);
  if (current == nullptr && previous == nullptr) return nullptr;
  auto made = std::make_shared<CacheEvent>(std::move(current), std::move(previous));
  made->set_revision(revision);
  return made;
}

}  // namespace coracle::kube::apiserver
