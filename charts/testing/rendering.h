#pragma once

#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "charts/render.h"
#include "charts/values.h"

namespace coracle::charts::testing {

// The second of January 2026, always.
class FixedClock final : public Clock {
 public:
  WallTime wall() const override { return WallTime(std::chrono::seconds(1767323045)); }
  MonotonicTime monotonic() const override { return {}; }
};

// Executes one template over {"Values": <yaml>}, with what Helm does to its output.
inline Result<std::string> render_text(const std::string& source, const std::string& values_yaml) {
  const FixedClock clock;
  const auto random = seeded_random(1);
  ASSIGN_OR_RETURN(const Value values, read_values(values_yaml));
  TemplateSet set;
  TRY(set.add("test", source));
  ASSIGN_OR_RETURN(std::string text, set.execute("test", Value::object({{"Values", values}}), {clock, *random}));
  remove_no_value(text);
  return text;
}

inline Capabilities capabilities() {
  Capabilities result;
  result.kube_version = "v1.36.2";
  result.api_versions = {"v1", "apps/v1", "batch/v1", "networking.k8s.io/v1", "networking.k8s.io/v1/Ingress"};
  return result;
}

// Renders a chart as release "demo" in namespace "apps".
inline Result<Rendering> render_chart(const Chart& chart, const Value& values = Value::object()) {
  const FixedClock clock;
  const auto random = seeded_random(1);
  const Capabilities served = capabilities();
  return render({.chart = chart,
                 .values = values,
                 .release = {"demo", "apps", 1, false},
                 .capabilities = served,
                 .environment = {clock, *random}});
}

}  // namespace coracle::charts::testing
