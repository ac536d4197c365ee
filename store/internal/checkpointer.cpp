#include "store/internal/checkpointer.h"

namespace coracle::store::internal {

namespace {
// Pages in the log when copying begins; when the writer has to do it itself; and what it may do
// without anybody noticing.
constexpr int kCheckpointPages = 2000;
constexpr int kMaxLogPages = 32'000;
constexpr std::int64_t kSmallRest = 250;
constexpr int kMaxRounds = 5;
}  // namespace

void Checkpointer::after_commit(KineWriter& table, TaskGroup& tasks) {
  const int pages = table.log_pages();
  if (caught_up_.exchange(false) || pages >= kMaxLogPages) {
    note(table.checkpoint());
    return;
  }
  if (pages < kCheckpointPages || running_.exchange(true)) return;
  if (!tasks.spawn(Lane::Blocking, [this](const Context&) { run(); })) running_ = false;
}

void Checkpointer::run() {
  const Result<void> done = catch_up();
  note(done);
  caught_up_ = done.ok();
  running_ = false;
}

void Checkpointer::note(const Result<void>& copied) {
  if (failing_.exchange(!copied.ok()) == !copied.ok()) return;
  if (copied.ok()) {
    log_.info("the log is copied into the file again");
  } else {
    log_.warning("the log cannot be copied into the file, it grows meanwhile", {{"error", copied.error()}});
  }
}

Result<void> Checkpointer::catch_up() {
  if (!connection_) {
    ASSIGN_OR_RETURN(connection_, SqliteConnection::open(path_, SqliteConnection::Mode::ReadWrite));
    TRY(connection_->execute("PRAGMA synchronous = FULL"));
  }
  for (int round = 0; round < kMaxRounds; ++round) {
    ASSIGN_OR_RETURN(SqliteStatement copy, connection_->prepare("PRAGMA wal_checkpoint(PASSIVE)"));
    TRY(copy.step());
    if (copy.integer(1) - copy.integer(2) < kSmallRest) break;
  }
  return {};
}

}  // namespace coracle::store::internal
