#include "store/internal/committed_state.h"

#include <algorithm>
#include <map>
#include <utility>

namespace coracle::store::internal {

namespace {
// A watch whose range is quiet hears that often that the revision has moved on.
constexpr Duration kProgressInterval = std::chrono::seconds(1);

class StateWatch final : public Watch {
 public:
  StateWatch(std::shared_ptr<CommittedState> state, WatcherPtr watcher)
      : state_(std::move(state)), watcher_(std::move(watcher)) {}

  ~StateWatch() override {
    state_->leave(*watcher_);
    std::lock_guard lock(watcher_->wake_mutex);
    watcher_->wake = nullptr;
  }

  Result<void> drain(std::vector<EventPtr>& out, std::size_t limit, Revision& progress) override {
    return state_->drain(*watcher_, out, limit, progress);
  }

  void on_ready(std::function<void()> wake) override {
    {
      std::lock_guard lock(watcher_->wake_mutex);
      watcher_->wake = std::move(wake);
    }
    if (state_->has_news(*watcher_)) watcher_->call();
  }

 private:
  std::shared_ptr<CommittedState> state_;
  WatcherPtr watcher_;
};

std::optional<Entry> before(const HistoryRecord& record) {
  const Event& event = *record.event;
  if (event.type == Event::Type::Create) return std::nullopt;
  Entry entry;
  entry.key = event.entry.key;
  entry.value = event.previous;
  entry.create_revision = record.previous_create_revision;
  entry.mod_revision = event.previous_revision;
  entry.lease = record.previous_lease;
  return entry;
}

void add_entry(Entry entry, const ListOptions& options, ListResult& result) {
  if (options.limit != 0 && result.entries.size() == options.limit) {
    ++result.remaining;
    return;
  }
  if (options.keys_only) entry.value = nullptr;
  result.entries.push_back(std::move(entry));
}
}  // namespace

CommittedState::CommittedState(Executor& executor, ValueLimits values, RingLimits ring)
    : executor_(executor), index_(values), ring_(ring) {}

void CommittedState::start(Revision current, Revision compacted, Revision floor) {
  std::unique_lock lock(mutex_);
  ring_.start(floor);
  current_ = current;
  compacted_ = compacted;
}

std::vector<WatcherPtr> CommittedState::apply(std::vector<HistoryRecord> batch) {
  std::vector<WatcherPtr> wake;
  if (batch.empty()) return wake;
  bool arm = false;
  {
    std::unique_lock lock(mutex_);
    const Revision before_batch = current_;
    for (HistoryRecord& record : batch) {
      const Event& event = *record.event;
      if (event.type == Event::Type::Delete) {
        index_.erase(event.entry.key);
      } else {
        index_.put(event.entry);
      }
      current_.store(event.entry.mod_revision, std::memory_order_release);
      ring_.append(std::move(record));
    }
    hub_.announce(ring_, ring_.after(before_batch), wake);
    arm = !hub_.empty() && !std::exchange(progress_armed_, true);
  }
  if (arm) arm_progress();
  return wake;
}

void CommittedState::wake(const std::vector<WatcherPtr>& watchers) {
  for (const WatcherPtr& watcher : watchers) watcher->call();
}

void CommittedState::arm_progress() {
  auto timer = executor_.call_after(kProgressInterval, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->progress();
  });
  std::lock_guard lock(timer_mutex_);
  timer_.swap(timer);
}

void CommittedState::progress() {
  std::vector<WatcherPtr> watchers;
  {
    std::unique_lock lock(mutex_);
    progress_armed_ = false;
    hub_.announce_progress(current_, watchers);
  }
  wake(watchers);
}

void CommittedState::compact(Revision revision) {
  std::unique_lock lock(mutex_);
  if (revision <= compacted_) return;
  compacted_.store(revision, std::memory_order_release);
  ring_.trim(revision);
}

void CommittedState::close() {
  std::vector<WatcherPtr> watchers;
  {
    std::unique_lock lock(mutex_);
    closed_ = true;
    hub_.all(watchers);
  }
  wake(watchers);
  std::unique_ptr<Timer> timer;
  std::lock_guard lock(timer_mutex_);
  timer_.swap(timer);
}

Revision CommittedState::floor() const {
  std::shared_lock lock(mutex_);
  return ring_.floor();
}

GetResult CommittedState::get(std::string_view key) const {
  std::shared_lock lock(mutex_);
  return {current_, index_.find(key)};
}

Result<std::optional<ListResult>> CommittedState::list(const KeyRange& range, const ListOptions& options) const {
  std::shared_lock lock(mutex_);
  ListResult result;
  result.revision = options.at == 0 ? current_.load() : options.at;
  TRY(check_revision(result.revision, compacted_, current_));
  if (result.revision == current_) {
    list_now(range, options, result);
  } else if (result.revision >= ring_.floor()) {
    list_past(range, options, result);
  } else {
    return std::optional<ListResult>();
  }
  return std::optional<ListResult>(std::move(result));
}

void CommittedState::list_now(const KeyRange& range, const ListOptions& options, ListResult& result) const {
  auto [at, end] = index_.slice(range);
  for (; at != end; ++at) {
    if (options.limit != 0 && result.entries.size() == options.limit) break;
    result.entries.push_back(KeyIndex::entry(at, !options.keys_only));
  }
  result.remaining = static_cast<std::size_t>(std::distance(at, end));
}

// The present with the later events undone: the first event of a key after the wanted revision
// carries what was there.
void CommittedState::list_past(const KeyRange& range, const ListOptions& options, ListResult& result) const {
  std::map<std::string_view, const HistoryRecord*> undo;
  for (std::size_t index = ring_.after(result.revision); index < ring_.size(); ++index) {
    const std::string& key = ring_[index].event->entry.key;
    if (range.contains(key)) undo.try_emplace(key, &ring_[index]);
  }
  auto [at, end] = index_.slice(range);
  auto undone = undo.begin();
  while (at != end || undone != undo.end()) {
    if (undone == undo.end() || (at != end && at->first < undone->first)) {
      add_entry(KeyIndex::entry(at, !options.keys_only), options, result);
      ++at;
      continue;
    }
    if (at != end && at->first == undone->first) ++at;
    if (auto entry = before(*undone->second)) add_entry(std::move(*entry), options, result);
    ++undone;
  }
}

std::size_t CommittedState::count(const KeyRange& range) const {
  std::shared_lock lock(mutex_);
  const auto [first, last] = index_.slice(range);
  return static_cast<std::size_t>(std::distance(first, last));
}

std::size_t CommittedState::kept_bytes() const {
  std::shared_lock lock(mutex_);
  return index_.kept_bytes();
}

WatcherPtr CommittedState::join(const KeyRange& range, Revision after, Revision& joined) {
  auto watcher = std::make_shared<Watcher>();
  watcher->range = range;
  watcher->progress = after;
  std::unique_lock lock(mutex_);
  if (after < ring_.floor()) {
    joined = current_;
  } else {
    joined = 0;
    watcher->pending = first_match(ring_, ring_.after(after), range);
  }
  hub_.add(watcher);
  return watcher;
}

std::unique_ptr<Watch> CommittedState::make_watch(WatcherPtr watcher) {
  return std::make_unique<StateWatch>(shared_from_this(), std::move(watcher));
}

// Runs under the shared lock although it changes the watcher: a watch has one reader, and the
// writer, which also changes it, takes the lock alone.
Result<void> CommittedState::drain(Watcher& watcher, std::vector<EventPtr>& out, std::size_t limit,
                                   Revision& progress) const {
  std::shared_lock lock(mutex_);
  if (closed_) return canceled("store: the backend has stopped");
  watcher.woken = false;
  std::size_t delivered = 0;
  while (!watcher.backlog.empty() && delivered < limit) {
    watcher.progress = watcher.backlog.front()->entry.mod_revision;
    out.push_back(std::move(watcher.backlog.front()));
    watcher.backlog.pop_front();
    ++delivered;
  }
  if (watcher.backlog.empty() && watcher.pending != 0) {
    if (watcher.pending <= ring_.floor()) {
      return Error(Reason::Expired, "store: the watch of " + watcher.range.start + " is too slow, revision " +
                                        std::to_string(watcher.pending) + " is no longer in memory");
    }
    std::size_t index = ring_.after(watcher.pending - 1);
    watcher.pending = 0;
    for (; index < ring_.size(); ++index) {
      const EventPtr& event = ring_[index].event;
      if (!watcher.range.contains(event->entry.key)) continue;
      if (delivered == limit) {
        watcher.pending = event->entry.mod_revision;
        break;
      }
      out.push_back(event);
      ++delivered;
    }
  }
  if (watcher.backlog.empty()) watcher.progress = watcher.pending == 0 ? current_.load() : watcher.pending - 1;
  progress = watcher.progress;
  return {};
}

bool CommittedState::has_news(const Watcher& watcher) const {
  std::shared_lock lock(mutex_);
  // Whoever woke it before there was anybody to be woken does not do so again.
  return closed_ || watcher.woken || !watcher.backlog.empty() || watcher.pending != 0;
}

void CommittedState::leave(const Watcher& watcher) {
  std::unique_lock lock(mutex_);
  hub_.remove(watcher);
}

}  // namespace coracle::store::internal
