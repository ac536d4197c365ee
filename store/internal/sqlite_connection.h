#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/backend.h"

struct sqlite3;
struct sqlite3_stmt;

namespace coracle::store::internal {

// A prepared statement. Bound text and blobs are not copied: they must live until reset(). Must not
// outlive its connection.
class SqliteStatement {
 public:
  SqliteStatement() = default;

  SqliteStatement& bind(int index, std::int64_t value);
  SqliteStatement& bind(int index, std::string_view text);
  // A null value binds NULL.
  SqliteStatement& bind(int index, const Bytes& value);

  // True while there is a row; its columns are valid until the next step. Resets itself on errors.
  Result<bool> step();
  // For statements without rows: steps and resets.
  Result<void> run();
  void reset();

  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  std::string_view text(int column) const;
  // Null for NULL.
  Bytes blob(int column) const;

 private:
  friend class SqliteConnection;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit SqliteStatement(sqlite3_stmt* statement) : statement_(statement) {}
  Error error() const;

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// One connection, for one thread at a time.
class SqliteConnection {
 public:
  enum class Mode : std::uint8_t { ReadWrite, ReadOnly };
  static Result<SqliteConnection> open(const std::string& path, Mode mode);

  Result<void> execute(const char* sql);
  // The first column of the first row as text; empty without rows.
  Result<std::string> query(const char* sql);
  Result<SqliteStatement> prepare(std::string_view sql);
  bool in_transaction() const;

  // From now on nothing is copied out of the write-ahead log on its own, and log_pages() tells how
  // long it was after the last commit.
  void count_log_pages();
  int log_pages() const { return log_pages_ == nullptr ? 0 : *log_pages_; }

 private:
  struct Close {
    void operator()(sqlite3* connection) const;
  };
  explicit SqliteConnection(sqlite3* connection) : connection_(connection) {}

  std::unique_ptr<int> log_pages_;
  std::unique_ptr<sqlite3, Close> connection_;
};

}  // namespace coracle::store::internal
