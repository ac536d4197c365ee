#include "store/memory.h"

#include <catch2/catch.hpp>

#include "base/sim_executor.h"
#include "store/conformance/conformance.h"

namespace coracle::store {
namespace {

std::unique_ptr<Backend> make_small_memory(Executor& executor, std::size_t history_rows) {
  MemoryOptions options;
  options.history_rows = history_rows;
  return make_memory_backend(executor, options);
}

void check_case(const conformance::Case& one, Executor& executor) {
  const auto result =
      one.run({executor, [&](std::size_t history_rows) { return make_small_memory(executor, history_rows); }});
  INFO(one.name);
  INFO((result.ok() ? "" : result.error().message()));
  CHECK(result.ok());
}

}  // namespace

TEST_CASE("memory backend conforms on threads", "[store]") {
  ThreadLimits limits;
  limits.blocking = 24;
  const auto executor = make_thread_executor(limits);
  for (const auto& one : conformance::cases()) {
    if (!one.slow) check_case(one, *executor);
  }
}

TEST_CASE("memory backend conforms in a simulation", "[store]") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    for (const auto& one : conformance::cases()) {
      const auto executor = SimExecutor::make(seed, WallTime(std::chrono::hours(24 * 365 * 56)));
      executor->run([&] { check_case(one, *executor); });
    }
  }
}

}  // namespace coracle::store
