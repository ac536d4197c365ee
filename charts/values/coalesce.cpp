#include "charts/values/coalesce.h"

#include <algorithm>

#include "base/go_text.h"
#include "charts/values.h"

namespace coracle::charts {
namespace {

constexpr std::string_view kGlobal = "global";

std::string join_prefix(const std::string& prefix, std::string_view key) {
  return prefix.empty() ? std::string(key) : prefix + "." + std::string(key);
}

// A chart's null defaults must not hide globals.
Value without_nulls(const Value& value) {
  if (!value.is_object()) return value;
  Value::ObjectBuilder builder;
  for (const Value::Member& member : value.members()) {
    if (!member.value.is_null()) builder.append(member.key, without_nulls(member.value));
  }
  return std::move(builder).build();
}

bool is_dependency(const Chart& chart, std::string_view name) {
  return std::any_of(chart.dependencies.begin(), chart.dependencies.end(),
                     [name](const auto& dependency) { return dependency->name() == name; });
}

Value layer_defaults(const Chart& chart, const Value& over, const std::string& prefix, Layering layering,
                     Warnings* warnings) {
  const std::string chart_prefix = join_prefix(prefix, chart.name());
  Value::ObjectBuilder result(over);
  const bool coalesce = layering == Layering::Coalesce;
  for (const auto& [key, value] : chart.values.members()) {
    const Value* present = over.find(key);
    if (present == nullptr) {
      if (coalesce && value.is_null()) continue;
      result.set(key, coalesce ? without_nulls(value) : value);
    } else if (present->is_null()) {
      if (coalesce) result.remove(key);
    } else if (present->is_object()) {
      if (!value.is_object()) {
        if (!value.is_null()) add_warning(warnings, "skipped value for " + chart_prefix + "." + key + ": Not a table.");
        continue;
      }
      // A sub-chart's nulls are kept until its own defaults are laid under them.
      const Layering inner = is_dependency(chart, key) ? Layering::Merge : layering;
      const Value base = inner == Layering::Coalesce ? without_nulls(value) : value;
      result.set(key, layer_tables(*present, base, join_prefix(chart_prefix, key), inner, warnings));
    }
  }
  return std::move(result).build();
}

// The globals of `source` laid over those of `target`, which is the sub-chart's table.
Value hand_down_globals(const Value& target, const Value& source, const std::string& prefix, Warnings* warnings) {
  const Value* target_globals = target.find(kGlobal);
  const Value* source_globals = source.find(kGlobal);
  if (target_globals != nullptr && !target_globals->is_object()) {
    add_warning(warnings, "skipping globals because destination global is not a table.");
    return target;
  }
  if (source_globals != nullptr && !source_globals->is_object()) {
    add_warning(warnings, "skipping globals because source global is not a table.");
    return target;
  }
  Value::ObjectBuilder globals(target_globals != nullptr ? *target_globals : Value::object());
  if (source_globals != nullptr) {
    for (const auto& [key, value] : source_globals->members()) {
      const Value* present = target_globals != nullptr ? target_globals->find(key) : nullptr;
      if (value.is_object() && present != nullptr) {
        if (!present->is_object()) {
          add_warning(warnings, "Conflict: cannot merge map onto non-map for \"" + key + "\". Skipping.");
          continue;
        }
        globals.set(key, layer_tables(value, *present, join_prefix(prefix, key), Layering::Merge, warnings));
      } else if (!value.is_object() && present != nullptr && present->is_object()) {
        add_warning(warnings, "key " + key + " is table. Skipping");
      } else {
        globals.set(key, value);
      }
    }
  }
  return target.with(kGlobal, std::move(globals).build());
}

}  // namespace

Value layer_tables(const Value& over, const Value& base, const std::string& prefix, Layering layering,
                   Warnings* warnings) {
  if (base.is_null()) return over;
  if (over.is_null()) return base;
  Value::ObjectBuilder result(over);
  for (const auto& [key, value] : base.members()) {
    const Value* present = over.find(key);
    if (present == nullptr) {
      result.set(key, value);
    } else if (present->is_null()) {
      if (layering == Layering::Coalesce && !value.is_null()) result.remove(key);
    } else if (value.is_object()) {
      if (present->is_object()) {
        result.set(key, layer_tables(*present, value, join_prefix(prefix, key), layering, warnings));
      } else {
        add_warning(warnings, "cannot overwrite table with non table for " + join_prefix(prefix, key));
      }
    } else if (present->is_object() && !value.is_null()) {
      add_warning(warnings, "destination for " + join_prefix(prefix, key) + " is a table. Ignoring non-table value");
    }
  }
  return std::move(result).build();
}

Result<Value> layer_chart(const Chart& chart, const Value& over, const std::string& prefix, Layering layering,
                          Warnings* warnings) {
  Value values = layer_defaults(chart, over.is_null() ? Value::object() : over, prefix, layering, warnings);
  const std::string sub_prefix = join_prefix(prefix, chart.name());
  for (const auto& dependency : chart.dependencies) {
    const Value* present = values.find(dependency->name());
    if (present != nullptr && !present->is_object()) {
      return bad_request("type mismatch on " + std::string(dependency->name()) + ": a map of values is expected, not " +
                         std::string(json_kind_name(*present)));
    }
    const Value table =
        hand_down_globals(present != nullptr ? *present : Value::object(), values, sub_prefix, warnings);
    ASSIGN_OR_RETURN(Value inner, layer_chart(*dependency, table, sub_prefix, layering, warnings));
    values = values.with(dependency->name(), std::move(inner));
  }
  return values;
}

Result<Value> coalesce_values(const Chart& chart, const Value& overrides, std::vector<std::string>* warnings) {
  return layer_chart(chart, overrides, "", Layering::Coalesce, warnings);
}

}  // namespace coracle::charts
