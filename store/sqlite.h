#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/executor.h"
#include "base/log.h"
#include "store/backend.h"

namespace coracle::store {

struct SqliteOptions {
  std::string path;  // k3s: /var/lib/rancher/k3s/server/db/state.db
  // The file may grow to that size, then writes fail as on a full disk. 0: as far as the disk goes.
  std::int64_t max_bytes = 0;

  // History for reads at a revision and for watches that start late: that long, but not more rows.
  Duration history_age = std::chrono::minutes(5);
  std::int64_t history_rows = 50'000;

  // Events in memory, from which watches are served.
  std::size_t ring_rows = 16'384;
  std::size_t ring_bytes = std::size_t{12} << 20U;

  // Values of current entries in memory. A larger value, or one beyond the total, is read from the
  // table each time.
  std::size_t value_bytes = std::size_t{64} << 10U;
  std::size_t values_total_bytes = std::size_t{32} << 20U;
};

// A backend over kine's table in one SQLite file: the file of a k3s server opens in place, and kine
// opens the file again afterwards. Creates what is missing: folders 0700, the file 0600. Unavailable
// when another process has the file open for writing, Corrupt when it is damaged. The executor must
// outlive the backend, which occupies one thread of its Blocking lane.
Result<std::unique_ptr<Backend>> make_sqlite_backend(const SqliteOptions& options, Executor& executor,
                                                     const Logger& log);

}  // namespace coracle::store
