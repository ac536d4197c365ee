#include "kube/apply/applied_state.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/encoding.h"
#include "base/gzip.h"
#include "base/json/json.h"
#include "base/utf8.h"

namespace coracle::kube {
namespace {

constexpr std::size_t kMaxApplied = 8 * 1024 * 1024;
constexpr std::size_t kLongestText = 64;
constexpr std::size_t kBase64Group = 4;

// By which items of lists are told apart.
constexpr std::array<std::string_view, 10> kItemKeys = {
    "apiVersion", "containerPort", "devicePath", "ip", "kind", "mountPath", "name", "port", "topologyKey", "type"};

// At most so many bytes. What is cut from a character's middle reads as Go writes it: one replacement per byte.
std::string cut_text(std::string_view text) {
  return replace_invalid_utf8(text.substr(0, kLongestText));
}

Value cut_value(const Value& value, bool in_list) {
  if (value.is_array()) {
    std::vector<Value> items;
    items.reserve(value.size());
    for (const Value& item : value.items()) {
      items.push_back(item.is_object() || item.is_array() ? cut_value(item, true) : item);
    }
    return Value::array(std::move(items));
  }
  std::vector<Value::Member> members;
  members.reserve(value.size());
  for (const Value::Member& member : value.members()) {
    const bool key = in_list && std::find(kItemKeys.begin(), kItemKeys.end(), member.key) != kItemKeys.end();
    if (member.value.is_object() || member.value.is_array()) {
      members.push_back({member.key, cut_value(member.value, false)});
    } else if (!key && member.value.is_string() && member.value.as_string().size() > kLongestText) {
      members.push_back({member.key, cut_text(member.value.as_string())});
    } else {
      members.push_back(member);
    }
  }
  return Value::object(std::move(members));
}

}  // namespace

Value cut_for_record(const Value& tree) {
  return tree.is_object() || tree.is_array() ? cut_value(tree, false) : tree;
}

std::string encode_applied(const Object& object) {
  std::string text = base64_encode(gzip(json::write(cut_for_record(object.tree()))));
  while (text.ends_with('=')) text.pop_back();
  return text;
}

Result<Value> decode_applied(std::string_view annotation) {
  if (annotation.starts_with('{')) return json::read(annotation);
  std::string padded(annotation);
  while (padded.size() % kBase64Group != 0) padded += '=';
  ASSIGN_OR_RETURN(const std::string packed, base64_decode(padded));
  ASSIGN_OR_RETURN(const std::string text, gunzip(packed, kMaxApplied));
  return json::read(text);
}

}  // namespace coracle::kube
