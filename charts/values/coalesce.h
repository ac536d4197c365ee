#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "charts/chart.h"

namespace coracle::charts {

// Coalesce: a null in the higher layer deletes what a lower one has. Merge: it stays, because a
// later pass will need it.
enum class Layering { Coalesce, Merge };

using Warnings = std::vector<std::string>;

inline void add_warning(Warnings* warnings, std::string text) {
  if (warnings != nullptr) warnings->push_back(std::move(text));
}

// `over` laid on `base`; maps merge, everything else is replaced.
Value layer_tables(const Value& over, const Value& base, const std::string& prefix, Layering layering,
                   Warnings* warnings);
// `over` on the chart's defaults, for the chart and its sub-charts.
Result<Value> layer_chart(const Chart& chart, const Value& over, const std::string& prefix, Layering layering,
                          Warnings* warnings);

}  // namespace coracle::charts
