// Which sub-charts a rendering has, and what they export to their parent.

#include <algorithm>
#include <set>

#include "base/text.h"
#include "charts/semver.h"
#include "charts/values.h"
#include "charts/values/coalesce.h"

namespace coracle::charts {
namespace {

// The value at a dotted path, or nullptr.
const Value* at_path(const Value& values, std::string_view path) {
  const Value* value = &values;
  for (const std::string_view part : split(path, '.')) {
    value = value->find(part);
    if (value == nullptr) return nullptr;
  }
  return value;
}

bool in_range(std::string_view range, std::string_view version) {
  const auto parsed_range = VersionRange::parse(range);
  const auto parsed_version = Version::parse(version);
  return parsed_range.ok() && parsed_version.ok() && parsed_range->contains(*parsed_version);
}

bool satisfies(const Chart& chart, const Value& requirement) {
  return chart.name() == requirement["name"].as_string() &&
         in_range(requirement["version"].as_string(), chart.version());
}

// The dependencies as they will be looked at: those that Chart.yaml does not name, then those that
// it names, under their alias.
std::vector<std::shared_ptr<const Chart>> resolve(const Chart& chart, std::vector<Value>& requirements) {
  std::vector<std::shared_ptr<const Chart>> resolved;
  for (const auto& dependency : chart.dependencies) {
    const bool named = std::any_of(requirements.begin(), requirements.end(),
                                   [&](const Value& requirement) { return satisfies(*dependency, requirement); });
    if (!named) resolved.push_back(dependency);
  }
  for (Value& requirement : requirements) {
    const auto found = std::find_if(chart.dependencies.begin(), chart.dependencies.end(),
                                    [&](const auto& dependency) { return satisfies(*dependency, requirement); });
    const std::string alias(requirement["alias"].as_string());
    if (found != chart.dependencies.end()) {
      if (alias.empty()) {
        resolved.push_back(*found);
      } else {
        Chart renamed = **found;
        renamed.metadata = renamed.metadata.with("name", alias);
        resolved.push_back(std::make_shared<const Chart>(std::move(renamed)));
      }
    }
    if (!alias.empty()) requirement = requirement.with("name", alias);
  }
  return resolved;
}

bool enabled_by_tags(const Value& requirement, const Value& values) {
  const Value& tags = values["tags"];
  bool any_true = false;
  bool any_false = false;
  for (const Value& tag : requirement["tags"].items()) {
    const Value& state = tags[tag.as_string()];
    if (!state.is_bool()) continue;
    (state.as_bool() ? any_true : any_false) = true;
  }
  return any_true || !any_false;
}

// The first path that exists and is a bool decides; tags decide where none does.
bool enabled(const Value& requirement, const Value& values, const std::string& path, Warnings* warnings) {
  for (const std::string_view condition : split(trim(requirement["condition"].as_string()), ',')) {
    if (condition.empty()) continue;
    const Value* state = at_path(values, path + std::string(condition));
    if (state == nullptr || state->is_object()) continue;
    if (state->is_bool()) return state->as_bool();
    add_warning(warnings, "condition " + std::string(condition) + " of chart " +
                              std::string(requirement["name"].as_string()) + " is not a bool");
  }
  return enabled_by_tags(requirement, values);
}

Result<Chart> drop_disabled(Chart chart, const Value& overrides, const std::string& path, Warnings* warnings) {
  const Value& declared = chart.metadata["dependencies"];
  if (!declared.is_array()) return chart;
  std::vector<Value> requirements;
  for (const Value& requirement : declared.items()) {
    if (requirement.is_object()) requirements.push_back(requirement);
  }
  chart.dependencies = resolve(chart, requirements);
  ASSIGN_OR_RETURN(const Value values, coalesce_values(chart, overrides));
  std::set<std::string, std::less<>> disabled;
  Value::ArrayBuilder kept;
  for (const Value& requirement : requirements) {
    if (enabled(requirement, values, path, warnings)) {
      kept.add(requirement.with("enabled", true));
    } else {
      disabled.emplace(requirement["name"].as_string());
    }
  }
  std::vector<std::shared_ptr<const Chart>> remaining;
  for (const auto& dependency : chart.dependencies) {
    if (disabled.contains(dependency->name())) continue;
    const std::string inner_path = path + std::string(dependency->name()) + ".";
    ASSIGN_OR_RETURN(Chart inner, drop_disabled(*dependency, values, inner_path, warnings));
    remaining.push_back(std::make_shared<const Chart>(std::move(inner)));
  }
  chart.dependencies = std::move(remaining);
  const Value left = std::move(kept).build();
  chart.metadata = left.empty() ? chart.metadata.without("dependencies") : chart.metadata.with("dependencies", left);
  return chart;
}

// {a: {b: value}} for the path "a.b"; the value itself for ".".
Value nest(std::string_view path, Value value) {
  if (path == ".") return value;
  const auto parts = split(path, '.');
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) value = Value::object({{*part, value}});
  return value;
}

Result<Chart> import_values(Chart chart, Warnings* warnings) {
  for (auto& dependency : chart.dependencies) {
    ASSIGN_OR_RETURN(Chart inner, import_values(*dependency, warnings));
    dependency = std::make_shared<const Chart>(std::move(inner));
  }
  const Value& declared = chart.metadata["dependencies"];
  if (!declared.is_array()) return chart;
  ASSIGN_OR_RETURN(const Value values, layer_chart(chart, Value::object(), "", Layering::Merge, nullptr));
  Value imported = Value::object();
  for (const Value& requirement : declared.items()) {
    const std::string name(requirement["name"].as_string());
    for (const Value& rule : requirement["import-values"].items()) {
      const bool is_short = rule.is_string();
      const std::string child =
          is_short ? "exports." + std::string(rule.as_string()) : std::string(rule["child"].as_string());
      const std::string_view parent = is_short ? "." : rule["parent"].as_string();
      const Value* table = at_path(values, name + "." + child);
      if (table == nullptr || !table->is_object()) {
        add_warning(warnings, "ImportValues missing table from chart " + name + ": " + child);
        continue;
      }
      imported = layer_tables(imported, nest(parent, *table), "", Layering::Merge, nullptr);
    }
  }
  chart.values = layer_tables(values, imported, "", Layering::Merge, warnings);
  return chart;
}

}  // namespace

Result<Chart> process_dependencies(const Chart& chart, const Value& overrides, std::vector<std::string>* warnings) {
  ASSIGN_OR_RETURN(Chart enabled_only, drop_disabled(chart, overrides, "", warnings));
  return import_values(std::move(enabled_only), warnings);
}

}  // namespace coracle::charts
