#include "daemon/idle_memory.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/sim_executor.h"
#include "base/text.h"

namespace coracle::daemon {
namespace {

std::int64_t resident_bytes() {
  const std::string text = read_file("/proc/self/statm", 4096).value();
  return parse_int(std::string(split(text, ' ')[1])).value() * sysconf(_SC_PAGESIZE);
}

}  // namespace

TEST_CASE("memory that was freed between pieces in use goes back") {
  constexpr std::size_t kPieces = 200'000;
  constexpr std::size_t kPiece = 400;
  std::vector<std::unique_ptr<std::string>> pieces;
  pieces.reserve(kPieces);
  for (std::size_t i = 0; i < kPieces; ++i) pieces.push_back(std::make_unique<std::string>(kPiece, 'x'));
  // The last ones stay, so that the allocator cannot give back what is below them by itself.
  for (std::size_t i = 0; i + 100 < kPieces; ++i) pieces[i].reset();
  // Other allocators (sanitizers') do not say.
  if (unused_memory() < kPieces * kPiece / 2) return;

  const std::int64_t before = resident_bytes();
  trim_memory();
  CHECK(before - resident_bytes() > static_cast<std::int64_t>(kPieces * kPiece / 2));
}

TEST_CASE("memory goes back once after each piece of work, and not during it") {
  const auto executor = SimExecutor::make(1, WallTime(std::chrono::seconds(1'700'000'000)));
  Duration used{};
  int trims = 0;
  executor->run([&] {
    const IdleMemory idle(
        *executor, [&] { return used; }, [&] { ++trims; });
    const auto pass = [&](Duration work) {
      for (int second = 0; second < 900; ++second) {
        used += work;
        Context(*executor).sleep(std::chrono::seconds(1)).ignore("only time has to pass");
      }
    };
    pass(std::chrono::milliseconds(500));
    CHECK(trims == 0);
    pass(Duration());
    CHECK(trims == 1);
    used += std::chrono::milliseconds(200);
    pass(Duration());
    CHECK(trims == 2);
  });
}

}  // namespace coracle::daemon
