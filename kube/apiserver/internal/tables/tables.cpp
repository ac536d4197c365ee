#include "kube/apiserver/internal/tables/tables.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/go_number.h"
#include "base/json/json.h"
#include "base/text.h"
#include "kube/apiserver/internal/tables/cells.h"
#include "kube/object/json_path.h"

namespace coracle::kube::apiserver {

namespace {

// Resources whose answers are no objects that a table could list.
constexpr std::string_view kNoTable[] = {
    "bindings",
    "selfsubjectreviews",
    "tokenreviews",
    "localsubjectaccessreviews",
    "selfsubjectaccessreviews",
    "selfsubjectrulesreviews",
    "subjectaccessreviews",
};

TableColumn parse_column(std::string_view text) {
  TableColumn column;
  if (text.ends_with('*')) {
    column.priority = 1;
    text.remove_suffix(1);
  }
  const std::size_t mark = text.rfind(':');
  if (mark != std::string_view::npos) {
    switch (text.back()) {
      case 'i':
        column.type = "integer";
        break;
      case 'b':
        column.type = "boolean";
        break;
      case 'd':
        column.type = "date";
        break;
      default:
        column.format = "name";
        break;
    }
    text = text.substr(0, mark);
  }
  column.name = text;
  return column;
}

std::shared_ptr<const TableConvertor> make_table(const tables::Entry& entry) {
  auto table = std::make_shared<TableConvertor>();
  for (std::string_view column : split(entry.columns, ',')) table->columns.push_back(parse_column(column));
  table->cells = entry.cells;
  if (entry.conditions != nullptr) table->conditions = entry.conditions;
  return table;
}

tables::Cells default_cells(const Object& object, WallTime) {
  return {object.name(), object.metadata()["creationTimestamp"]};
}

constexpr tables::Entry kDefaultEntry = {"", "", "Name:n,Created At:d", default_cells};

const tables::Entry* find_entry(std::span<const tables::Entry> entries, std::string_view group,
                                std::string_view resource) {
  for (const tables::Entry& entry : entries) {
    if (entry.group == group && entry.resource == resource) return &entry;
  }
  return nullptr;
}

// One additional printer column of a CustomResourceDefinition.
struct CustomColumn {
  std::string type;
  std::optional<JsonPath> path;
};

Value custom_cell(const CustomColumn& column, const Object& object, WallTime now) {
  if (!column.path) return {};
  const Value found = column.path->first(object.tree());
  if (found.is_null()) return {};
  if (column.type == "integer")
    return found.is_number() ? Value(found.is_int() ? found.as_int() : go_int64(found.as_double())) : Value();
  if (column.type == "number") return found.is_number() ? found : Value();
  if (column.type == "boolean") return found.is_bool() ? found : Value();
  if (column.type == "date") {
    const auto time = parse_time(found.as_string());
    return time.ok() ? Value(tables::human_duration(now - *time)) : Value("<invalid>");
  }
  if (found.is_string()) return found;
  return json::write(found);
}

}  // namespace

std::shared_ptr<const TableConvertor> builtin_table(std::string_view group, std::string_view resource) {
  for (std::string_view name : kNoTable) {
    if (name == resource) return nullptr;
  }
  for (const auto entries :
       {tables::pod_tables(), tables::workload_tables(), tables::core_tables(), tables::event_tables(),
        tables::network_tables(), tables::node_tables(), tables::storage_tables(), tables::policy_tables(),
        tables::scaling_tables(), tables::system_tables()}) {
    if (const tables::Entry* entry = find_entry(entries, group, resource)) return make_table(*entry);
  }
  return make_table(kDefaultEntry);
}

std::shared_ptr<const TableConvertor> custom_table(const Value& printer_columns) {
  auto table = std::make_shared<TableConvertor>();
  table->columns.push_back(parse_column("Name:n"));
  auto columns = std::make_shared<std::vector<CustomColumn>>();
  const auto add = [&](TableColumn shown, std::string_view path_text) {
    auto path = JsonPath::parse(path_text);
    columns->push_back({shown.type, path.ok() ? std::optional<JsonPath>(std::move(path).value()) : std::nullopt});
    table->columns.push_back(std::move(shown));
  };
  // One path that cannot be read makes all columns useless, as upstream has it.
  const auto given = printer_columns.items();
  const bool readable = std::all_of(given.begin(), given.end(), [](const Value& column) {
    return JsonPath::parse(column["jsonPath"].as_string()).ok();
  });
  for (const Value& column : readable ? given : std::span<const Value>()) {
    TableColumn shown;
    shown.name = column["name"].as_string();
    shown.type = column["type"].as_string();
    shown.format = column["format"].as_string();
    shown.description = column["description"].as_string();
    shown.priority = static_cast<int>(column["priority"].as_int());
    add(std::move(shown), column["jsonPath"].as_string());
  }
  if (columns->empty()) add(parse_column("Age:d"), ".metadata.creationTimestamp");
  table->cells = [columns = std::shared_ptr<const std::vector<CustomColumn>>(std::move(columns))](const Object& object,
                                                                                                  WallTime now) {
    std::vector<Value> cells = {object.name()};
    for (const CustomColumn& column : *columns) cells.push_back(custom_cell(column, object, now));
    return cells;
  };
  return table;
}

}  // namespace coracle::kube::apiserver
