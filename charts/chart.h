#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/value.h"

namespace coracle::charts {

// Limits of a packed or unpacked chart, those of Helm where it has them.
inline constexpr std::size_t kMaxChartSize = 100 * 1024 * 1024;
inline constexpr std::size_t kMaxChartFileSize = 5 * 1024 * 1024;
inline constexpr std::size_t kMaxChartFiles = 20'000;

struct ChartFile {
  std::string name;  // below the chart's folder, with '/'
  std::string data;
};

// A loaded chart with its sub-charts. Helm's documents on chart files define the parts.
struct Chart {
  Value metadata;                     // Chart.yaml, with apiVersion filled in
  Value lock;                         // Chart.lock, or null
  Value values = Value::object();     // values.yaml; numbers as charts/values.h says
  std::optional<std::string> schema;  // values.schema.json
  std::vector<ChartFile> templates;   // everything below templates/
  std::vector<ChartFile> files;       // the rest, crds/ included
  std::vector<std::shared_ptr<const Chart>> dependencies;

  std::string_view name() const { return metadata["name"].as_string(); }
  std::string_view version() const { return metadata["version"].as_string(); }
  bool is_library() const { return metadata["type"].as_string() == "library"; }
};

// A chart from the bytes of a .tgz. Absolute names, names that leave the folder and what exceeds the
// limits are refused; those are for all archives inside it together.
Result<Chart> load_archive(std::string_view tgz);

}  // namespace coracle::charts
