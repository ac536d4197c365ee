#include <utility>

#include "store/internal/kine_table.h"

namespace coracle::store::internal {

namespace {

// The same table as kine's, and the one of its indexes that our statements use. Kine makes the others when it
// opens the file; each would add a page to the log for almost every write, half of what a write costs.
constexpr const char* kSchema[] = {
    "CREATE TABLE IF NOT EXISTS kine (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, created INTEGER, "
    "deleted INTEGER, create_revision INTEGER, prev_revision INTEGER, lease INTEGER, value BLOB, old_value BLOB)",
    "CREATE INDEX IF NOT EXISTS kine_name_id_index ON kine (name,id)",
    "DROP INDEX IF EXISTS kine_name_index",
    "DROP INDEX IF EXISTS kine_id_deleted_index",
    "DROP INDEX IF EXISTS kine_prev_revision_index",
    "DROP INDEX IF EXISTS kine_name_prev_revision_uindex",
    "DROP INDEX IF EXISTS kine_id_compact_rev_key_with_prev_revision_index",
};

// A commit is durable when it is answered (FULL). A log that has grown beyond the limit is cut when
// it starts over.
constexpr const char* kPragmas[] = {
    "PRAGMA synchronous = FULL",
    "PRAGMA cache_size = -4096",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA journal_size_limit = 33554432",
};

Error corrupt(const std::string& what) {
  return Error(Reason::Corrupt, "store: " + what);
}

}  // namespace

Result<KineWriter> KineWriter::open(const std::string& path, std::int64_t max_bytes) {
  ASSIGN_OR_RETURN(SqliteConnection connection, SqliteConnection::open(path, SqliteConnection::Mode::ReadWrite));
  KineWriter writer(std::move(connection));
  TRY(writer.configure(max_bytes));
  TRY(writer.create_schema());
  TRY(writer.prepare());
  return writer;
}

Result<void> KineWriter::configure(std::int64_t max_bytes) {
  ASSIGN_OR_RETURN(const std::string mode, connection_.query("PRAGMA journal_mode = WAL"));
  if (mode != "wal") return unavailable("store: the file's folder does not allow a write-ahead log, it stays " + mode);
  for (const char* pragma : kPragmas) TRY(connection_.execute(pragma));
  connection_.count_log_pages();
  ASSIGN_OR_RETURN(const std::string encoding, connection_.query("PRAGMA encoding"));
  if (encoding != "UTF-8") return corrupt("the database is encoded in " + encoding + ", expected UTF-8");
  if (max_bytes > 0) {
    ASSIGN_OR_RETURN(const std::string page_size, connection_.query("PRAGMA page_size"));
    const std::int64_t pages = max_bytes / std::stoll(page_size);
    TRY(connection_.execute(("PRAGMA max_page_count = " + std::to_string(pages)).c_str()));
  }
  return {};
}

Result<void> KineWriter::create_schema() {
  TRY(connection_.execute("BEGIN IMMEDIATE"));
  for (const char* statement : kSchema) TRY(connection_.execute(statement));
  // An old bug of kine left files with two marks; the higher one counts.
  TRY(connection_.execute(
      "DELETE FROM kine WHERE name = 'compact_rev_key' AND id != (SELECT id FROM kine WHERE name = 'compact_rev_key' "
      "ORDER BY prev_revision DESC, id DESC LIMIT 1)"));
  TRY(connection_.execute(
      "INSERT INTO kine(name, created, deleted, create_revision, prev_revision, lease, value, old_value) "
      "SELECT 'compact_rev_key', 1, 0, 0, 0, 0, x'', NULL "
      "WHERE NOT EXISTS (SELECT 1 FROM kine WHERE name = 'compact_rev_key')"));
  TRY(read_revisions());
  return connection_.execute("COMMIT");
}

Result<void> KineWriter::read_revisions() {
  // The sequence remembers revisions whose rows have been compacted away.
  ASSIGN_OR_RETURN(SqliteStatement statement,
                   connection_.prepare("SELECT max((SELECT max(id) FROM kine), coalesce((SELECT seq FROM "
                                       "sqlite_sequence WHERE name = 'kine'), 0)), (SELECT prev_revision FROM kine "
                                       "WHERE name = 'compact_rev_key')"));
  ASSIGN_OR_RETURN(const bool row, statement.step());
  if (!row) return corrupt("the table kine cannot be read");
  revisions_ = {statement.integer(0), statement.integer(1)};
  if (revisions_.compacted > revisions_.current || revisions_.compacted < 0) {
    return corrupt("the compacted revision " + std::to_string(revisions_.compacted) + " is beyond the current one " +
                   std::to_string(revisions_.current));
  }
  return {};
}

Result<void> KineWriter::prepare() {
  const std::pair<SqliteStatement*, const char*> statements[] = {
      {&begin_, "BEGIN IMMEDIATE"},
      {&commit_, "COMMIT"},
      {&version_, "PRAGMA data_version"},
      {&insert_,
       "INSERT INTO kine(id, name, created, deleted, create_revision, prev_revision, lease, value, "
       "old_value) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"},
      {&last_row_, "SELECT max(id) FROM kine WHERE name = ?1"},
      {&value_, "SELECT value FROM kine WHERE id = ?1"},
      {&drop_,
       "DELETE FROM kine WHERE id IN (SELECT prev_revision FROM kine WHERE id > ?1 AND id <= ?2 AND "
       "prev_revision != 0 AND name != 'compact_rev_key' UNION ALL SELECT id FROM kine WHERE id > ?1 AND "
       "id <= ?2 AND deleted != 0)"},
      {&mark_, "UPDATE kine SET prev_revision = ?1 WHERE name = 'compact_rev_key'"},
  };
  for (const auto& [statement, sql] : statements) {
    ASSIGN_OR_RETURN(*statement, connection_.prepare(sql));
  }
  TRY(version_.step());
  data_version_ = version_.integer(0);
  version_.reset();
  return {};
}

// One pass over the index of names and ids finds the newest rows; history is not read.
Result<void> KineWriter::load(std::size_t value_bytes, const std::function<void(const Entry&)>& sink) {
  ASSIGN_OR_RETURN(SqliteStatement rows,
                   connection_.prepare("SELECT id, name, created, create_revision, lease, CASE WHEN length(value) <= "
                                       "?1 THEN value END FROM (SELECT max(id) AS newest FROM kine GROUP BY name) "
                                       "CROSS JOIN kine ON id = newest WHERE deleted = 0"));
  rows.bind(1, static_cast<std::int64_t>(value_bytes));
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, rows.step());
    if (!row) return {};
    Entry entry;
    entry.key = rows.text(1);
    if (is_reserved_key(entry.key)) continue;
    if (entry.key.empty()) return corrupt("the row of revision " + std::to_string(rows.integer(0)) + " has no name");
    entry.mod_revision = rows.integer(0);
    entry.create_revision = rows.integer(2) != 0 ? entry.mod_revision : rows.integer(3);
    entry.lease = std::chrono::seconds(rows.integer(4));
    entry.value = rows.blob(5);
    sink(entry);
  }
}

Result<void> KineWriter::begin() {
  TRY(begin_.run());
  TRY(version_.step());
  const std::int64_t version = version_.integer(0);
  version_.reset();
  if (version == data_version_) return {};
  return corrupt("another process has written to the file while it was open here; restart to read it again");
}

Result<Revision> KineWriter::last_row(std::string_view key) {
  last_row_.bind(1, key);
  TRY(last_row_.step());
  const Revision revision = last_row_.integer(0);
  last_row_.reset();
  return revision;
}

Result<void> KineWriter::insert(const HistoryRecord& record) {
  const Event& event = *record.event;
  const bool created = event.type == Event::Type::Create;
  const bool deleted = event.type == Event::Type::Delete;
  Revision previous = event.previous_revision;
  if (created) {
    ASSIGN_OR_RETURN(previous, last_row(event.entry.key));
  }
  const Bytes none;
  insert_.bind(1, event.entry.mod_revision)
      .bind(2, event.entry.key)
      .bind(3, created ? 1 : 0)
      .bind(4, deleted ? 1 : 0)
      .bind(5, event.type == Event::Type::Update ? event.entry.create_revision : 0)
      .bind(6, previous)
      .bind(7, static_cast<std::int64_t>(event.entry.lease.count()))
      .bind(8, deleted ? none : event.entry.value)
      .bind(9, event.previous);
  return insert_.run();
}

Result<void> KineWriter::compact(Revision from, Revision to) {
  TRY(drop_.bind(1, from).bind(2, to).run());
  return mark_.bind(1, to).run();
}

Result<void> KineWriter::commit() {
  return commit_.run();
}

void KineWriter::rollback() {
  if (connection_.in_transaction()) connection_.execute("ROLLBACK").ignore("the transaction is over either way");
}

Result<std::optional<Bytes>> KineWriter::value(Revision revision) {
  value_.bind(1, revision);
  ASSIGN_OR_RETURN(const bool row, value_.step());
  std::optional<Bytes> value;
  if (row) value = value_.is_null(0) ? std::make_shared<const std::string>() : value_.blob(0);
  value_.reset();
  return value;
}

}  // namespace coracle::store::internal
