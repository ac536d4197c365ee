#include <deque>

#include "store/internal/kine_table.h"

namespace coracle::store::internal {

namespace {
// What a watch that starts behind the events in memory may read at once; beyond that listing is
// cheaper.
constexpr std::size_t kMaxBacklogEvents = 20'000;
constexpr std::size_t kMaxBacklogBytes = std::size_t{32} << 20U;

// The range as start <= name < end.
std::string end_of(const KeyRange& range) {
  return range.end.empty() ? range.start + '\0' : range.end;
}

Bytes value_or_empty(const SqliteStatement& row, int column) {
  Bytes value = row.blob(column);
  return value != nullptr ? value : std::make_shared<const std::string>();
}

EventPtr event_of(const SqliteStatement& row) {
  Event event;
  event.entry.mod_revision = row.integer(0);
  event.entry.key = row.text(1);
  const bool created = row.integer(2) != 0;
  const bool deleted = row.integer(3) != 0;
  event.type = deleted ? Event::Type::Delete : created ? Event::Type::Create : Event::Type::Update;
  if (!created) {
    event.previous = value_or_empty(row, 8);
    event.previous_revision = row.integer(5);
  }
  if (deleted) {
    event.entry.value = event.previous;
  } else {
    event.entry.value = value_or_empty(row, 7);
    event.entry.create_revision = created ? event.entry.mod_revision : row.integer(4);
    event.entry.lease = std::chrono::seconds(row.integer(6));
  }
  return std::make_shared<const Event>(std::move(event));
}
}  // namespace

Result<KineReader> KineReader::open(const std::string& path) {
  ASSIGN_OR_RETURN(SqliteConnection connection, SqliteConnection::open(path, SqliteConnection::Mode::ReadOnly));
  KineReader reader(std::move(connection));
  TRY(reader.connection_.execute("PRAGMA cache_size = -512"));
  const std::pair<SqliteStatement*, const char*> statements[] = {
      {&reader.value_, "SELECT value FROM kine WHERE id = ?1"},
      {&reader.newest_,
       "SELECT name, max(id) FROM kine WHERE name >= ?1 AND name < ?2 AND id <= ?3 GROUP BY name "
       "ORDER BY name"},
      {&reader.row_, "SELECT created, deleted, create_revision, lease, value FROM kine WHERE id = ?1"},
      {&reader.deleted_, "SELECT deleted FROM kine WHERE id = ?1"},
      // The plus keeps the name out of the choice of an index: the rows are wanted in order of id.
      {&reader.events_,
       "SELECT id, name, created, deleted, create_revision, prev_revision, lease, value, old_value "
       "FROM kine WHERE id > ?1 AND id <= ?2 AND +name >= ?3 AND +name < ?4 ORDER BY id"},
  };
  for (const auto& [statement, sql] : statements) {
    ASSIGN_OR_RETURN(*statement, reader.connection_.prepare(sql));
  }
  return reader;
}

Result<std::optional<Bytes>> KineReader::value(Revision revision) {
  value_.bind(1, revision);
  ASSIGN_OR_RETURN(const bool row, value_.step());
  std::optional<Bytes> value;
  if (row) value = value_or_empty(value_, 0);
  value_.reset();
  return value;
}

Result<ListResult> KineReader::list(const KeyRange& range, const ListOptions& options) {
  ListResult result;
  result.revision = options.at;
  TRY(connection_.execute("BEGIN"));
  const Result<void> read = list_in_snapshot(range, options, result);
  newest_.reset();
  connection_.execute("ROLLBACK").ignore("nothing was written");
  if (!read.ok()) return read.error();
  return result;
}

Result<void> KineReader::list_in_snapshot(const KeyRange& range, const ListOptions& options, ListResult& result) {
  const std::string end = end_of(range);
  newest_.bind(1, range.start).bind(2, end).bind(3, options.at);
  for (;;) {
    ASSIGN_OR_RETURN(const bool found, newest_.step());
    if (!found) return {};
    Entry entry;
    entry.key = newest_.text(0);
    entry.mod_revision = newest_.integer(1);
    if (is_reserved_key(entry.key)) continue;
    const bool full = options.limit != 0 && result.entries.size() == options.limit;
    SqliteStatement& row = full ? deleted_ : row_;
    row.bind(1, entry.mod_revision);
    ASSIGN_OR_RETURN(const bool there, row.step());
    const bool live = there && row.integer(full ? 0 : 1) == 0;
    if (live && full) ++result.remaining;
    if (live && !full) {
      entry.create_revision = row.integer(0) != 0 ? entry.mod_revision : row.integer(2);
      entry.lease = std::chrono::seconds(row.integer(3));
      if (!options.keys_only) entry.value = value_or_empty(row, 4);
      result.entries.push_back(std::move(entry));
    }
    row.reset();
  }
}

Result<void> KineReader::events(const KeyRange& range, Revision after, Revision upto, std::deque<EventPtr>& out) {
  const std::string end = end_of(range);
  events_.bind(1, after).bind(2, upto).bind(3, range.start).bind(4, end);
  std::size_t bytes = 0;
  Result<void> result;
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, events_.step());
    if (!row) break;
    if (is_reserved_key(events_.text(1))) continue;
    out.push_back(event_of(events_));
    bytes += out.back()->entry.value->size();
    if (out.size() > kMaxBacklogEvents || bytes > kMaxBacklogBytes) {
      result = Error(Reason::Expired,
                     "store: too much has happened since revision " + std::to_string(after) + " to watch from there");
      break;
    }
  }
  events_.reset();
  return result;
}

Result<std::int64_t> KineReader::size() {
  ASSIGN_OR_RETURN(SqliteStatement statement,
                   connection_.prepare("SELECT (page_count - freelist_count) * page_size FROM pragma_page_count(), "
                                       "pragma_freelist_count(), pragma_page_size()"));
  TRY(statement.step());
  return statement.integer(0);
}

}  // namespace coracle::store::internal
