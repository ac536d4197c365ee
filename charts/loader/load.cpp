#include <algorithm>
#include <map>

#include "base/go_text.h"
#include "base/text.h"
#include "base/yaml/yaml.h"
#include "charts/chart.h"
#include "charts/internal/archive.h"
#include "charts/semver.h"
#include "charts/values.h"

namespace coracle::charts {
namespace {

// Sub-charts of sub-charts.
constexpr int kMaxNestedCharts = 20;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

Result<Chart> load_nested(std::vector<ChartFile> files, int depth, UnpackBudget& budget);

Result<Value> read_map(const ChartFile& file) {
  auto tree = yaml::read(file.data, {.strict = false});
  if (!tree.ok()) return tree.error().in("cannot load " + file.name);
  if (!tree->is_object() && !tree->is_null()) {
    return bad_request("cannot load " + file.name + ": a map is expected, not " + std::string(json_kind_name(*tree)));
  }
  return tree;
}

// Chart.yaml's strings may be written as numbers or bools ("appVersion: 1.10"); they are texts all
// the same, and Helm could not read a release record that has them otherwise.
Value texts_in(const Value& value) {
  if (value.is_array()) {
    Value::ArrayBuilder items;
    for (const Value& item : value.items()) items.add(texts_in(item));
    return std::move(items).build();
  }
  if (value.is_object()) {
    Value::ObjectBuilder members;
    for (const auto& [key, member] : value.members()) members.set(key, texts_in(member));
    return std::move(members).build();
  }
  return value.is_null() ? value : Value(scalar_text(value));
}

Value tidy_dependencies(const Value& dependencies) {
  Value::ArrayBuilder items;
  for (const Value& dependency : dependencies.items()) {
    Value::ObjectBuilder members;
    for (const auto& [key, member] : dependency.members()) {
      members.set(key, key == "enabled" ? member : texts_in(member));
    }
    if (dependency.is_object()) items.add(std::move(members).build());
  }
  return std::move(items).build();
}

Value tidy_metadata(const Value& metadata) {
  Value::ObjectBuilder tidy;
  for (const auto& [key, value] : metadata.members()) {
    if (key == "dependencies") {
      tidy.set(key, tidy_dependencies(value));
    } else {
      tidy.set(key, key == "deprecated" ? value : texts_in(value));
    }
  }
  const Value* api_version = tidy.find("apiVersion");
  if (api_version == nullptr || api_version->as_string().empty()) tidy.set("apiVersion", "v1");
  return std::move(tidy).build();
}

Result<void> validate_metadata(const Chart& chart) {
  const auto required = [&](std::string_view field) -> Result<void> {
    if (!chart.metadata[field].as_string().empty()) return {};
    return bad_request("validation: chart.metadata." + std::string(field) + " is required");
  };
  TRY(required("apiVersion"));
  TRY(required("name"));
  TRY(required("version"));
  const std::string_view name = chart.name();
  if (name.find('/') != std::string_view::npos || name.find('\\') != std::string_view::npos || name == "." ||
      name == "..") {
    return bad_request("validation: chart.metadata.name \"" + std::string(name) + "\" is not allowed");
  }
  const std::string_view api_version = chart.metadata["apiVersion"].as_string();
  if (api_version != "v1" && api_version != "v2") return bad_request("invalid chart apiVersion");
  if (!Version::parse(chart.version()).ok()) {
    return bad_request("validation: chart.metadata.version \"" + std::string(chart.version()) + "\" is invalid");
  }
  const std::string_view type = chart.metadata["type"].as_string();
  if (!type.empty() && type != "application" && type != "library") {
    return bad_request("validation: chart.metadata.type must be application or library");
  }
  return {};
}

Result<void> add_special_file(Chart& chart, const ChartFile& file, bool& known) {
  known = true;
  if (file.name == "Chart.yaml") {
    ASSIGN_OR_RETURN(const Value metadata, read_map(file));
    const Value requirements = chart.metadata["dependencies"];
    chart.metadata = tidy_metadata(metadata);
    if (!requirements.is_null() && !chart.metadata.contains("dependencies")) {
      chart.metadata = chart.metadata.with("dependencies", requirements);
    }
  } else if (file.name == "Chart.lock") {
    ASSIGN_OR_RETURN(chart.lock, read_map(file));
  } else if (file.name == "values.yaml") {
    auto values = read_values(file.data);
    if (!values.ok()) return values.error().in("cannot load values.yaml");
    chart.values = *values;
  } else if (file.name == "values.schema.json") {
    chart.schema = file.data;
  } else if (file.name == "requirements.yaml") {
    ASSIGN_OR_RETURN(const Value requirements, read_map(file));
    if (!chart.metadata.contains("dependencies")) {
      chart.metadata = chart.metadata.with("dependencies", requirements["dependencies"]);
    }
    chart.files.push_back(file);
  } else if (file.name == "requirements.lock") {
    ASSIGN_OR_RETURN(chart.lock, read_map(file));
    chart.files.push_back(file);
  } else {
    known = false;
  }
  return {};
}

// The name of the sub-chart (folder or archive) that a file below charts/ belongs to.
std::string_view sub_chart_of(std::string_view name) {
  name.remove_prefix(std::string_view("charts/").size());
  return name.substr(0, name.find('/'));
}

Result<Chart> load_sub_chart(const std::string& name, std::vector<ChartFile> files, int depth, UnpackBudget& budget) {
  if (name.ends_with(".tgz")) {
    if (files.size() != 1 || files[0].name != "charts/" + name) {
      return bad_request("error unpacking subchart tar in charts: expected " + name + ", got " + files[0].name);
    }
    ASSIGN_OR_RETURN(auto unpacked, read_archive(files[0].data, budget));
    return load_nested(std::move(unpacked), depth, budget);
  }
  for (ChartFile& file : files) file.name.erase(0, std::string_view("charts/").size());
  return load_nested(std::move(files), depth, budget);
}

Result<Chart> assemble(std::vector<ChartFile> files, int depth, UnpackBudget& budget) {
  if (depth > kMaxNestedCharts) {
    return bad_request("sub-charts are nested deeper than " + std::to_string(kMaxNestedCharts));
  }
  Chart chart;
  std::map<std::string, std::vector<ChartFile>> sub_charts;
  for (ChartFile& file : files) {
    if (file.data.starts_with(kByteOrderMark)) file.data.erase(0, kByteOrderMark.size());
    bool known = false;
    TRY(add_special_file(chart, file, known));
    if (known) continue;
    if (file.name.starts_with("templates/")) {
      chart.templates.push_back(std::move(file));
    } else if (file.name.starts_with("charts/") && !file.name.ends_with(".prov")) {
      const std::string name(sub_chart_of(file.name));
      sub_charts[name].push_back(std::move(file));
    } else {
      chart.files.push_back(std::move(file));
    }
  }
  if (chart.metadata.is_null()) return bad_request("Chart.yaml file is missing");
  TRY(validate_metadata(chart));
  for (auto& [name, members] : sub_charts) {
    if (name.empty() || name[0] == '_' || name[0] == '.') continue;
    // A lone file in charts/ that is no archive (a README) is no chart.
    const bool lone = members.size() == 1 && members[0].name == "charts/" + name;
    if (lone && !name.ends_with(".tgz")) continue;
    auto loaded = load_sub_chart(name, std::move(members), depth + 1, budget);
    if (!loaded.ok()) {
      return loaded.error().in("error unpacking subchart " + name + " in " + std::string(chart.name()));
    }
    chart.dependencies.push_back(std::make_shared<const Chart>(std::move(loaded).value()));
  }
  return chart;
}

// Strips the one folder that an archive's files lie in.
Result<std::string> strip_top_folder(std::string name) {
  std::replace(name.begin(), name.end(), '\\', '/');
  if (name == "Chart.yaml") return bad_request("chart yaml not in base directory");
  const bool drive = name.size() > 2 && name[1] == ':' && name[2] == '/';
  if (name.empty() || name[0] == '/' || drive) return bad_request("chart contains illegally named files: " + name);
  while (name.starts_with("./")) name.erase(0, 2);
  const std::size_t slash = name.find('/');
  if (slash == std::string::npos) return std::string();
  const std::string inner = name.substr(slash + 1);
  for (const std::string_view part : split(name, '/')) {
    if (part == "..") return bad_request("chart illegally references parent directory: " + name);
  }
  return inner;
}

Result<Chart> load_nested(std::vector<ChartFile> files, int depth, UnpackBudget& budget) {
  std::vector<ChartFile> inner;
  for (ChartFile& file : files) {
    ASSIGN_OR_RETURN(std::string name, strip_top_folder(std::move(file.name)));
    if (!name.empty()) inner.push_back({std::move(name), std::move(file.data)});
  }
  if (inner.empty()) return bad_request("no files in chart archive");
  return assemble(std::move(inner), depth, budget);
}

}  // namespace

Result<Chart> load_archive(std::string_view tgz) {
  UnpackBudget budget;
  ASSIGN_OR_RETURN(auto files, read_archive(tgz, budget));
  if (files.empty()) return bad_request("no files in chart archive");
  return load_nested(std::move(files), 0, budget);
}

}  // namespace coracle::charts
