#pragma once

#include <map>
#include <string>
#include <vector>

#include "charts/chart.h"
#include "charts/render.h"
#include "charts/template/go_value.h"

namespace coracle::charts {

// A template of the chart tree and what it is executed with. Templates of one chart share their
// context: what one of them sets, the later ones see.
struct Renderable {
  const ChartFile* file;
  GoValue context;
  std::string base_path;  // "chart/templates"
};

// All templates of a chart and its sub-charts by their full names.
std::map<std::string, Renderable> collect_templates(const Chart& chart, const Value& values,
                                                    const ReleaseIdentity& release, const Capabilities& capabilities);

// The order in which templates are parsed and executed: deepest path first, then names backwards.
std::vector<std::string> execution_order(const std::map<std::string, Renderable>& templates);

}  // namespace coracle::charts
