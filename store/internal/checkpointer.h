#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "base/log.h"
#include "base/task_group.h"
#include "store/internal/kine_table.h"

namespace coracle::store::internal {

// Copies the write-ahead log back into the file beside the writer, so that no commit waits for it.
// Such a copy never catches up with a busy writer by itself; once only a small rest is left, the
// writer copies that between two transactions, and the log starts over.
class Checkpointer {
 public:
  // The tasks must end before this does.
  Checkpointer(std::string path, Logger log) : path_(std::move(path)), log_(std::move(log)) {}

  // The writer calls it after each commit.
  void after_commit(KineWriter& table, TaskGroup& tasks);

 private:
  void run();
  Result<void> catch_up();
  // One line when it begins to fail, one when it works again.
  void note(const Result<void>& copied);

  const std::string path_;
  const Logger log_;
  std::atomic<bool> running_ = false;
  std::atomic<bool> caught_up_ = false;
  std::atomic<bool> failing_ = false;
  // Only while running.
  std::optional<SqliteConnection> connection_;
};

}  // namespace coracle::store::internal
