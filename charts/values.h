#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/value.h"

namespace coracle {
class Context;
}

namespace coracle::charts {

struct Chart;

// Numbers in chart values: Helm reads files through JSON, where every number is a float64, while
// --set makes integers; templates can tell them apart. In a values tree Value's Double stands for the
// first and Int for the second. Whatever was read from YAML or JSON goes through numbers_as_read.
Value numbers_as_read(const Value& value);

// A values file: every document, merged. BadRequest when one is no map.
Result<Value> read_values(std::string_view yaml);

// Lays `over` on `base`: maps merge, everything else is replaced; null in `over` stays, because it
// may delete a chart's default later.
Value merge_values(const Value& base, const Value& over);

// Lays `text` in the grammar of --set ("a.b=1,c[0]=x,d={x,y},e=null") on `base`. With `as_string`
// (--set-string) nothing is typed.
Result<Value> set_values(const Value& base, std::string_view text, bool as_string = false);

// The values that a chart's templates see: `overrides` on the chart's defaults, for the chart and
// all its sub-charts, globals handed down, nulls deleting defaults. Dependencies must have been
// processed (process_dependencies). Appends what Helm would warn about.
Result<Value> coalesce_values(const Chart& chart, const Value& overrides, std::vector<std::string>* warnings = nullptr);

// Drops the sub-charts that conditions and tags disable, renames aliases, and lays import-values
// under the chart's own. Answers the chart as it will be rendered.
Result<Chart> process_dependencies(const Chart& chart, const Value& overrides,
                                   std::vector<std::string>* warnings = nullptr);

// Checks values against the values.schema.json of the chart and of its sub-charts. Invalid names every
// violation in its causes. The work is bounded, and ends when the context does.
Result<void> validate_values(const Chart& chart, const Value& values, std::vector<std::string>* warnings = nullptr,
                             const Context* context = nullptr);

// A scalar as Helm reads it into a string, whatever YAML made of it: "true", "1.1"; "" for null.
std::string scalar_text(const Value& value);

}  // namespace coracle::charts
