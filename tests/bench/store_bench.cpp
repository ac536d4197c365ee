// Durable writes and reads of the store in process, at several numbers of writers. One line per
// measurement; run by hand:
//   store_bench [--backend sqlite|memory] [--path FILE] [--writers 1,16,100,1000] [--rows N] [--value BYTES]

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/sync.h"
#include "store/memory.h"
#include "store/sqlite.h"

namespace coracle::store {
namespace {

struct Settings {
  std::string backend = "sqlite";
  std::string path = "store-bench.db";
  std::vector<unsigned> writers = {1, 16, 100, 1000};
  std::size_t rows = 30'000;
  std::size_t value = 1024;
};

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

long resident_megabytes() {
  std::ifstream file("/proc/self/statm");
  long total = 0;
  long resident = 0;
  file >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE) / (1 << 20);
}

// Runs `work` on so many tasks at once; the task's number is its argument. Returns the time taken.
Duration run_tasks(Executor& executor, Lane lane, unsigned tasks, const std::function<void(unsigned)>& work) {
  const Context context(executor);
  coracle::Event done(executor);
  std::atomic<unsigned> running = tasks;
  const MonotonicTime start = executor.clock().monotonic();
  for (unsigned task = 0; task < tasks; ++task) {
    executor.post(lane, [&, task] {
      work(task);
      if (--running == 0) done.set();
    });
  }
  done.wait(context).ignore("the context never ends");
  return executor.clock().monotonic() - start;
}

void report(const std::string& what, std::vector<Duration> latencies, Duration elapsed, std::size_t failed) {
  std::sort(latencies.begin(), latencies.end());
  const auto at = [&](double share) {
    if (latencies.empty()) return 0.0;
    const auto index = static_cast<std::size_t>(share * static_cast<double>(latencies.size() - 1));
    return seconds(latencies[index]) * 1000;
  };
  std::printf("%-28s %9.0f/s  p50 %8.3f ms  p99 %8.3f ms  max %8.3f ms  failed %zu  rss %ld MB\n", what.c_str(),
              static_cast<double>(latencies.size()) / seconds(elapsed), at(0.5), at(0.99), at(1.0), failed,
              resident_megabytes());
  std::fflush(stdout);
}

// Splits `rows` operations over the tasks and measures each.
void measure(Executor& executor, const std::string& what, unsigned tasks, std::size_t rows,
             const std::function<bool(unsigned, std::size_t)>& operation) {
  const std::size_t each = std::max<std::size_t>(1, rows / tasks);
  std::vector<std::vector<Duration>> latencies(tasks);
  std::atomic<std::size_t> failed = 0;
  const Duration elapsed = run_tasks(executor, Lane::Worker, tasks, [&](unsigned task) {
    latencies[task].reserve(each);
    for (std::size_t row = 0; row < each; ++row) {
      const MonotonicTime start = executor.clock().monotonic();
      if (!operation(task, row)) ++failed;
      latencies[task].push_back(executor.clock().monotonic() - start);
    }
  });
  std::vector<Duration> all;
  for (const auto& part : latencies) all.insert(all.end(), part.begin(), part.end());
  report(what + " x" + std::to_string(tasks), std::move(all), elapsed, failed);
}

bool written(const Result<WriteOutcome>& outcome) {
  return outcome.ok() && std::holds_alternative<Written>(*outcome);
}

void measure_writes(Executor& executor, Backend& backend, const Settings& settings) {
  const Context context(executor);
  for (const unsigned tasks : settings.writers) {
    const std::string folder = "/registry/configmaps/bench-" + std::to_string(tasks) + "/";
    const auto value = std::make_shared<const std::string>(settings.value, 'v');
    const auto key = [&](unsigned task, std::size_t row) {
      return folder + "object-" + std::to_string(row) + "-" + std::to_string(task);
    };
    const std::size_t rows = tasks == 1 ? settings.rows / 10 : settings.rows;
    measure(executor, "create", tasks, rows,
            [&](unsigned task, std::size_t row) { return written(backend.create(context, key(task, row), value)); });
    measure(executor, "update", tasks, rows, [&](unsigned task, std::size_t row) {
      const auto found = backend.get(context, key(task, row));
      return found.ok() && found->entry &&
             written(backend.update(context, key(task, row), value, found->entry->mod_revision));
    });
    measure(executor, "get", tasks, rows * 10, [&](unsigned task, std::size_t row) {
      const auto found = backend.get(context, key(task, row % (rows / tasks)));
      return found.ok() && found->entry.has_value();
    });
    measure(executor, "remove", tasks, rows,
            [&](unsigned task, std::size_t row) { return written(backend.remove(context, key(task, row), 0)); });
  }
}

void measure_lists(Executor& executor, Backend& backend, const Settings& settings) {
  constexpr std::size_t kObjects = 3000;
  const Context context(executor);
  const auto value = std::make_shared<const std::string>(settings.value, 'v');
  measure(executor, "create for list", 16, kObjects, [&](unsigned task, std::size_t row) {
    const std::string key = "/registry/list/" + std::to_string(row) + "-" + std::to_string(task);
    return written(backend.create(context, key, value));
  });
  const Revision past = backend.current_revision();
  const KeyRange range = KeyRange::prefix("/registry/list/");
  measure(executor, "list 3000 now", 2, 200, [&](unsigned, std::size_t) { return backend.list(context, range).ok(); });
  measure(executor, "touch", 16, kObjects, [&](unsigned task, std::size_t row) {
    const std::string key = "/registry/touch/" + std::to_string(row) + "-" + std::to_string(task);
    return written(backend.create(context, key, value));
  });
  measure(executor, "list 3000 at a revision", 2, 200, [&](unsigned, std::size_t) {
    return backend.list(context, range, {0, past, false}).ok();
  });
}

// Writers while others list without a pause: readers must not starve the writer.
void measure_mixed(Executor& executor, Backend& backend, const Settings& settings) {
  constexpr unsigned kReaders = 8;
  constexpr std::size_t kWrites = 2000;
  const Context context(executor);
  const auto value = std::make_shared<const std::string>(settings.value, 'v');
  const KeyRange range = KeyRange::prefix("/registry/list/");
  std::atomic<bool> stop = false;
  std::atomic<std::size_t> lists = 0;
  std::vector<Duration> latencies;
  // A lister never waits for anything, so that its worker would serve nothing else: each gets a thread.
  const Duration elapsed = run_tasks(executor, Lane::Blocking, kReaders + 1, [&](unsigned task) {
    if (task != 0) {
      while (!stop) {
        backend.list(context, range).ignore("only the load counts");
        ++lists;
      }
      return;
    }
    for (std::size_t row = 0; row < kWrites; ++row) {
      const MonotonicTime start = executor.clock().monotonic();
      backend.create(context, "/registry/mixed/" + std::to_string(row), value).ignore("only the time counts");
      latencies.push_back(executor.clock().monotonic() - start);
    }
    stop = true;
  });
  std::printf("beside the next line: %.0f lists/s\n", static_cast<double>(lists) / seconds(elapsed));
  report("create beside 8 listers", std::move(latencies), elapsed, 0);
}

void measure_start(Executor& executor, const Settings& settings) {
  SqliteOptions options;
  options.path = settings.path;
  const MonotonicTime start = executor.clock().monotonic();
  const auto backend = make_sqlite_backend(options, executor, Logger(null_log_sink(), "store"));
  const Duration opened = executor.clock().monotonic() - start;
  if (!backend.ok()) {
    std::printf("open failed: %s\n", backend.error().message().c_str());
    return;
  }
  const auto count = (*backend)->count(Context(executor), KeyRange::prefix(""));
  std::printf("open with %zu keys: %.1f ms\n", count.ok() ? *count : 0, seconds(opened) * 1000);
}

void remove_files(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm"}) unlink((path + suffix).c_str());
}

int run(const Settings& settings) {
  ThreadLimits limits;
  limits.worker = *std::max_element(settings.writers.begin(), settings.writers.end());
  limits.worker = std::max(limits.worker, 16U);
  const auto executor = make_thread_executor(limits);
  std::unique_ptr<Backend> backend;
  if (settings.backend == "memory") {
    backend = make_memory_backend(*executor);
  } else {
    remove_files(settings.path);
    measure_start(*executor, settings);
    SqliteOptions options;
    options.path = settings.path;
    auto made = make_sqlite_backend(options, *executor, Logger(make_log_sink(LogLevel::Info), "store"));
    if (!made.ok()) {
      std::printf("%s\n", made.error().message().c_str());
      return 1;
    }
    backend = std::move(made).value();
  }
  std::printf("rss at start %ld MB\n", resident_megabytes());
  measure_writes(*executor, *backend, settings);
  measure_lists(*executor, *backend, settings);
  measure_mixed(*executor, *backend, settings);
  backend.reset();
  if (settings.backend != "memory") {
    measure_start(*executor, settings);
    remove_files(settings.path);
  }
  return 0;
}

}  // namespace
}  // namespace coracle::store

int main(int count, char** arguments) {
  coracle::store::Settings settings;
  for (int index = 1; index + 1 < count; index += 2) {
    const std::string name = arguments[index];
    const std::string value = arguments[index + 1];
    if (name == "--backend") settings.backend = value;
    if (name == "--path") settings.path = value;
    if (name == "--rows") settings.rows = std::stoul(value);
    if (name == "--value") settings.value = std::stoul(value);
    if (name == "--writers") {
      settings.writers.clear();
      std::istringstream list(value);
      for (std::string part; std::getline(list, part, ',');) {
        settings.writers.push_back(static_cast<unsigned>(std::stoul(part)));
      }
    }
  }
  return coracle::store::run(settings);
}
