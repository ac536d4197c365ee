#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/log.h"
#include "base/task_group.h"
#include "store/internal/checkpointer.h"
#include "store/internal/committed_state.h"
#include "store/internal/history_clock.h"
#include "store/internal/kine_table.h"
#include "store/internal/lease_queue.h"

namespace coracle::store::internal {

// The one that writes the table. Whatever waits goes into one transaction, which is committed,
// made visible, and answered. The same loop ends leases and compacts in small steps, and sleeps
// while there is nothing to do. Thread-safe.
class SqliteWriter {
 public:
  SqliteWriter(Executor& executor, std::shared_ptr<CommittedState> state, KineWriter table, HistoryLimits history,
               LeaseQueue leases, const std::string& path, Logger log);
  // Refuses what waits and finishes what is being written.
  ~SqliteWriter();

  // Waits for the answer. When the context ends first, a write that has not begun does not happen; one that has is
  // waited for, so that the caller always knows.
  Result<WriteOutcome> write(const Context& context, Change change);
  // Rows up to `revision` may go; the committed state knows already.
  void compact(Revision revision);

 private:
  struct Request {
    Request(Executor& executor, Change wanted) : change(std::move(wanted)), point(executor.make_wait_point()) {}
    const Change change;
    std::mutex mutex;
    std::unique_ptr<WaitPoint> point;
    std::optional<Result<WriteOutcome>> answer;
    enum class State : std::uint8_t { Waiting, Begun, Abandoned } state = State::Waiting;
  };
  using RequestPtr = std::shared_ptr<Request>;

  // A transaction in the making.
  struct Batch {
    std::vector<RequestPtr> requests;
    std::vector<WriteOutcome> outcomes;  // of requests, in order
    std::vector<HistoryRecord> records;
    // What the records have made of their keys.
    std::unordered_map<std::string_view, const HistoryRecord*> changed;
    Revision compact_to = 0;
  };

  void run(const Context& context);
  // False when the writer has to end.
  bool wait_for_work(const Context& context, std::vector<RequestPtr>& requests);
  std::optional<MonotonicTime> next_chore() const;
  void process(std::vector<RequestPtr> requests);
  Result<void> fill(Batch& batch, MonotonicTime now);
  Result<WriteOutcome> add(Batch& batch, const Change& change);
  Result<std::optional<Entry>> current_entry(const Batch& batch, const std::string& key);
  Result<void> add_compaction(Batch& batch);
  void succeed(Batch& batch, MonotonicTime now);
  void fail(const Batch& batch, const Error& error, MonotonicTime now);
  static void answer(Request& request, Result<WriteOutcome> outcome);

  Executor& executor_;
  const std::shared_ptr<CommittedState> state_;
  const Logger log_;

  std::mutex mutex_;
  std::unique_ptr<WaitPoint> point_;
  std::deque<RequestPtr> waiting_;
  std::size_t gathering_ = 0;  // so many writes are likely to come; the size of the last batch
  Revision compaction_wanted_ = 0;
  bool stopped_ = false;

  // Only the loop touches these.
  KineWriter table_;
  LeaseQueue leases_;
  HistoryClock history_;
  Revision compacted_on_disk_;
  Revision compaction_target_ = 0;
  std::optional<MonotonicTime> compaction_after_;  // not before, after a failure
  bool failing_ = false;
  Checkpointer checkpointer_;

  TaskGroup tasks_;
};

}  // namespace coracle::store::internal
