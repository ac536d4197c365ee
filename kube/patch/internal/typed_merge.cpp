#include <map>
#include <set>
#include <utility>

#include "base/go_text.h"
#include "kube/patch/internal/typed_tree.h"

namespace coracle::kube::patch::internal {
namespace {

// Upstream prints values in two ways: as %v, and where a text was expected as %#v.
std::string shown_value(const Value& value) {
  return "&{" + go_text(value) + "}";
}
std::string shown_in_full(const Value& value) {
  return "&value.valueUnstructured{Value:" + go_syntax(value) + "}";
}

// What is wrong with a scalar, or nothing.
std::string check_scalar(const TypeRef& type, const Value& value) {
  if (value.is_null()) return {};
  const bool scalar = !value.is_array() && !value.is_object();
  const SchemaKind kind = type.mode == TypeRef::Mode::Declared ? type.schema->kind : SchemaKind::IntOrString;
  switch (kind) {
    case SchemaKind::Boolean:
      return value.is_bool() ? "" : "expected boolean, got " + shown_value(value);
    case SchemaKind::Integer:
    case SchemaKind::Number:
      return value.is_number() ? "" : "expected numeric (int or float), got " + std::string(go_type_name(value));
    case SchemaKind::String:
      // A text of a format is any scalar to upstream.
      if (type.schema->format != Format::None && type.schema->format != Format::Byte) break;
      [[fallthrough]];
    case SchemaKind::Bytes:
    case SchemaKind::Duration:
      return value.is_string() ? "" : "expected string, got " + shown_in_full(value);
    default:
      break;
  }
  return scalar ? "" : "expected any scalar, got " + shown_value(value);
}

class Checker {
 public:
  explicit Checker(bool allow_duplicates) : allow_duplicates_(allow_duplicates) {}

  void check(const TypeRef& type, const Value& value);
  std::vector<std::string> take() { return std::move(errors_); }

 private:
  void check_map(const TypeRef& type, const Value& value);
  void check_list(const TypeRef& type, Shape shape, const Value& value);
  void fail(const std::string& what) { errors_.push_back(path_.empty() ? what : readable_path(path_) + ": " + what); }

  bool allow_duplicates_;
  FieldPathElements path_;
  std::vector<std::string> errors_;
};

void Checker::check(const TypeRef& type, const Value& value) {
  switch (const Shape shape = shape_of(type, &value)) {
    case Shape::Scalar:
      if (const std::string wrong = check_scalar(type, value); !wrong.empty()) fail(wrong);
      return;
    case Shape::Map:
    case Shape::AtomicMap:
      if (value.is_null()) return;
      if (!value.is_object()) return fail("expected map, got " + shown_value(value));
      return check_map(type, value);
    case Shape::AtomicList:
    case Shape::Set:
    case Shape::KeyedList:
      if (value.is_null()) return;
      if (!value.is_array()) return fail("expected list, got " + shown_value(value));
      return check_list(type, shape, value);
  }
}

void Checker::check_map(const TypeRef& type, const Value& value) {
  for (const Value::Member& member : value.members()) {
    const FieldType field = field_type(type, member.key);
    path_.push_back(PathElement::field(member.key));
    if (field.known) {
      check(field.type, member.value);
    } else {
      fail("field not declared in schema");
    }
    path_.pop_back();
  }
}

void Checker::check_list(const TypeRef& type, Shape shape, const Value& value) {
  const TypeRef item_type = element_type(type);
  std::set<PathElement> seen;
  for (std::size_t i = 0; i < value.size(); ++i) {
    PathElement element = PathElement::index(static_cast<std::int64_t>(i));
    if (shape != Shape::AtomicList) {
      Result<PathElement> keyed = item_element(type, shape, value.at(i));
      if (!keyed.ok()) return fail("element " + std::to_string(i) + ": " + keyed.error().message());
      element = *keyed;
      if (!seen.insert(element).second && !allow_duplicates_) {
        const PathElement repeated[] = {element};
        fail("duplicate entries for key " + readable_path(repeated));
      }
    }
    path_.push_back(std::move(element));
    check(item_type, value.at(i));
    path_.pop_back();
  }
}

using Merged = std::optional<Value>;

Merged merge_node(const TypeRef& type, const Value* live, const Value* applied);

struct Items {
  std::vector<PathElement> order;
  std::vector<const Value*> values;                // beside `order`
  std::map<PathElement, const Value*> by_element;  // null where an element is repeated
};

Items index_items(const TypeRef& type, Shape shape, const Value* list) {
  Items items;
  if (list == nullptr) return items;
  for (const Value& item : list->items()) {
    Result<PathElement> element = item_element(type, shape, item);
    if (!element.ok()) continue;
    const auto [place, fresh] = items.by_element.try_emplace(*element, &item);
    if (!fresh) place->second = nullptr;
    items.order.push_back(std::move(*element));
    items.values.push_back(&item);
  }
  return items;
}

// Interleaves the lists: what both have stands in the order of the applied list, what only the live
// list has keeps its place between them.
class ListMerge {
 public:
  ListMerge(const TypeRef& type, Shape shape, const Value* live, const Value* applied)
      : item_type_(element_type(type)),
        live_(index_items(type, shape, live)),
        applied_(index_items(type, shape, applied)) {
    for (const PathElement& element : applied_.order) {
      if (live_.by_element.count(element) != 0) shared_.push_back(&element);
    }
  }

  std::vector<Value> run() {
    std::size_t left = 0, right = 0;
    while (left < live_.order.size() || right < applied_.order.size()) {
      const PathElement* live = left < live_.order.size() ? &live_.order[left] : nullptr;
      const bool live_is_shared = live != nullptr && applied_.by_element.count(*live) != 0;
      if (live != nullptr && right < applied_.order.size() && live_is_shared) {
        if (*live == applied_.order[right]) {
          take_applied(right++);
          ++left;
          continue;
        }
        if (next_shared_ < shared_.size() && *shared_[next_shared_] != *live) {
          ++left;  // its turn comes with the applied list
          continue;
        }
      }
      if (live != nullptr && !live_is_shared) {
        add(merge_node(item_type_, live_.values[left++], nullptr));
        continue;
      }
      if (live != nullptr && done_.count(*live) != 0) ++left;
      if (right < applied_.order.size()) take_applied(right++);
    }
    return std::move(out_);
  }

 private:
  void take_applied(std::size_t at) {
    static const Value kRepeated;
    const PathElement& element = applied_.order[at];
    done_.insert(element);
    const auto found = live_.by_element.find(element);
    const Value* live = found == live_.by_element.end() ? nullptr
                        : found->second != nullptr      ? found->second
                                                        : &kRepeated;
    add(merge_node(item_type_, live, applied_.by_element.find(element)->second));
    if (next_shared_ < shared_.size() && *shared_[next_shared_] == element) ++next_shared_;
  }
  void add(Merged item) {
    if (item) out_.push_back(std::move(*item));
  }

  TypeRef item_type_;
  Items live_, applied_;
  std::vector<const PathElement*> shared_;
  std::size_t next_shared_ = 0;
  std::set<PathElement> done_;
  std::vector<Value> out_;
};

Merged merge_map(const TypeRef& type, const Value* live, const Value* applied) {
  std::vector<Value::Member> out;
  const auto add = [&](const std::string& key, const Value* from_live, const Value* from_applied) {
    Merged merged = merge_node(field_type(type, key).type, from_live, from_applied);
    if (merged) out.push_back({key, std::move(*merged)});
  };
  if (live != nullptr) {
    for (const Value::Member& member : live->members()) {
      add(member.key, &member.value, applied != nullptr ? applied->find(member.key) : nullptr);
    }
  }
  if (applied != nullptr) {
    for (const Value::Member& member : applied->members()) {
      if (live == nullptr || !live->contains(member.key)) add(member.key, nullptr, &member.value);
    }
  }
  if (out.empty()) return std::nullopt;
  return Value::object(std::move(out));
}

Merged merge_node(const TypeRef& type, const Value* live, const Value* applied) {
  if (applied == nullptr) return *live;
  const Shape shape = shape_of(type, applied);
  const Value* live_parts = parts_of(shape, live);
  const Value* applied_parts = parts_of(shape, applied);
  if (!is_granular(shape) || (live_parts == nullptr && applied_parts == nullptr)) return *applied;
  if (shape == Shape::Map) return merge_map(type, live_parts, applied_parts);
  std::vector<Value> items = ListMerge(type, shape, live_parts, applied_parts).run();
  if (items.empty()) return std::nullopt;
  return Value::array(std::move(items));
}

// What is left of `value`; a container that lost everything inside stays, empty.
Value remove_inside(const TypeRef& type, const Value& value, const FieldSet& items) {
  Value left = remove_items(type, value, items);
  if (!left.is_null()) return left;
  return value.is_object() ? Value::object() : value.is_array() ? Value::array() : left;
}

Value remove_from_map(const TypeRef& type, const Value& value, const FieldSet& items) {
  std::vector<Value::Member> out;
  for (const Value::Member& member : value.members()) {
    const FieldSet::Entry* entry = items.find(PathElement::field(member.key));
    if (entry != nullptr && entry->member) continue;
    const bool deeper = entry != nullptr && !entry->below.empty();
    out.push_back({member.key, deeper ? remove_inside(field_type(type, member.key).type, member.value, entry->below)
                                      : member.value});
  }
  if (out.empty()) return {};
  return Value::object(std::move(out));
}

Value remove_from_list(const TypeRef& type, Shape shape, const Value& value, const FieldSet& items) {
  const TypeRef item_type = element_type(type);
  std::vector<Value> out;
  for (const Value& item : value.items()) {
    Result<PathElement> element = item_element(type, shape, item);
    const FieldSet::Entry* entry = element.ok() ? items.find(*element) : nullptr;
    if (entry != nullptr && entry->member) continue;
    const bool deeper = entry != nullptr && !entry->below.empty();
    out.push_back(deeper ? remove_inside(item_type, item, entry->below) : item);
  }
  if (out.empty()) return {};
  return Value::array(std::move(out));
}

// The zero value of an entry that is null: Go decodes it so.
Value zero_of(const TypeRef& type) {
  if (type.mode != TypeRef::Mode::Declared) return {};
  switch (type.schema->kind) {
    case SchemaKind::String:
    case SchemaKind::Bytes:
      return "";
    case SchemaKind::Integer:
    case SchemaKind::Number:
      return 0;
    case SchemaKind::Boolean:
      return false;
    case SchemaKind::Quantity:
      return "0";
    default:
      return {};
  }
}

bool has_null(const Value& value) {
  if (value.is_null()) return true;
  for (const Value& item : value.items()) {
    if (has_null(item)) return true;
  }
  for (const Value::Member& member : value.members()) {
    if (has_null(member.value)) return true;
  }
  return false;
}

}  // namespace

std::vector<std::string> check_typed(const TypeRef& type, const Value& value, bool allow_duplicates) {
  Checker checker(allow_duplicates);
  checker.check(type, value);
  return checker.take();
}

Value merge_typed(const TypeRef& type, const Value& live, const Value& applied) {
  return merge_node(type, &live, &applied).value_or(Value());
}

Value remove_items(const TypeRef& type, const Value& value, const FieldSet& items) {
  switch (const Shape shape = shape_of(type, &value)) {
    case Shape::Scalar:
      return value;
    case Shape::AtomicList:
    case Shape::AtomicMap:
      return {};
    case Shape::Map:
      return value.is_object() ? remove_from_map(type, value, items) : Value();
    case Shape::Set:
    case Shape::KeyedList:
      return value.is_array() ? remove_from_list(type, shape, value, items) : Value();
  }
  return value;
}

Value without_nulls(const TypeRef& type, const Value& value) {
  if (!has_null(value)) return value;
  if (value.is_array()) {
    std::vector<Value> items;
    for (const Value& item : value.items()) items.push_back(without_nulls(element_type(type), item));
    return Value::array(std::move(items));
  }
  if (!value.is_object()) return value;
  std::vector<Value::Member> members;
  for (const Value::Member& member : value.members()) {
    const FieldType field = field_type(type, member.key);
    if (!member.value.is_null()) {
      members.push_back({member.key, without_nulls(field.type, member.value)});
    } else if (field.type.mode != TypeRef::Mode::Declared) {
      members.push_back(member);
    } else if (Value zero = zero_of(field.type); !field.declared && !zero.is_null()) {
      members.push_back({member.key, std::move(zero)});
    }
  }
  return Value::object(std::move(members));
}

}  // namespace coracle::kube::patch::internal
