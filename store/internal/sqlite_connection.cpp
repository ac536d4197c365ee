#include "store/internal/sqlite_connection.h"

#include <sqlite3.h>

namespace coracle::store::internal {

namespace {
constexpr int kBusyMilliseconds = 10'000;
constexpr int kPrimaryCode = 0xff;

Error sqlite_error(sqlite3* connection, int code) {
  std::string where = "store";
  if (const char* file = connection == nullptr ? nullptr : sqlite3_db_filename(connection, "main")) {
    where += std::string(": ") + file;
  }
  const std::string what = std::string(connection == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(connection)) +
                           " (SQLite " + std::to_string(code) + ")";
  switch (code & kPrimaryCode) {
    case SQLITE_FULL:
      return Error(Reason::Unavailable, where + ": the disk or the file's size limit is full: " + what);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Error(Reason::Corrupt, where + ": the file is damaged, restore it from a backup: " + what);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Error(Reason::Unavailable, where + ": another process holds the file: " + what);
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_NOMEM:
      return Error(Reason::Unavailable, where + ": " + what);
    default:
      return internal_error(where + ": " + what);
  }
}
}  // namespace

void SqliteStatement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

// A failed bind (out of memory) leaves NULL and makes the next step fail or a constraint complain;
// sizes are checked before.
SqliteStatement& SqliteStatement::bind(int index, std::int64_t value) {
  sqlite3_bind_int64(statement_.get(), index, value);
  return *this;
}

SqliteStatement& SqliteStatement::bind(int index, std::string_view text) {
  const char* data = text.data() == nullptr ? "" : text.data();
  sqlite3_bind_text64(statement_.get(), index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

SqliteStatement& SqliteStatement::bind(int index, const Bytes& value) {
  if (value == nullptr) {
    sqlite3_bind_null(statement_.get(), index);
  } else {
    sqlite3_bind_blob64(statement_.get(), index, value->data(), value->size(), SQLITE_STATIC);
  }
  return *this;
}

Error SqliteStatement::error() const {
  sqlite3* connection = sqlite3_db_handle(statement_.get());
  return sqlite_error(connection, sqlite3_extended_errcode(connection));
}

Result<bool> SqliteStatement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  Error failed = error();
  reset();
  return failed;
}

Result<void> SqliteStatement::run() {
  ASSIGN_OR_RETURN(bool row, step());
  while (row) {
    ASSIGN_OR_RETURN(row, step());
  }
  reset();
  return {};
}

void SqliteStatement::reset() {
  sqlite3_reset(statement_.get());
}

bool SqliteStatement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

std::int64_t SqliteStatement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view SqliteStatement::text(int column) const {
  const auto* data = sqlite3_column_text(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return data == nullptr ? std::string_view()
                         : std::string_view(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
}

Bytes SqliteStatement::blob(int column) const {
  if (is_null(column)) return nullptr;
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return data == nullptr ? std::make_shared<const std::string>()
                         : std::make_shared<const std::string>(data, static_cast<std::size_t>(size));
}

void SqliteConnection::Close::operator()(sqlite3* connection) const {
  sqlite3_close_v2(connection);
}

Result<SqliteConnection> SqliteConnection::open(const std::string& path, Mode mode) {
  const int flags = mode == Mode::ReadWrite ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  SqliteConnection connection(raw);
  if (code != SQLITE_OK) return sqlite_error(raw, code).in(path);
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, kBusyMilliseconds);
  return connection;
}

Result<void> SqliteConnection::execute(const char* sql) {
  const int code = sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return sqlite_error(connection_.get(), code);
  return {};
}

Result<std::string> SqliteConnection::query(const char* sql) {
  ASSIGN_OR_RETURN(SqliteStatement statement, prepare(sql));
  ASSIGN_OR_RETURN(const bool row, statement.step());
  return row ? std::string(statement.text(0)) : std::string();
}

Result<SqliteStatement> SqliteConnection::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(connection_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return sqlite_error(connection_.get(), code);
  return SqliteStatement(statement);
}

void SqliteConnection::count_log_pages() {
  log_pages_ = std::make_unique<int>(0);
  const auto count = [](void* place, sqlite3*, const char*, int pages) {
    *static_cast<int*>(place) = pages;
    return SQLITE_OK;
  };
  sqlite3_wal_hook(connection_.get(), count, log_pages_.get());
}

bool SqliteConnection::in_transaction() const {
  return sqlite3_get_autocommit(connection_.get()) == 0;
}

}  // namespace coracle::store::internal
