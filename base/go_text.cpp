#include "base/go_text.h"

#include <algorithm>
#include <vector>

#include "base/json/json.h"
#include "base/text.h"

namespace coracle {
namespace {

constexpr std::string_view kListType = "[]interface {}";

// The members in the order that fmt prints maps in.
template <class Print>
std::string printed_members(const Value& object, std::string_view separator, Print print) {
  std::vector<const Value::Member*> members;
  for (const Value::Member& member : object.members()) members.push_back(&member);
  std::sort(members.begin(), members.end(), [](const auto* a, const auto* b) { return a->key < b->key; });
  std::vector<std::string> texts;
  for (const Value::Member* member : members) texts.push_back(print(*member));
  return join(texts, separator);
}

template <class Print>
std::string printed_items(const Value& array, std::string_view separator, Print print) {
  std::vector<std::string> texts;
  for (const Value& item : array.items()) texts.push_back(print(item));
  return join(texts, separator);
}

}  // namespace

std::string go_text(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::Null:
      return "<nil>";
    case Value::Kind::String:
      return std::string(value.as_string());
    case Value::Kind::Array:
      return "[" + printed_items(value, " ", go_text) + "]";
    case Value::Kind::Object:
      return "map[" +
             printed_members(value, " ", [](const auto& member) { return member.key + ":" + go_text(member.value); }) +
             "]";
    default:
      return json::write_raw(value);
  }
}

std::string go_syntax(const Value& value, std::string_view map_type) {
  const auto print = [map_type](const Value& inner) { return go_syntax(inner, map_type); };
  switch (value.kind()) {
    case Value::Kind::Null:
      return "interface {}(nil)";
    case Value::Kind::Array:
      return std::string(kListType) + "{" + printed_items(value, ", ", print) + "}";
    case Value::Kind::Object:
      return std::string(map_type) + "{" +
             printed_members(
                 value, ", ",
                 [&](const auto& member) { return json::write_raw(Value(member.key)) + ":" + print(member.value); }) +
             "}";
    default:
      return json::write_raw(value);
  }
}

std::string_view go_type_name(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::Null:
      return "<nil>";
    case Value::Kind::Bool:
      return "bool";
    case Value::Kind::Int:
      return "int64";
    case Value::Kind::Double:
      return "float64";
    case Value::Kind::String:
      return "string";
    case Value::Kind::Array:
      return kListType;
    default:
      return "map[string]interface {}";
  }
}

std::string_view json_kind_name(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::Null:
      return "null";
    case Value::Kind::Bool:
      return "bool";
    case Value::Kind::Int:
    case Value::Kind::Double:
      return "number";
    case Value::Kind::String:
      return "string";
    case Value::Kind::Array:
      return "array";
    default:
      return "object";
  }
}

}  // namespace coracle
