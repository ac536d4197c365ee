#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "charts/chart.h"

namespace coracle::charts {

// What a chart and all the archives inside it may unpack to together.
struct UnpackBudget {
  std::size_t bytes = kMaxChartSize;
  std::size_t files = kMaxChartFiles;
};

// The regular files of a gzipped tar, named as the archive names them. Takes them off the budget.
Result<std::vector<ChartFile>> read_archive(std::string_view tgz, UnpackBudget& budget);

}  // namespace coracle::charts
