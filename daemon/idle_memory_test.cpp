#include "daemon/idle_memory.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/sim_executor.h"
#include "base/text.h"

namespace coracle::daemon {
namespace {

std::int64_t resident_pages() {
  const std::string text = read_file("/proc/self/statm", 4096).value();
  return parse_int(std::string(split(text, ' ')[1])).value();
}

}  // namespace

TEST_CASE("memory that was freed between pieces in use goes back in a quiet time") {
  constexpr std::size_t kPieces = 200'000;
  constexpr std::size_t kPiece = 400;
  std::vector<std::unique_ptr<std::string>> pieces;
  pieces.reserve(kPieces);
  for (std::size_t i = 0; i < kPieces; ++i) pieces.push_back(std::make_unique<std::string>(kPiece, 'x'));
  // The last ones stay, so that the allocator cannot give back what is below them by itself.
  for (std::size_t i = 0; i + 100 < kPieces; ++i) pieces[i].reset();
  // Other allocators (sanitizers') do not say.
  if (unused_memory() < kPieces * kPiece / 2) return;

  const auto executor = SimExecutor::make(1, WallTime(std::chrono::seconds(1'700'000'000)));
  const std::int64_t before = resident_pages();
  std::int64_t after = 0;
  executor->run([&] {
    const IdleMemory idle(*executor);
    Context(*executor).sleep(std::chrono::minutes(1)).ignore("only time has to pass");
    after = resident_pages();
  });
  CHECK((before - after) * 4096 > static_cast<std::int64_t>(kPieces * kPiece / 2));
}

}  // namespace coracle::daemon
