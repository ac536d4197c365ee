#include "kube/schema/internal/structure_checks.h"

#include <algorithm>
#include <map>

#include "base/json/json.h"
#include "base/text.h"
#include "kube/object/field_path.h"
#include "kube/object/names.h"
#include "kube/schema/field_error.h"
#include "kube/schema/validation.h"

namespace coracle::kube::internal {
namespace {

// Calls `check` for every node that the schema knows, outer ones first.
template <class Check>
void walk(const Value& value, const Schema& schema, std::string& path, Check& check) {
  check(value, schema, path);
  if (value.is_array() && schema.kind == SchemaKind::List) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      const PathStep step = PathStep::index(path, i);
      walk(value.at(i), *schema.items, path, check);
    }
  }
  for (const Value::Member& member : value.members()) {
    const Field* field = schema.find(member.key);
    const Schema* inner = field != nullptr ? field->schema : schema.items;
    if (inner == nullptr || schema.kind == SchemaKind::List) continue;
    const PathStep step = field == nullptr ? PathStep::key(path, member.key) : PathStep::child(path, member.key);
    walk(member.value, *inner, path, check);
  }
}

template <class Check>
std::vector<Cause> problems_of(const Value& value, const Schema& schema, std::string_view path, const Check& check) {
  std::vector<Cause> problems;
  const auto limited = [&](const Value& node, const Schema& type, const std::string& at) {
    if (problems.size() < kMaxProblems) check(node, type, at, problems);
  };
  std::string at(path);
  walk(value, schema, at, limited);
  return problems;
}

// The places where something stands for the second time; a third time is not told.
std::vector<std::size_t> repeated(const std::vector<std::string>& identities) {
  std::map<std::string_view, std::size_t> counts;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < identities.size(); ++i) {
    if (++counts[identities[i]] == 2) places.push_back(i);
  }
  return places;
}

void check_set(const Value& value, const std::string& path, std::vector<Cause>& problems) {
  std::vector<std::string> identities;
  for (const Value& item : value.items()) identities.push_back(identity_of(item));
  for (const std::size_t i : repeated(identities)) {
    problems.push_back(field_error::duplicate(FieldPath(path).index(i).text(), value.at(i)));
  }
}

void check_map(const Value& value, const Schema& schema, const std::string& path, std::vector<Cause>& problems) {
  std::vector<std::string> identities;
  std::vector<Value> shown;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const Value& item = value.at(i);
    if (!item.is_object() && !item.is_null()) {
      problems.push_back(field_error::invalid(FieldPath(path).index(i).text(), item,
                                              "must be an object for an array of list-type map"));
      return;
    }
    Value::ObjectBuilder keys;
    std::string identity;
    for (const std::string_view key : schema.list_map_keys) {
      const Value* part = item.find(key);
      if (part != nullptr) keys.append(std::string(key), *part);
      identity += (part == nullptr ? "" : identity_of(*part)) + "\n";
    }
    identities.push_back(std::move(identity));
    shown.push_back(std::move(keys).build());
  }
  for (const std::size_t i : repeated(identities)) {
    problems.push_back(field_error::duplicate(FieldPath(path).index(i).text(), shown[i]));
  }
}

// An object inside another says what it is.
void check_embedded(const Value& value, const std::string& path, std::vector<Cause>& problems) {
  const auto add = [&](Cause cause) { problems.push_back(std::move(cause)); };
  for (const std::string_view name : {"apiVersion", "kind"}) {
    const std::string field = FieldPath(path).child(name).text();
    const Value* given = value.find(name);
    if (given == nullptr) {
      add(field_error::required(field));
    } else if (!given->is_string()) {
      add(field_error::invalid(field, *given, "must be a string"));
    } else if (given->as_string().empty()) {
      add(field_error::invalid(field, *given, "must not be empty"));
    } else if (name == "kind") {
      const NameErrors faults = check_dns1035_label(to_lower(given->as_string()));
      if (faults.empty()) continue;
      add(field_error::invalid(field, *given, "may have mixed case, but should otherwise match: " + join(faults, ",")));
    } else if (std::count(given->as_string().begin(), given->as_string().end(), '/') > 1) {
      add(field_error::invalid(field, *given, "unexpected GroupVersion string: " + std::string(given->as_string())));
    }
  }
}

}  // namespace

// A text that two values share if Go takes them for equal: 1 and 1.0 differ.
std::string identity_of(const Value& value) {
  return (value.is_double() ? "float " : "") + json::write_sorted(value);
}

std::vector<Cause> list_problems(const Value& value, const Schema& schema, std::string_view path) {
  return problems_of(value, schema, path,
                     [](const Value& node, const Schema& type, const std::string& at, std::vector<Cause>& problems) {
                       if (!node.is_array() || type.kind != SchemaKind::List) return;
                       if (type.list_type == ListType::Set) check_set(node, at, problems);
                       if (type.list_type == ListType::Map) check_map(node, type, at, problems);
                     });
}

std::vector<Cause> embedded_problems(const Value& value, const Schema& schema, std::string_view path) {
  return problems_of(value, schema, path,
                     [](const Value& node, const Schema& type, const std::string& at, std::vector<Cause>& problems) {
                       if (type.embedded_resource && node.is_object()) check_embedded(node, at, problems);
                     });
}

}  // namespace coracle::kube::internal
