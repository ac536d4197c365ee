#pragma once

#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "charts/render.h"
#include "charts/template/evaluator.h"
#include "charts/template/parser.h"
#include "charts/template/scope.h"
#include "charts/values.h"

namespace coracle::charts::testing {

// The second of January 2026, always.
class FixedClock final : public Clock {
 public:
  WallTime wall() const override { return WallTime(std::chrono::seconds(1767323045)); }
  MonotonicTime monotonic() const override { return {}; }
};

// Executes one template over {"Values": <yaml>}, with what Helm does to its output.
inline Result<std::string> render_text(const std::string& source, const std::string& values_yaml,
                                       const TemplateEnvironment& environment) {
  ASSIGN_OR_RETURN(const Value values, read_values(values_yaml));
  ASSIGN_OR_RETURN(auto file, parse_template("test", source));
  TemplateScope scope;
  scope.add(std::move(file));
  Evaluator evaluator(scope, environment);
  ASSIGN_OR_RETURN(std::string text,
                   evaluator.execute(*scope.find("test"), GoValue::from_value(Value::object({{"Values", values}}))));
  remove_no_value(text);
  return text;
}

inline Result<std::string> render_text(const std::string& source, const std::string& values_yaml) {
  const FixedClock clock;
  const auto random = seeded_random(1);
  return render_text(source, values_yaml, {.clock = clock, .random = *random});
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
