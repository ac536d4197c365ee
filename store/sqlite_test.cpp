#include "store/sqlite.h"

#include <sys/stat.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "base/testing/temporary_folder.h"
#include "store/conformance/conformance.h"
#include "store/conformance/support.h"
#include "store/internal/sqlite_connection.h"

namespace coracle::store {
namespace {

using conformance::bytes;
using conformance::list_text;
using conformance::must_create;
using conformance::must_remove;
using conformance::must_update;
using conformance::text;
using internal::SqliteConnection;

struct Fixture {
  testing::TemporaryFolder folder;
  std::unique_ptr<Executor> executor = make_executor();
  Context context = conformance::case_context(*executor);
  Logger log{null_log_sink(), "store"};

  static std::unique_ptr<Executor> make_executor() {
    ThreadLimits limits;
    limits.blocking = 24;
    return make_thread_executor(limits);
  }
  SqliteOptions options() const {
    SqliteOptions options;
    options.path = folder.file("db/state.db");
    return options;
  }
  std::unique_ptr<Backend> open() { return open(options()); }
  std::unique_ptr<Backend> open(const SqliteOptions& options) {
    auto made = make_sqlite_backend(options, *executor, log);
    INFO((made.ok() ? "" : made.error().message()));
    REQUIRE(made.ok());
    return std::move(made).value();
  }
  SqliteConnection sql() {
    auto connection = SqliteConnection::open(options().path, SqliteConnection::Mode::ReadWrite);
    REQUIRE(connection.ok());
    return std::move(connection).value();
  }
  std::string query(const std::string& statement) {
    auto connection = sql();
    const auto answer = connection.query(statement.c_str());
    INFO((answer.ok() ? "" : answer.error().message()));
    REQUIRE(answer.ok());
    return *answer;
  }
  std::string list(Backend& backend, Revision at = 0) {
    const auto listed = list_text(context, backend, KeyRange::prefix("/"), {0, at, false});
    INFO((listed.ok() ? "" : listed.error().message()));
    REQUIRE(listed.ok());
    return *listed;
  }
  // Waits for a condition that the backend brings about by itself.
  template <class Condition>
  bool eventually(Condition condition) {
    while (!condition()) {
      if (!context.sleep(std::chrono::milliseconds(5)).ok()) return false;
    }
    return true;
  }
};

// What a kine of 2026 sends, statement by statement.
constexpr const char* kKineSchema[] = {
    "PRAGMA journal_mode = WAL",
    "CREATE TABLE IF NOT EXISTS kine (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, created INTEGER, deleted "
    "INTEGER, create_revision INTEGER, prev_revision INTEGER, lease INTEGER, value BLOB, old_value BLOB)",
    "CREATE INDEX IF NOT EXISTS kine_name_index ON kine (name)",
    "CREATE INDEX IF NOT EXISTS kine_name_id_index ON kine (name,id)",
    "CREATE INDEX IF NOT EXISTS kine_id_deleted_index ON kine (id,deleted)",
    "CREATE INDEX IF NOT EXISTS kine_prev_revision_index ON kine (prev_revision)",
    "CREATE UNIQUE INDEX IF NOT EXISTS kine_name_prev_revision_uindex ON kine (name, prev_revision)",
    "CREATE INDEX IF NOT EXISTS kine_id_compact_rev_key_with_prev_revision_index ON kine(id, name, prev_revision) "
    "WHERE name != 'compact_rev_key' AND prev_revision != 0",
};
constexpr const char* kIndexNames =
    "SELECT group_concat(name, ', ') FROM (SELECT name FROM sqlite_schema WHERE type = 'index' ORDER BY name)";
constexpr const char* kKineList =
    "SELECT group_concat(name || '=' || value || '@' || id, ' ') FROM (SELECT kine.id, name, value FROM kine INNER "
    "JOIN (SELECT MAX(id) AS id FROM kine WHERE name >= '/' AND name < '0' GROUP BY name) AS mkv USING (id) WHERE "
    "(deleted = 0 OR 0) ORDER BY name ASC)";
constexpr const char* kKineCompact =
    "DELETE FROM kine AS kv WHERE kv.id IN (SELECT kp.prev_revision AS id FROM kine AS kp WHERE kp.name != "
    "'compact_rev_key' AND kp.prev_revision != 0 AND kp.id <= 6 UNION SELECT kd.id AS id FROM kine AS kd WHERE "
    "kd.deleted != 0 AND kd.id <= 6)";

void run(SqliteConnection& connection, const std::string& statement) {
  const auto done = connection.execute(statement.c_str());
  INFO((done.ok() ? "" : done.error().message()));
  REQUIRE(done.ok());
}

void kine_insert(SqliteConnection& connection, const std::string& name, int created, int deleted, int create_revision,
                 int prev_revision, int lease, const std::string& value) {
  run(connection,
      "INSERT INTO kine(name, created, deleted, create_revision, prev_revision, lease, value, old_value) SELECT '" +
          name + "', " + std::to_string(created) + ", " + std::to_string(deleted) + ", " +
          std::to_string(create_revision) + ", " + std::to_string(prev_revision) + ", " + std::to_string(lease) + ", " +
          (deleted != 0 ? "NULL" : "CAST('" + value + "' AS BLOB)") +
          ", (SELECT value FROM kine WHERE id = " + std::to_string(prev_revision) + ") AS old_value");
}

}  // namespace

TEST_CASE("sqlite backend conforms", "[store]") {
  for (const auto& one : conformance::cases()) {
    Fixture fixture;
    int made = 0;
    const auto result = one.run({*fixture.executor, [&](std::size_t history_rows) {
                                   SqliteOptions options = fixture.options();
                                   options.path = fixture.folder.file(std::to_string(++made) + ".db");
                                   options.ring_rows = history_rows;
                                   return fixture.open(options);
                                 }});
    INFO(one.name);
    INFO((result.ok() ? "" : result.error().message()));
    CHECK(result.ok());
  }
}

// Nothing is kept in memory: every value comes from the table.
TEST_CASE("sqlite backend conforms without values in memory", "[store]") {
  for (const auto& one : conformance::cases()) {
    if (one.slow) continue;
    Fixture fixture;
    const auto result = one.run({*fixture.executor, [&](std::size_t history_rows) {
                                   SqliteOptions options = fixture.options();
                                   options.ring_rows = history_rows;
                                   options.values_total_bytes = 0;
                                   return fixture.open(options);
                                 }});
    INFO(one.name);
    INFO((result.ok() ? "" : result.error().message()));
    CHECK(result.ok());
  }
}

TEST_CASE("sqlite backend comes back as it was", "[store]") {
  Fixture fixture;
  auto backend = fixture.open();
  const Revision start = backend->current_revision();
  CHECK(start == 1);
  const Revision a = must_create(fixture.context, *backend, "/a", "1").value();
  const Revision b = must_create(fixture.context, *backend, "/b", "1", std::chrono::seconds(3600)).value();
  must_update(fixture.context, *backend, "/a", "2", a).value();
  const Revision last = must_remove(fixture.context, *backend, "/b").value();
  const std::string now = fixture.list(*backend);
  const std::string past = fixture.list(*backend, b);
  backend.reset();
  CHECK_FALSE(std::filesystem::exists(fixture.options().path + "-wal"));

  backend = fixture.open();
  CHECK(backend->current_revision() == last);
  CHECK(fixture.list(*backend) == now);
  CHECK(fixture.list(*backend, b) == past);
  conformance::Reader reader(*fixture.executor, backend->watch(fixture.context, KeyRange::prefix("/"), a).value());
  REQUIRE(reader.wait_for(fixture.context, 3).ok());
  CHECK(reader.events()[0]->entry.lease == std::chrono::seconds(3600));
  CHECK(text(reader.events()[1]->previous) == "1");
  CHECK(reader.events()[2]->type == Event::Type::Delete);
  CHECK(text(reader.events()[2]->entry.value) == "1");
  CHECK(must_create(fixture.context, *backend, "/b", "3").value() == last + 1);
}

TEST_CASE("a lease counts anew from a restart", "[store]") {
  Fixture fixture;
  auto backend = fixture.open();
  must_create(fixture.context, *backend, "/a", "1", std::chrono::seconds(1)).value();
  backend.reset();
  backend = fixture.open();
  CHECK(fixture.list(*backend) == "/a=1@2");
  CHECK(fixture.eventually([&] { return fixture.list(*backend).empty(); }));
}

TEST_CASE("files are private and have one owner", "[store]") {
  Fixture fixture;
  const auto backend = fixture.open();
  must_create(fixture.context, *backend, "/a", "1").value();
  for (const char* suffix : {"", "-wal", "-shm"}) {
    struct stat found {};
    REQUIRE(stat((fixture.options().path + suffix).c_str(), &found) == 0);
    CHECK((found.st_mode & 0777U) == 0600U);
  }
  const auto second = make_sqlite_backend(fixture.options(), *fixture.executor, fixture.log);
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().reason() == Reason::Unavailable);
  CHECK_THAT(second.error().message(), Catch::Contains("in use by another server"));
}

TEST_CASE("a file that kine made opens in place and goes back", "[store]") {
  Fixture fixture;
  std::filesystem::create_directories(fixture.folder.file("db"));
  {
    auto kine = fixture.sql();
    for (const char* statement : kKineSchema) run(kine, statement);
    kine_insert(kine, "compact_rev_key", 1, 0, 0, 0, 0, "");                        // 1
    kine_insert(kine, "/registry/health", 1, 0, 0, 0, 0, "{\"health\":\"true\"}");  // 2
    kine_insert(kine, "/registry/a", 1, 0, 0, 0, 0, "a1");                          // 3
    kine_insert(kine, "/registry/a", 0, 0, 3, 3, 0, "a2");                          // 4
    kine_insert(kine, "/registry/b", 1, 0, 0, 0, 0, "b1");                          // 5
    kine_insert(kine, "/registry/b", 0, 1, 0, 5, 0, "");                            // 6
    run(kine, kKineCompact);
    run(kine, "UPDATE kine SET prev_revision = 6 WHERE name = 'compact_rev_key'");
    kine_insert(kine, "/registry/a", 0, 0, 3, 4, 0, "a3");  // 7
    run(kine,
        "INSERT INTO kine(id, name, created, deleted, create_revision, prev_revision, lease, value, old_value) "
        "VALUES(8, 'gap-8', 0, 1, 0, 0, 0, NULL, NULL)");
    kine_insert(kine, "/registry/b", 1, 0, 0, 0, 0, "b2");     // 9
    kine_insert(kine, "/registry/b", 0, 1, 0, 9, 0, "");       // 10
    kine_insert(kine, "/registry/e", 1, 0, 0, 0, 3600, "e1");  // 11
  }
  auto backend = fixture.open();
  CHECK(backend->current_revision() == 11);
  CHECK(backend->compacted_revision() == 6);
  CHECK(fixture.list(*backend) == "/registry/a=a3@7 /registry/e=e1@11 /registry/health={\"health\":\"true\"}@2");
  CHECK(fixture.list(*backend, 9) == "/registry/a=a3@7 /registry/b=b2@9 /registry/health={\"health\":\"true\"}@2");
  CHECK(backend->get(fixture.context, "/registry/a").value().entry->create_revision == 3);
  CHECK_FALSE(backend->list(fixture.context, KeyRange::prefix("/"), {0, 5, false}).ok());
  conformance::Reader reader(*fixture.executor, backend->watch(fixture.context, KeyRange::prefix("/"), 6).value());
  REQUIRE(reader.wait_for(fixture.context, 4).ok());
  CHECK(reader.events().size() == 4);
  CHECK(text(reader.events()[0]->previous) == "a2");
  CHECK(text(reader.events()[2]->previous) == "b2");

  const Revision created = must_create(fixture.context, *backend, "/registry/b", "b3").value();
  CHECK(created == 12);
  must_update(fixture.context, *backend, "/registry/a", "a4", 7).value();
  must_remove(fixture.context, *backend, "/registry/e").value();
  backend.reset();

  CHECK(fixture.query(kKineList) == "/registry/a=a4@13 /registry/b=b3@12 /registry/health={\"health\":\"true\"}@2");
  const auto row = [&](int id) {
    return fixture.query(
        "SELECT created || ' ' || deleted || ' ' || create_revision || ' ' || prev_revision || ' ' "
        "|| lease || ' ' || coalesce(value, 'NULL') || ' ' || coalesce(old_value, 'NULL') || ' ' || "
        "typeof(value) FROM kine WHERE id = " +
        std::to_string(id));
  };
  CHECK(row(12) == "1 0 0 10 0 b3 NULL blob");
  CHECK(row(13) == "0 0 3 7 0 a4 a3 blob");
  CHECK(row(14) == "0 1 0 11 0 NULL e1 null");
  CHECK(fixture.query("PRAGMA integrity_check") == "ok");
  CHECK(fixture.query(kIndexNames) == "kine_name_id_index");

  auto kine = fixture.sql();
  for (const char* statement : kKineSchema) run(kine, statement);
  CHECK(kine.query(kIndexNames).value() ==
        "kine_id_compact_rev_key_with_prev_revision_index, kine_id_deleted_index, kine_name_id_index, "
        "kine_name_index, kine_name_prev_revision_uindex, kine_prev_revision_index");
  CHECK(kine.query("PRAGMA integrity_check").value() == "ok");
}

TEST_CASE("a new file has kine's table", "[store]") {
  Fixture fixture;
  fixture.open().reset();
  const char* kTable = "SELECT sql FROM sqlite_schema WHERE name = 'kine'";
  const std::string ours = fixture.query(kTable);
  CHECK(fixture.query("SELECT id || name || created || deleted || create_revision || prev_revision || lease || "
                      "typeof(value) || length(value) || typeof(old_value) FROM kine") ==
        "1compact_rev_key10000blob0null");
  std::filesystem::remove(fixture.options().path);
  auto kine = fixture.sql();
  for (const char* statement : kKineSchema) run(kine, statement);
  CHECK(kine.query(kTable).value() == ours);
  CHECK(kine.query("PRAGMA journal_mode").value() == "wal");
}

TEST_CASE("doubled compaction marks are repaired", "[store]") {
  Fixture fixture;
  fixture.open().reset();
  {
    auto kine = fixture.sql();
    kine_insert(kine, "/a", 1, 0, 0, 0, 0, "1");
    kine_insert(kine, "/a", 0, 0, 2, 2, 0, "2");
    kine_insert(kine, "compact_rev_key", 1, 0, 0, 2, 0, "");
  }
  const auto backend = fixture.open();
  CHECK(backend->compacted_revision() == 2);
  CHECK(backend->current_revision() == 4);
  CHECK(fixture.query("SELECT count(*) FROM kine WHERE name = 'compact_rev_key'") == "1");
}

TEST_CASE("compaction removes rows in steps and keeps the revision", "[store]") {
  Fixture fixture;
  auto backend = fixture.open();
  Revision revision = must_create(fixture.context, *backend, "/a", "0").value();
  for (int round = 1; round < 1500; ++round) {
    revision = must_update(fixture.context, *backend, "/a", std::to_string(round), revision).value();
  }
  must_create(fixture.context, *backend, "/b", "1").value();
  const Revision last = must_remove(fixture.context, *backend, "/b").value();
  REQUIRE(backend->compact(fixture.context, last).ok());
  // The mark, the live row, and the newest row, which holds the revision.
  CHECK(fixture.eventually(
      [&] { return fixture.query("SELECT count(*) FROM kine WHERE id < " + std::to_string(last - 1)) == "2"; }));
  CHECK(fixture.eventually([&] {
    return fixture.query("SELECT prev_revision FROM kine WHERE name = 'compact_rev_key'") == std::to_string(last - 1);
  }));
  backend.reset();
  backend = fixture.open();
  CHECK(backend->current_revision() == last);
  CHECK(fixture.list(*backend) == "/a=1499@" + std::to_string(revision));
  CHECK(must_create(fixture.context, *backend, "/b", "2").value() == last + 1);
}

TEST_CASE("history goes by age and by rows", "[store]") {
  Fixture fixture;
  SqliteOptions options = fixture.options();
  SECTION("age") {
    options.history_age = std::chrono::milliseconds(50);
  }
  SECTION("rows") {
    options.history_rows = 20;
  }
  const auto backend = fixture.open(options);
  Revision revision = must_create(fixture.context, *backend, "/a", "0").value();
  for (int round = 1; round < 40; ++round) {
    revision = must_update(fixture.context, *backend, "/a", std::to_string(round), revision).value();
  }
  CHECK(fixture.eventually(
      [&] { return fixture.query("SELECT count(*) < 25 FROM kine") == "1" && backend->compacted_revision() > 1; }));
  CHECK(fixture.list(*backend) == "/a=39@" + std::to_string(revision));
}

TEST_CASE("a full disk is an error and passes", "[store]") {
  Fixture fixture;
  SqliteOptions options = fixture.options();
  options.max_bytes = 1 << 20U;
  auto backend = fixture.open(options);
  std::optional<Error> full;
  int written = 0;
  for (; written < 100 && !full; ++written) {
    const auto outcome = backend->create(fixture.context, "/" + std::to_string(written),
                                         std::make_shared<const std::string>(40'000, 'x'));
    if (!outcome.ok()) full = outcome.error();
  }
  REQUIRE(full);
  CHECK(full->reason() == Reason::Unavailable);
  CHECK_THAT(full->message(), Catch::Contains("full"));
  CHECK(backend->count(fixture.context, KeyRange::prefix("/")).value() == static_cast<std::size_t>(written - 1));
  CHECK(backend->current_revision() == written);
  backend.reset();
  backend = fixture.open();
  CHECK(must_create(fixture.context, *backend, "/more", "1").value() == written + 1);
}

TEST_CASE("a damaged file is reported", "[store]") {
  Fixture fixture;
  std::filesystem::create_directories(fixture.folder.file("db"));
  SECTION("no database at all") {
    std::ofstream(fixture.options().path) << std::string(10'000, 'x');
  }
  SECTION("pages overwritten") {
    {
      auto backend = fixture.open();
      for (int number = 0; number < 500; ++number) {
        must_create(fixture.context, *backend, "/" + std::to_string(number), std::string(300, 'v')).value();
      }
    }
    std::fstream file(fixture.options().path, std::ios::in | std::ios::out | std::ios::binary);
    for (int page = 8; page < 60; ++page) {
      file.seekp(page * 4096);
      file << std::string(4096, '\xee');
    }
  }
  const auto opened = make_sqlite_backend(fixture.options(), *fixture.executor, fixture.log);
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().reason() == Reason::Corrupt);
  CHECK_THAT(opened.error().message(), Catch::Contains(fixture.options().path));
}

TEST_CASE("readers do not starve the writer", "[store]") {
  Fixture fixture;
  const auto backend = fixture.open();
  for (int number = 0; number < 500; ++number) {
    must_create(fixture.context, *backend, "/list/" + std::to_string(number), "1").value();
  }
  std::atomic<bool> stop = false;
  std::vector<std::function<Result<void>()>> tasks;
  for (int reader = 0; reader < 8; ++reader) {
    tasks.emplace_back([&]() -> Result<void> {
      while (!stop) TRY(backend->list(fixture.context, KeyRange::prefix("/list/")));
      return {};
    });
  }
  tasks.emplace_back([&]() -> Result<void> {
    Result<void> written;
    for (int number = 0; number < 20 && written.ok(); ++number) {
      const auto one = must_create(fixture.context, *backend, "/new/" + std::to_string(number), "1");
      if (!one.ok()) written = one.error();
    }
    stop = true;
    return written;
  });
  CHECK(conformance::run_together(fixture.context, std::move(tasks)).ok());
}

TEST_CASE("a write that was given up did not happen", "[store]") {
  Fixture fixture;
  const auto backend = fixture.open();
  for (int number = 0; number < 200; ++number) {
    const std::string key = "/given-up/" + std::to_string(number);
    std::stop_source stop;
    const auto impatience =
        fixture.executor->call_after(std::chrono::microseconds(number * 3), [stop]() mutable { stop.request_stop(); });
    const auto written = backend->create(fixture.context.with_stop(stop.get_token()), key, bytes("1"));
    must_create(fixture.context, *backend, "/after/" + std::to_string(number), "1").value();
    INFO(key << (written.ok() ? "" : " " + written.error().message()));
    CHECK(backend->get(fixture.context, key)->entry.has_value() == written.ok());
  }
}

TEST_CASE("a second writer is noticed", "[store]") {
  Fixture fixture;
  const auto backend = fixture.open();
  must_create(fixture.context, *backend, "/a", "1").value();
  {
    auto kine = fixture.sql();
    kine_insert(kine, "/b", 1, 0, 0, 0, 0, "1");
  }
  const auto outcome = backend->create(fixture.context, "/c", bytes("1"));
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error().reason() == Reason::Corrupt);
}

}  // namespace coracle::store
