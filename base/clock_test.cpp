#include "base/clock.h"

#include <catch2/catch.hpp>

#include "base/random.h"

namespace coracle {
namespace {

WallTime at(std::int64_t seconds, std::int64_t nanoseconds = 0) {
  return WallTime(std::chrono::seconds(seconds) + Duration(nanoseconds));
}

Duration duration_of(std::string_view text) {
  const Result<Duration> duration = parse_duration(text);
  INFO(text);
  REQUIRE(duration.ok());
  return *duration;
}

TEST_CASE("times print as metav1 does") {
  CHECK(format_time(at(0)) == "1970-01-01T00:00:00Z");
  CHECK(format_time(at(1767366245, 999'999'999)) == "2026-01-02T15:04:05Z");
  CHECK(format_time(at(-1)) == "1969-12-31T23:59:59Z");
  CHECK(format_time(at(951827696)) == "2000-02-29T12:34:56Z");
  CHECK(format_micro_time(at(1767366245, 1'234'567)) == "2026-01-02T15:04:05.001234Z");
}

TEST_CASE("times are read with any offset and fraction") {
  CHECK(*parse_time("2026-01-02T15:04:05Z") == at(1767366245));
  CHECK(*parse_time("2026-01-02T17:34:05+02:30") == at(1767366245));
  CHECK(*parse_time("2026-01-02T14:04:05.5-01:00") == at(1767366245, 500'000'000));
  CHECK(*parse_time("2026-01-02T15:04:05.1234567891Z") == at(1767366245, 123'456'789));
  CHECK(*parse_time("2024-02-29T00:00:00Z") == at(1709164800));
  CHECK(format_time(*parse_time("0001-01-01T00:00:00Z")) == "1677-09-21T00:12:45Z");
  CHECK(format_time(*parse_time("9999-12-31T23:59:59Z")) == "2262-04-11T23:47:15Z");
  CHECK(parse_instant("9999-12-31T23:59:59.5+00:00")->seconds == 253402300799);
  CHECK(parse_instant("9999-12-31T23:59:59.5+00:00")->nanos == 500'000'000);
  CHECK(parse_instant("0001-01-01T00:00:00Z")->seconds == -62135596800);
  for (const char* text : {"", "2026-01-02", "2026-01-02 15:04:05Z", "2026-13-02T15:04:05Z", "2026-02-30T15:04:05Z",
                           "2026-01-02T24:04:05Z", "2026-01-02T15:04:05", "2026-01-02T15:04:05.Z",
                           "2026-01-02T15:04:05+0200", "2026-01-02T15:04:05Zx"}) {
    const Result<WallTime> time = parse_time(text);
    INFO(text);
    REQUIRE_FALSE(time.ok());
    CHECK(time.error().message().find(text) != std::string::npos);
  }
}

TEST_CASE("durations print and read as Go's") {
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  CHECK(format_duration(Duration(0)) == "0s");
  CHECK(format_duration(Duration(1)) == "1ns");
  CHECK(format_duration(Duration(1500)) == "1.5\u00b5s");
  CHECK(format_duration(milliseconds(300)) == "300ms");
  CHECK(format_duration(seconds(3723) + milliseconds(500)) == "1h2m3.5s");
  CHECK(format_duration(seconds(3600)) == "1h0m0s");
  CHECK(format_duration(-seconds(90)) == "-1m30s");
  CHECK(format_duration(Duration::min()) == "-2562047h47m16.854775808s");

  CHECK(duration_of("0") == Duration(0));
  CHECK(duration_of("1h2m3.5s") == seconds(3723) + milliseconds(500));
  CHECK(duration_of("-1.5h") == -seconds(5400));
  CHECK(duration_of("+.5s") == milliseconds(500));
  CHECK(duration_of("1us1\u00b5s1\u03bcs") == Duration(3000));
  CHECK(duration_of("0.3333333333333333333h") == seconds(1200) - Duration(0));
  CHECK(duration_of("-2562047h47m16.854775808s") == Duration::min());
  for (const char* text : {"", "3", "-", "s", ".s", "1x", "1h 2m", "2562048h", "9223372036854775808ns", "--1s"}) {
    INFO(text);
    CHECK_FALSE(parse_duration(text).ok());
  }
}

TEST_CASE("random texts have their form") {
  const auto random = seeded_random(1);
  const std::string uuid = random->uuid();
  REQUIRE(uuid.size() == 36);
  CHECK(uuid[14] == '4');
  CHECK(std::string_view("89ab").find(uuid[19]) != std::string_view::npos);
  CHECK(random->suffix(5).find_first_not_of("bcdfghjklmnpqrstvwxz2456789") == std::string::npos);
  CHECK(random->hex(16).size() == 32);
  CHECK(seeded_random(7)->next() == seeded_random(7)->next());
  CHECK(seeded_random(7)->next() != seeded_random(8)->next());
  CHECK(system_random()->uuid() != system_random()->uuid());
}

TEST_CASE("random numbers stay in range and reach every value") {
  const auto random = seeded_random(3);
  std::array<int, 6> seen{};
  for (int i = 0; i < 600; ++i) {
    ++seen.at(random->below(6));
    const double fraction = random->fraction();
    REQUIRE(fraction >= 0);
    REQUIRE(fraction < 1);
  }
  for (const int count : seen) CHECK(count > 50);
}

}  // namespace
}  // namespace coracle
