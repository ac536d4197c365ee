#include "kube/patch/internal/go_text.h"

#include <algorithm>
#include <vector>

#include "base/json/json.h"

namespace coracle::kube::patch::internal {
namespace {

std::vector<const Value::Member*> members_by_key(const Value& object) {
  std::vector<const Value::Member*> members;
  for (const Value::Member& member : object.members()) members.push_back(&member);
  std::sort(members.begin(), members.end(), [](const auto* a, const auto* b) { return a->key < b->key; });
  return members;
}

}  // namespace

std::string go_text(const Value& value) {
  std::string text;
  switch (value.kind()) {
    case Value::Kind::Null:
      return "<nil>";
    case Value::Kind::String:
      return std::string(value.as_string());
    case Value::Kind::Array:
      for (const Value& item : value.items()) text += (text.empty() ? "" : " ") + go_text(item);
      return "[" + text + "]";
    case Value::Kind::Object:
      for (const Value::Member* member : members_by_key(value)) {
        text += (text.empty() ? "" : " ") + member->key + ":" + go_text(member->value);
      }
      return "map[" + text + "]";
    default:
      return json::write_raw(value);
  }
}

std::string go_syntax(const Value& value) {
  std::string text;
  switch (value.kind()) {
    case Value::Kind::Null:
      return "interface {}(nil)";
    case Value::Kind::Array:
      for (const Value& item : value.items()) text += (text.empty() ? "" : ", ") + go_syntax(item);
      return "[]interface {}{" + text + "}";
    case Value::Kind::Object:
      for (const Value::Member* member : members_by_key(value)) {
        text += (text.empty() ? "" : ", ") + json::write_raw(Value(member->key)) + ":" + go_syntax(member->value);
      }
      return "map[string]interface {}{" + text + "}";
    default:
      return json::write_raw(value);
  }
}

}  // namespace coracle::kube::patch::internal
