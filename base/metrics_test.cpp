#include "base/metrics.h"

#include <array>
#include <catch2/catch.hpp>

namespace coracle {
namespace {

TEST_CASE("metrics are printed in Prometheus' text format") {
  MetricRegistry registry;
  registry.counter("requests_total", "Requests.\nAll of them.", {{"verb", "GET"}, {"code", "200"}}).add(3);
  registry.counter("requests_total", "", {{"verb", "GET"}, {"code", "200"}}).add();
  registry.counter("requests_total", "", {{"verb", "A\"\\\n"}, {"code", "1"}}).add();
  registry.gauge("depth", "Queue depth.").set(1.5);
  registry.gauge("depth", "").add(-0.5);
  const std::array bounds{0.1, 1.0, 10.0};
  Histogram& latency = registry.histogram("seconds", "Latency.", bounds, {{"path", "/"}});
  for (const double value : {0.05, 0.1, 0.5, 99.0}) latency.observe(value);
  CHECK(latency.count() == 4);
  CHECK(registry.print() ==
        "# HELP depth Queue depth.\n"
        "# TYPE depth gauge\n"
        "depth 1\n"
        "# HELP requests_total Requests.\\nAll of them.\n"
        "# TYPE requests_total counter\n"
        "requests_total{verb=\"A\\\"\\\\\\n\",code=\"1\"} 1\n"
        "requests_total{verb=\"GET\",code=\"200\"} 4\n"
        "# HELP seconds Latency.\n"
        "# TYPE seconds histogram\n"
        "seconds_bucket{path=\"/\",le=\"0.1\"} 2\n"
        "seconds_bucket{path=\"/\",le=\"1\"} 3\n"
        "seconds_bucket{path=\"/\",le=\"10\"} 3\n"
        "seconds_bucket{path=\"/\",le=\"+Inf\"} 4\n"
        "seconds_sum{path=\"/\"} 99.65\n"
        "seconds_count{path=\"/\"} 4\n");
}

TEST_CASE("a name cannot grow series without end") {
  MetricRegistry registry;
  for (std::size_t i = 0; i < MetricRegistry::kMaxSeriesPerName + 10; ++i) {
    registry.counter("many_total", "", {{"id", std::to_string(i)}}).add();
  }
  CHECK(registry.counter("many_total", "", {{"id", "one more"}}).value() == 10);
  CHECK(registry.counter("many_total", "", {{"id", "7"}}).value() == 1);
  CHECK(registry.print().find("many_total{id=\"other\"} 10\n") != std::string::npos);
}

}  // namespace
}  // namespace coracle
