#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "charts/chart.h"

namespace coracle::charts {

// The regular files of a gzipped tar, named as the archive names them.
Result<std::vector<ChartFile>> read_archive(std::string_view tgz);

}  // namespace coracle::charts
