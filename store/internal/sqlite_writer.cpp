#include "store/internal/sqlite_writer.h"

#include <algorithm>
#include <utility>

namespace coracle::store::internal {

namespace {
constexpr std::size_t kMaxWaiting = 16'384;
constexpr std::size_t kBatchRows = 512;
constexpr std::size_t kBatchBytes = std::size_t{4} << 20U;
// How long a batch waits to become as large as the one before: a commit costs the same for one write
// and for many.
constexpr Duration kGatherTime = std::chrono::microseconds(500);
constexpr std::size_t kExpiriesPerBatch = 256;
// Revisions per compaction step: with writes waiting, and without.
constexpr Revision kBusyCompactionStep = 250;
constexpr Revision kIdleCompactionStep = 1000;
constexpr Duration kRetryChoresAfter = std::chrono::seconds(5);
constexpr std::chrono::seconds kOverloadRetryAfter{1};

std::optional<Entry> entry_after(const HistoryRecord& record) {
  if (record.event->type == Event::Type::Delete) return std::nullopt;
  return record.event->entry;
}
}  // namespace

SqliteWriter::SqliteWriter(Executor& executor, std::shared_ptr<CommittedState> state, KineWriter table,
                           HistoryLimits history, LeaseQueue leases, const std::string& path, Logger log)
    : executor_(executor),
      state_(std::move(state)),
      log_(std::move(log)),
      point_(executor.make_wait_point()),
      table_(std::move(table)),
      leases_(std::move(leases)),
      history_(history),
      compacted_on_disk_(table_.revisions().compacted),
      checkpointer_(path, log_),
      tasks_(Context(executor)) {
  if (state_->current() > compacted_on_disk_) history_.note(executor_.clock().monotonic(), state_->current());
  tasks_.spawn(Lane::Blocking, [this](const Context& context) { run(context); });
}

SqliteWriter::~SqliteWriter() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    point_->notify_all();
  }
  tasks_.stop();
  tasks_.join();
}

Result<WriteOutcome> SqliteWriter::write(const Context& context, Change change) {
  TRY(check_change(change));
  TRY(context.check());
  const auto request = std::make_shared<Request>(executor_, std::move(change));
  bool wake = false;
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return canceled("store: the backend has stopped");
    if (waiting_.size() >= kMaxWaiting) {
      return Error(Reason::TooManyRequests, "store: " + std::to_string(kMaxWaiting) + " writes are waiting")
          .with_retry_after(kOverloadRetryAfter);
    }
    waiting_.push_back(request);
    wake = waiting_.size() == 1 || waiting_.size() == gathering_;
  }
  if (wake) point_->notify_one();
  std::unique_lock lock(request->mutex);
  while (!request->answer) {
    const Result<void> still = context.check();
    if (!still.ok() && request->state == Request::State::Waiting) {
      request->state = Request::State::Abandoned;
      return still.error().in("store: waiting for the commit of " + request->change.key);
    }
    request->point->wait(lock, still.ok() ? context : Context(executor_));
  }
  return std::move(*request->answer);
}

void SqliteWriter::compact(Revision revision) {
  std::lock_guard lock(mutex_);
  compaction_wanted_ = std::max(compaction_wanted_, revision);
  point_->notify_one();
}

void SqliteWriter::run(const Context& context) {
  std::vector<RequestPtr> requests;
  while (wait_for_work(context, requests)) {
    process(std::move(requests));
    requests.clear();
  }
}

std::optional<MonotonicTime> SqliteWriter::next_chore() const {
  std::optional<MonotonicTime> next = leases_.next();
  const auto earlier = [&next](std::optional<MonotonicTime> time) {
    if (time && (!next || *time < *next)) next = time;
  };
  earlier(history_.next());
  // The newest row stays, so that the table knows the current revision.
  if (std::min(compaction_target_, state_->current() - 1) > compacted_on_disk_) {
    earlier(compaction_after_.value_or(MonotonicTime{}));
  }
  return next;
}

bool SqliteWriter::wait_for_work(const Context& context, std::vector<RequestPtr>& requests) {
  std::unique_lock lock(mutex_);
  std::optional<MonotonicTime> gather_until;
  for (;;) {
    compaction_target_ = std::max(compaction_target_, compaction_wanted_);
    if (stopped_ || context.stopped()) break;
    const auto chore = next_chore();
    const MonotonicTime now = executor_.clock().monotonic();
    if (!waiting_.empty() && waiting_.size() < gathering_) {
      if (!gather_until) gather_until = now + kGatherTime;
      if (now < *gather_until) {
        point_->wait(lock, context, gather_until);
        continue;
      }
    }
    if (!waiting_.empty() || (chore && *chore <= now)) {
      std::size_t bytes = 0;
      while (!waiting_.empty() && requests.size() < kBatchRows && bytes < kBatchBytes) {
        const Bytes& value = waiting_.front()->change.value;
        if (value != nullptr) bytes += value->size();
        requests.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
      }
      gathering_ = requests.size();
      return true;
    }
    point_->wait(lock, context, chore);
  }
  stopped_ = true;
  std::deque<RequestPtr> refused;
  refused.swap(waiting_);
  lock.unlock();
  for (const RequestPtr& request : refused) answer(*request, canceled("store: the backend has stopped"));
  return false;
}

void SqliteWriter::process(std::vector<RequestPtr> requests) {
  const MonotonicTime now = executor_.clock().monotonic();
  Batch batch;
  batch.records.reserve(requests.size() + kExpiriesPerBatch);
  std::erase_if(requests, [](const RequestPtr& request) {
    std::lock_guard lock(request->mutex);
    if (request->state == Request::State::Abandoned) return true;
    request->state = Request::State::Begun;
    return false;
  });
  batch.requests = std::move(requests);
  const Result<void> filled = fill(batch, now);
  if (filled.ok()) {
    succeed(batch, now);
  } else {
    table_.rollback();
    fail(batch, filled.error(), now);
  }
}

Result<void> SqliteWriter::fill(Batch& batch, MonotonicTime now) {
  if (const Revision due = history_.due(now, state_->current(), state_->compacted())) {
    state_->compact(due);
    compaction_target_ = std::max(compaction_target_, due);
  }
  TRY(table_.begin());
  for (const RequestPtr& request : batch.requests) {
    ASSIGN_OR_RETURN(WriteOutcome outcome, add(batch, request->change));
    batch.outcomes.push_back(std::move(outcome));
  }
  for (const Change& change : leases_.due(now, kExpiriesPerBatch)) {
    const Result<WriteOutcome> outcome = add(batch, change);
    if (!outcome.ok()) return outcome.error();
  }
  if (!compaction_after_ || *compaction_after_ <= now) TRY(add_compaction(batch));
  return table_.commit();
}

Result<std::optional<Entry>> SqliteWriter::current_entry(const Batch& batch, const std::string& key) {
  const auto changed = batch.changed.find(key);
  if (changed != batch.changed.end()) return entry_after(*changed->second);
  std::optional<Entry> entry = state_->get(key).entry;
  if (entry && entry->value == nullptr) {
    ASSIGN_OR_RETURN(std::optional<Bytes> value, table_.value(entry->mod_revision));
    if (!value) {
      return Error(Reason::Corrupt, "store: the row of " + key + " at revision " + std::to_string(entry->mod_revision) +
                                        " has vanished from the table");
    }
    entry->value = std::move(*value);
  }
  return entry;
}

Result<WriteOutcome> SqliteWriter::add(Batch& batch, const Change& change) {
  const Revision current = batch.records.empty() ? state_->current() : batch.records.back().event->entry.mod_revision;
  ASSIGN_OR_RETURN(const std::optional<Entry> entry, current_entry(batch, change.key));
  auto decided = decide(change, entry, current + 1);
  if (auto* lost = std::get_if<Lost>(&decided)) return WriteOutcome(std::move(*lost));
  // The vector never grows beyond what was reserved, so that the map may point into it.
  batch.records.push_back(std::move(std::get<HistoryRecord>(decided)));
  const HistoryRecord& record = batch.records.back();
  TRY(table_.insert(record));
  batch.changed[record.event->entry.key] = &record;
  return WriteOutcome(Written{current + 1});
}

Result<void> SqliteWriter::add_compaction(Batch& batch) {
  const Revision target = std::min(compaction_target_, state_->current() - 1);
  if (target <= compacted_on_disk_) return {};
  // Keeps up with the writers, whatever their rate.
  const Revision step = batch.requests.empty()
                            ? kIdleCompactionStep
                            : std::max<Revision>(kBusyCompactionStep, static_cast<Revision>(batch.requests.size()) * 2);
  batch.compact_to = std::min(target, compacted_on_disk_ + step);
  return table_.compact(compacted_on_disk_, batch.compact_to);
}

void SqliteWriter::succeed(Batch& batch, MonotonicTime now) {
  if (batch.compact_to != 0) compacted_on_disk_ = batch.compact_to;
  compaction_after_.reset();
  if (std::exchange(failing_, false)) log_.info("writes succeed again");
  for (const HistoryRecord& record : batch.records) leases_.follow(*record.event, now);
  batch.changed.clear();
  std::vector<WatcherPtr> watchers;
  if (!batch.records.empty()) {
    watchers = state_->apply(std::move(batch.records));
    history_.note(now, state_->current());
  }
  for (std::size_t index = 0; index < batch.requests.size(); ++index) {
    answer(*batch.requests[index], std::move(batch.outcomes[index]));
  }
  CommittedState::wake(watchers);
  checkpointer_.after_commit(table_, tasks_);
}

void SqliteWriter::fail(const Batch& batch, const Error& error, MonotonicTime now) {
  if (!std::exchange(failing_, true)) log_.error("a transaction failed, its writes are refused", {{"error", error}});
  leases_.postpone(now, now + kRetryChoresAfter);
  compaction_after_ = now + kRetryChoresAfter;
  for (const RequestPtr& request : batch.requests) answer(*request, error);
}

void SqliteWriter::answer(Request& request, Result<WriteOutcome> outcome) {
  {
    std::lock_guard lock(request.mutex);
    if (request.state == Request::State::Abandoned) return outcome.ignore("nobody waits for it");
    request.answer.emplace(std::move(outcome));
  }
  request.point->notify_one();
}

}  // namespace coracle::store::internal
