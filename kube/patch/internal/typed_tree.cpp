#include "kube/patch/internal/typed_tree.h"

#include <utility>

#include "base/json/json.h"

namespace coracle::kube::patch::internal {
namespace {

bool is_open(const Schema& schema) {
  return schema.fields.empty() && schema.items == nullptr && !schema.preserve_unknown_fields;
}

Shape container_shape(const Schema& schema) {
  switch (schema.kind) {
    case SchemaKind::Struct:
    case SchemaKind::Map:
    case SchemaKind::RawExtension:
    case SchemaKind::FieldsV1:
      return schema.atomic_map ? Shape::AtomicMap : Shape::Map;
    case SchemaKind::List:
      switch (schema.list_type) {
        case ListType::Set:
          return Shape::Set;
        case ListType::Map:
          return Shape::KeyedList;
        case ListType::Atomic:
          break;
      }
      return Shape::AtomicList;
    default:
      return Shape::Scalar;
  }
}

// The value that a list's key has where an item leaves it out.
Result<Value> default_key(const Schema& list, std::string_view key) {
  const Field* field = list.items != nullptr ? list.items->find(key) : nullptr;
  if (field == nullptr) return Value();
  const std::string_view text =
      field->default_json.empty() && field->schema != nullptr ? field->schema->default_json : field->default_json;
  if (!text.empty()) return json::read(text);
  // A key that Go always writes has its zero value for default.
  const bool zero = field->schema != nullptr && field->always_emitted && !field->pointer;
  if (zero && field->schema->kind == SchemaKind::String) return Value("");
  if (zero && field->schema->kind == SchemaKind::Integer) return Value(0);
  return Value();
}

std::string quoted_list(std::span<const std::string_view> names) {
  std::string text = "[";
  for (const std::string_view name : names) {
    if (text.size() > 1) text += ' ';
    text += '"';
    text += name;
    text += '"';
  }
  return text + "]";
}

Result<PathElement> keyed_element(const Schema& list, const Value& item) {
  if (item.is_null()) return bad_request("associative list with keys may not have a null element");
  if (!item.is_object()) return bad_request("associative list with keys may not have non-map elements");
  std::vector<std::pair<std::string, Value>> keys;
  for (const std::string_view key : list.list_map_keys) {
    if (const Value* value = item.find(key)) {
      keys.emplace_back(key, *value);
      continue;
    }
    ASSIGN_OR_RETURN(Value filled, default_key(list, key));
    if (!filled.is_null()) keys.emplace_back(key, std::move(filled));
  }
  if (keys.empty()) {
    return bad_request("associative list with keys has an element that omits all key fields " +
                       quoted_list(list.list_map_keys) + " (and doesn't have default values for any key fields)");
  }
  return PathElement::key(std::move(keys));
}

Result<PathElement> set_element(const Value& item) {
  if (item.is_object()) return bad_request("associative list without keys has an element that's a map type");
  if (item.is_array()) return bad_request("not supported: associative list with lists as elements");
  if (item.is_null()) return bad_request("associative list without keys has an element that's an explicit null");
  return PathElement::value(item);
}

}  // namespace

TypeRef TypeRef::declared(const Schema* schema, bool inside_open) {
  if (schema == nullptr) return deduced();
  // Alternatives and what holds any JSON are replaced as a whole, whatever their shape.
  const bool any_shape = schema->kind == SchemaKind::Union || schema->kind == SchemaKind::RawExtension;
  if (any_shape) return untyped();
  // Upstream publishes those of custom resources without a type, which lets them be anything.
  if (schema->kind == SchemaKind::IntOrString && schema->name.empty()) return deduced();
  // Named types are the same wherever they are used.
  const bool open = schema->preserve_unknown_fields || (inside_open && schema->name.empty());
  if (schema->kind != SchemaKind::Any) return {schema, Mode::Declared, open};
  return schema->preserve_unknown_fields ? deduced() : untyped();
}

Shape shape_of(const TypeRef& type, const Value* value) {
  if (type.mode == TypeRef::Mode::Declared) return container_shape(*type.schema);
  const bool deduced = type.mode == TypeRef::Mode::Deduced;
  // Without a value nothing tells the kind; a map accepts null.
  if (value == nullptr || value->is_null() || value->is_object()) return deduced ? Shape::Map : Shape::AtomicMap;
  return value->is_array() ? Shape::AtomicList : Shape::Scalar;
}

bool is_granular(Shape shape) {
  return shape == Shape::Map || shape == Shape::Set || shape == Shape::KeyedList;
}

const Value* parts_of(Shape shape, const Value* value) {
  if (value == nullptr || value->empty()) return nullptr;
  return (shape == Shape::Map ? value->is_object() : value->is_array()) ? value : nullptr;
}

TypeRef element_type(const TypeRef& list) {
  if (list.mode != TypeRef::Mode::Declared || list.schema->items == nullptr) return TypeRef::untyped();
  return TypeRef::declared(list.schema->items, list.open);
}

FieldType field_type(const TypeRef& map, std::string_view name) {
  if (map.mode == TypeRef::Mode::Deduced) return {TypeRef::deduced(), false, true};
  if (map.mode == TypeRef::Mode::Untyped) return {TypeRef::untyped(), false, true};
  const Schema& schema = *map.schema;
  if (const Field* field = schema.find(name)) return {TypeRef::declared(field->schema, map.open), true, true};
  if (schema.items != nullptr) return {TypeRef::declared(schema.items, map.open), false, true};
  if (map.open) return {TypeRef::deduced(), false, true};
  if (is_open(schema)) return {TypeRef::untyped(), false, true};
  return {TypeRef::deduced(), false, false};
}

Result<PathElement> item_element(const TypeRef& list, Shape shape, const Value& item) {
  return shape == Shape::KeyedList ? keyed_element(*list.schema, item) : set_element(item);
}

Value zero_object(const Schema& schema) {
  std::vector<Value::Member> members;
  for (const Field& field : schema.fields) {
    if (field.pointer || field.number == 0 || field.schema == nullptr) continue;
    const SchemaKind kind = field.schema->kind;
    if (kind == SchemaKind::Struct) {
      members.push_back({std::string(field.name), zero_object(*field.schema)});
    } else if (field.always_emitted) {
      const bool text = kind == SchemaKind::String, number = kind == SchemaKind::Integer;
      members.push_back({std::string(field.name), text ? Value("") : number ? Value(0) : Value()});
    }
  }
  return Value::object(std::move(members));
}

FieldSet with_named_parents(const TypeRef& type, const FieldSet& set) {
  FieldSet out;
  for (const FieldSet::Entry& entry : set.entries()) {
    const bool field = entry.element.kind() == PathElement::Kind::Field;
    FieldType below{element_type(type), false, true};
    if (field) below = field_type(type, entry.element.text());
    const bool named_parent = field && below.declared && !entry.below.empty();
    out.append({entry.element, entry.member || named_parent, with_named_parents(below.type, entry.below)});
  }
  return out;
}

FieldSet collapse_atomics(const TypeRef& type, const FieldSet& set) {
  FieldSet out;
  for (const FieldSet::Entry& entry : set.entries()) {
    TypeRef below = element_type(type);
    if (entry.element.kind() == PathElement::Kind::Field) below = field_type(type, entry.element.text()).type;
    const bool declared = below.mode == TypeRef::Mode::Declared;
    const Shape shape = declared ? shape_of(below, nullptr) : Shape::Map;
    const bool atomic = shape == Shape::AtomicList || shape == Shape::AtomicMap;
    if (atomic && !entry.below.empty()) {
      out.append({entry.element, true, {}});
    } else {
      out.append({entry.element, entry.member, declared ? collapse_atomics(below, entry.below) : entry.below});
    }
  }
  return out;
}

}  // namespace coracle::kube::patch::internal
