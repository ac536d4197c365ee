#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "store/internal/change.h"
#include "store/internal/sqlite_connection.h"

namespace coracle::store::internal {

// kine's table: one row per revision. Create: created = 1, create_revision = 0 (readers take the
// id), prev_revision = 0 or the key's last delete row. Update: create_revision and the id of the row
// it replaces. Delete: deleted = 1, no value. `old_value` repeats the value of the row before.

// What the table holds when it is opened.
struct TableRevisions {
  Revision current;
  Revision compacted;
};

// The writing connection. Errors leave the transaction open: roll back.
class KineWriter {
 public:
  // Opens, creates what is missing, repairs a doubled compaction mark.
  static Result<KineWriter> open(const std::string& path, std::int64_t max_bytes);

  const TableRevisions& revisions() const { return revisions_; }
  // Every live entry in order of keys; those with values of more than `value_bytes` come without.
  Result<void> load(std::size_t value_bytes, const std::function<void(const Entry&)>& sink);

  // Fails with Corrupt when somebody else has written since the last transaction.
  Result<void> begin();
  // Completes the event of `record` into a row.
  Result<void> insert(const HistoryRecord& record);
  // Removes what revisions after `from` up to `to` have made superfluous, and notes `to` as
  // compacted.
  Result<void> compact(Revision from, Revision to);
  Result<void> commit();
  void rollback();

  // Pages in the write-ahead log after the last commit.
  int log_pages() const { return connection_.log_pages(); }
  // Copies them into the file, as far as readers allow.
  Result<void> checkpoint() { return connection_.execute("PRAGMA wal_checkpoint(PASSIVE)"); }

  // The value of a row; nullopt when the row is not there (any more).
  Result<std::optional<Bytes>> value(Revision revision);

 private:
  explicit KineWriter(SqliteConnection connection) : connection_(std::move(connection)) {}
  Result<void> configure(std::int64_t max_bytes);
  Result<void> create_schema();
  Result<void> read_revisions();
  Result<void> prepare();
  Result<Revision> last_row(std::string_view key);

  SqliteConnection connection_;
  TableRevisions revisions_{0, 0};
  std::int64_t data_version_ = 0;
  SqliteStatement begin_;
  SqliteStatement version_;
  SqliteStatement insert_;
  SqliteStatement last_row_;
  SqliteStatement value_;
  SqliteStatement drop_;
  SqliteStatement mark_;
  SqliteStatement commit_;
};

// A reading connection.
class KineReader {
 public:
  static Result<KineReader> open(const std::string& path);

  Result<std::optional<Bytes>> value(Revision revision);
  // The entries at options.at.
  Result<ListResult> list(const KeyRange& range, const ListOptions& options);
  // Events of the range with after < revision <= upto. Expired when there are more than the limits.
  Result<void> events(const KeyRange& range, Revision after, Revision upto, std::deque<EventPtr>& out);
  Result<std::int64_t> size();

 private:
  explicit KineReader(SqliteConnection connection) : connection_(std::move(connection)) {}
  Result<void> list_in_snapshot(const KeyRange& range, const ListOptions& options, ListResult& result);

  SqliteConnection connection_;
  SqliteStatement value_;
  SqliteStatement newest_;
  SqliteStatement row_;
  SqliteStatement deleted_;
  SqliteStatement events_;
};

}  // namespace coracle::store::internal
