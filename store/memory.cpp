#include "store/memory.h"

#include <atomic>
#include <limits>
#include <mutex>
#include <utility>

#include "store/internal/change.h"
#include "store/internal/committed_state.h"
#include "store/internal/lease_queue.h"

namespace coracle::store {

namespace {
using internal::Change;
using internal::CommittedState;
using internal::HistoryRecord;

// An empty etcd is at revision 1, and so is an empty kine.
constexpr Revision kFirstRevision = 1;
constexpr std::size_t kExpiriesAtOnce = 1000;
constexpr internal::ValueLimits kKeepAllValues{std::numeric_limits<std::size_t>::max(),
                                               std::numeric_limits<std::size_t>::max() / 2};

// What timers share with the backend, so that one that fires late finds it or nothing.
class MemoryCore : public std::enable_shared_from_this<MemoryCore> {
 public:
  MemoryCore(Executor& executor, const MemoryOptions& options)
      : executor_(executor),
        state_(std::make_shared<CommittedState>(executor, kKeepAllValues,
                                                internal::RingLimits{options.history_rows, options.history_bytes})) {
    state_->start(kFirstRevision, 0, 0);
  }

  const std::shared_ptr<CommittedState>& state() const { return state_; }

  Result<WriteOutcome> write(const Change& change) {
    TRY(internal::check_change(change));
    std::vector<internal::WatcherPtr> watchers;
    WriteOutcome outcome;
    {
      std::lock_guard lock(mutex_);
      outcome = write_locked(change, watchers);
      arm_locked();
    }
    CommittedState::wake(watchers);
    return outcome;
  }

  void close() {
    std::unique_ptr<Timer> timer;
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
      timer_.swap(timer);
    }
    state_->close();
  }

 private:
  WriteOutcome write_locked(const Change& change, std::vector<internal::WatcherPtr>& watchers) {
    GetResult current = state_->get(change.key);
    auto decided = internal::decide(change, current.entry, current.revision + 1);
    if (auto* lost = std::get_if<Lost>(&decided)) return std::move(*lost);
    HistoryRecord& record = std::get<HistoryRecord>(decided);
    const Revision revision = record.event->entry.mod_revision;
    leases_.follow(*record.event, executor_.clock().monotonic());
    std::vector<HistoryRecord> batch;
    batch.push_back(std::move(record));
    auto wake = state_->apply(std::move(batch));
    watchers.insert(watchers.end(), wake.begin(), wake.end());
    state_->compact(state_->floor());
    return Written{revision};
  }

  void arm_locked() {
    const auto next = leases_.next();
    if (closed_ || next == armed_) return;
    armed_ = next;
    timer_ = next ? executor_.call_at(*next,
                                      [weak = weak_from_this()] {
                                        if (const auto self = weak.lock()) self->expire();
                                      })
                  : nullptr;
  }

  void expire() {
    std::vector<internal::WatcherPtr> watchers;
    {
      std::lock_guard lock(mutex_);
      if (closed_) return;
      armed_.reset();
      for (const Change& change : leases_.due(executor_.clock().monotonic(), kExpiriesAtOnce)) {
        write_locked(change, watchers);
      }
      arm_locked();
    }
    CommittedState::wake(watchers);
  }

  Executor& executor_;
  const std::shared_ptr<CommittedState> state_;
  std::mutex mutex_;
  internal::LeaseQueue leases_;
  std::optional<MonotonicTime> armed_;
  std::unique_ptr<Timer> timer_;
  bool closed_ = false;
};

class MemoryBackend final : public Backend {
 public:
  MemoryBackend(Executor& executor, const MemoryOptions& options)
      : core_(std::make_shared<MemoryCore>(executor, options)), state_(*core_->state()) {}
  ~MemoryBackend() override { core_->close(); }

  Result<GetResult> get(const Context& context, std::string_view key) override {
    TRY(context.check());
    return state_.get(key);
  }

  Result<ListResult> list(const Context& context, const KeyRange& range, const ListOptions& options) override {
    TRY(context.check());
    ASSIGN_OR_RETURN(auto result, state_.list(range, options));
    if (!result) return internal::compacted_error(options.at, state_.floor());
    return std::move(*result);
  }

  Result<std::size_t> count(const Context& context, const KeyRange& range) override {
    TRY(context.check());
    return state_.count(range);
  }

  Result<WriteOutcome> create(const Context& context, std::string_view key, Bytes value,
                              std::chrono::seconds lease) override {
    TRY(context.check());
    return core_->write({Change::Kind::Create, std::string(key), std::move(value), 0, lease});
  }

  Result<WriteOutcome> update(const Context& context, std::string_view key, Bytes value, Revision expected,
                              std::chrono::seconds lease) override {
    TRY(context.check());
    return core_->write({Change::Kind::Update, std::string(key), std::move(value), expected, lease});
  }

  Result<WriteOutcome> remove(const Context& context, std::string_view key, Revision expected) override {
    TRY(context.check());
    return core_->write({Change::Kind::Remove, std::string(key), nullptr, expected});
  }

  Result<std::unique_ptr<Watch>> watch(const Context& context, const KeyRange& range, Revision after) override {
    TRY(context.check());
    TRY(internal::check_revision(after, state_.compacted(), state_.current()));
    Revision joined = 0;
    auto watch = state_.make_watch(state_.join(range, after, joined));
    if (joined != 0) return internal::compacted_error(after, state_.floor());
    return watch;
  }

  Revision current_revision() const override { return state_.current(); }
  Revision compacted_revision() const override { return state_.compacted(); }

  Result<void> compact(const Context& context, Revision revision) override {
    TRY(context.check());
    if (revision > state_.current()) return internal::future_error(revision, state_.current());
    state_.compact(revision);
    return {};
  }

  Result<std::int64_t> size(const Context& context) override {
    TRY(context.check());
    return static_cast<std::int64_t>(state_.kept_bytes());
  }

 private:
  const std::shared_ptr<MemoryCore> core_;
  CommittedState& state_;
};
}  // namespace

std::unique_ptr<Backend> make_memory_backend(Executor& executor, const MemoryOptions& options) {
  return std::make_unique<MemoryBackend>(executor, options);
}

}  // namespace coracle::store
