#include "kube/apiserver/internal/store_feed.h"

#include <algorithm>
#include <utility>

namespace coracle::kube::apiserver {

namespace {

constexpr Duration kFollowRetry = std::chrono::seconds(1);
constexpr std::size_t kFeedBatch = 128;
// A delivery costs each watch and its client about so much, however many events it brings. Pausing as long
// leaves time for other work, and under many writes each watch gets several events in one go.
constexpr Duration kPausePerWatcher = std::chrono::microseconds(100);
constexpr Duration kMaxPause = std::chrono::milliseconds(1);
// Under many writes the watches have their turns in so many portions, lest each of their readers wait for all the
// others. What comes after a quiet time as long as a round is delivered to all at once.
constexpr std::size_t kPortions = 5;
constexpr std::size_t kMinimumPortion = 10;
constexpr Duration kRound = kMaxPause * static_cast<int>(kPortions);

void wake_watchers(const std::vector<std::shared_ptr<Watcher>>& watchers) {
  for (const auto& watcher : watchers) watcher->wake();
}

}  // namespace

Error revision_too_large(store::Revision asked, store::Revision current) {
  return Error(Reason::Timeout, "Timeout: Too large resource version: " + std::to_string(asked) +
                                    ", current: " + std::to_string(current))
      .with_cause({"ResourceVersionTooLarge", "Too large resource version", ""})
      .with_retry_after(std::chrono::seconds(1));
}

StoreFeed::StoreFeed(Private, Executor& executor, store::Backend& backend, Logger log)
    : executor_(executor), backend_(backend), log_(std::move(log)), changed_(executor.make_wait_point()) {}

Result<std::shared_ptr<StoreFeed>> StoreFeed::make(const Context& context, store::Backend& backend, Logger log) {
  auto feed = std::make_shared<StoreFeed>(Private{}, context.executor(), backend, std::move(log));
  feed->delivery_ = std::make_unique<PacedTask>(context.executor(), [weak = std::weak_ptr(feed)] {
    const auto alive = weak.lock();
    return alive == nullptr ? Duration() : alive->deliver();
  });
  TRY(feed->follow(context));
  return feed;
}

Result<void> StoreFeed::follow(const Context& context) {
  const store::Revision from = backend_.current_revision();
  ASSIGN_OR_RETURN(auto watch, backend_.watch(context, store::KeyRange::prefix(kRoot), from));
  // The store's thread must not enter the backend: dealing out happens on the Delivery lane.
  watch->on_ready([weak = weak_from_this()] {
    if (auto feed = weak.lock()) feed->delivery_->ask();
  });
  std::vector<std::shared_ptr<Watcher>> wake;
  {
    std::lock_guard lock(pump_mutex_);
    if (stopped_) return {};
    // Whatever was loaded before this watch began may lack what happened in between.
    forget_caches(wake);
    watch_ = std::move(watch);
    progress_.store(from, std::memory_order_release);
  }
  wake_watchers(wake);
  return {};
}

void StoreFeed::stop() {
  std::vector<std::shared_ptr<Watcher>> wake;
  {
    std::lock_guard lock(pump_mutex_);
    stopped_ = true;
    watch_ = nullptr;
    retry_ = nullptr;
  }
  {
    std::lock_guard lock(slots_mutex_);
    for (auto& [prefix, slot] : slots_) slot.cache->close(progress(), wake);
    changed_->notify_all();
  }
  wake_watchers(wake);
}

void StoreFeed::end_watches() {
  watches_end_.store(true, std::memory_order_release);
  std::vector<std::shared_ptr<Watcher>> wake;
  forget_caches(wake);
  wake_watchers(wake);
}

Duration StoreFeed::deliver() {
  pump();
  const MonotonicTime now = executor_.clock().monotonic();
  std::vector<std::shared_ptr<Watcher>> due;
  {
    std::lock_guard lock(pump_mutex_);
    const bool was_quiet = now - std::exchange(delivered_at_, now) > kRound;
    const std::size_t portion = std::max(kMinimumPortion, (due_.size() + kPortions - 1) / kPortions);
    const std::size_t count = was_quiet ? due_.size() : std::min(portion, due_.size());
    const auto end = due_.begin() + static_cast<std::ptrdiff_t>(count);
    due.assign(due_.begin(), end);
    due_.erase(due_.begin(), end);
    if (!due_.empty()) delivery_->ask();
  }
  wake_watchers(due);
  return std::min<Duration>(kPausePerWatcher * static_cast<int>(due.size()), kMaxPause);
}

// Also called by who needs what is there now; the store has asked for a delivery then.
void StoreFeed::pump() {
  bool more = true;
  while (more) {
    std::lock_guard lock(pump_mutex_);
    more = deal_out(due_);
  }
  std::lock_guard lock(slots_mutex_);
  changed_->notify_all();
}

bool StoreFeed::deal_out(std::vector<std::shared_ptr<Watcher>>& wake) {
  if (watch_ == nullptr) return false;
  batch_.clear();
  store::Revision progress = progress_.load(std::memory_order_relaxed);
  auto drained = watch_->drain(batch_, kFeedBatch, progress);
  if (!drained.ok()) {
    // Canceled tells that the store has stopped; after anything else nothing held here is certain.
    if (!stopped_ && drained.error().reason() != Reason::Canceled) lose(drained.error(), wake);
    return false;
  }
  for (const store::EventPtr& event : batch_) {
    std::shared_ptr<WatchCache> cache;
    {
      std::lock_guard lock(slots_mutex_);
      auto slot = slots_.upper_bound(event->entry.key);
      if (slot != slots_.begin() && event->entry.key.starts_with((--slot)->first)) cache = slot->second.cache;
    }
    if (cache != nullptr) cache->apply(*event, wake);
  }
  const bool more = batch_.size() >= kFeedBatch;
  batch_.clear();
  if (progress > progress_.load(std::memory_order_relaxed)) progress_.store(progress, std::memory_order_release);
  return more;
}

void StoreFeed::lose(const Error& error, std::vector<std::shared_ptr<Watcher>>& wake) {
  log_.warning("lost track of the store; caches are loaded again and watches end", {{"error", error}});
  forget_caches(wake);
  watch_ = nullptr;
  follow_again();
}

void StoreFeed::forget_caches(std::vector<std::shared_ptr<Watcher>>& wake) {
  std::lock_guard lock(slots_mutex_);
  for (auto& [prefix, slot] : slots_) slot.cache->close(progress(), wake);
  slots_.clear();
  changed_->notify_all();
}

void StoreFeed::follow_again() {
  executor_.post(Lane::Worker, [weak = weak_from_this(), &executor = executor_] {
    auto feed = weak.lock();
    if (feed == nullptr) return;
    auto followed = feed->follow(Context(executor));
    if (followed.ok()) return feed->pump();
    feed->log_.warning("the store cannot be watched; trying again", {{"error", followed.error()}});
    std::lock_guard lock(feed->pump_mutex_);
    if (feed->stopped_) return;
    feed->retry_ = executor.call_after(kFollowRetry, [weak] {
      if (auto again = weak.lock()) again->follow_again();
    });
  });
}

Result<std::shared_ptr<WatchCache>> StoreFeed::cache(const Context& context, const std::string& prefix,
                                                     const Normalise& normalise) {
  std::unique_lock lock(slots_mutex_);
  while (true) {
    TRY(context.check());
    Slot& slot = slots_[prefix];
    // Who came with the definition of before may have been the first to ask after the change.
    if (slot.ready && slot.cache->definition() < normalise.definition) {
      lock.unlock();
      drop(prefix);
      lock.lock();
      continue;
    }
    if (slot.ready) return slot.cache;
    if (slot.loading) {
      changed_->wait(lock, context);
      continue;
    }
    slot.loading = true;
    slot.cache = std::make_shared<WatchCache>(prefix, normalise, log_);
    const std::shared_ptr<WatchCache> cache = slot.cache;
    lock.unlock();
    const auto loaded = load(context, cache);
    lock.lock();
    finish_load(prefix, cache, loaded.ok());
    TRY(loaded);
  }
}

Result<void> StoreFeed::load(const Context& context, const std::shared_ptr<WatchCache>& cache) {
  ASSIGN_OR_RETURN(auto list, backend_.list(context, store::KeyRange::prefix(cache->prefix())));
  std::vector<std::shared_ptr<Watcher>> wake;
  cache->load(list.entries, list.revision, wake);
  wake_watchers(wake);
  return {};
}

// Called with slots_mutex_ held. What was dropped while it loaded is nobody's any more.
void StoreFeed::finish_load(const std::string& prefix, const std::shared_ptr<WatchCache>& cache, bool ok) {
  auto slot = slots_.find(prefix);
  if (slot != slots_.end() && slot->second.cache == cache) {
    slot->second.loading = false;
    slot->second.ready = ok;
    if (!ok) slots_.erase(slot);
  }
  changed_->notify_all();
}

std::shared_ptr<WatchCache> StoreFeed::loaded(std::string_view prefix, store::Revision definition) {
  std::lock_guard lock(slots_mutex_);
  const auto slot = slots_.find(prefix);
  const bool usable = slot != slots_.end() && slot->second.ready && slot->second.cache->definition() >= definition;
  return usable ? slot->second.cache : nullptr;
}

void StoreFeed::drop(std::string_view prefix) {
  std::vector<std::shared_ptr<Watcher>> wake;
  {
    std::lock_guard lock(slots_mutex_);
    auto slot = slots_.find(prefix);
    if (slot == slots_.end()) return;
    slot->second.cache->close(progress(), wake);
    slots_.erase(slot);
    changed_->notify_all();
  }
  wake_watchers(wake);
}

Result<void> StoreFeed::catch_up(const Context& context, store::Revision revision) {
  if (progress() >= revision) return {};
  pump();
  if (progress() >= revision) return {};
  const MonotonicTime until = executor_.clock().monotonic() + kFreshnessWait;
  std::unique_lock lock(slots_mutex_);
  while (progress() < revision) {
    TRY(context.check());
    if (executor_.clock().monotonic() >= until) return revision_too_large(revision, progress());
    changed_->wait(lock, context, until);
  }
  return {};
}

}  // namespace coracle::kube::apiserver
