#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "charts/render.h"

namespace coracle::charts {

// The documents of a rendered file: split at lines that begin with "---", blank ones dropped.
std::vector<std::string> split_manifests(std::string_view text);

// Sorts rendered files into manifests and hooks. Partials (names beginning with '_') are skipped.
Result<void> sort_manifests(const std::map<std::string, std::string>& files, Rendering& rendering);

}  // namespace coracle::charts
