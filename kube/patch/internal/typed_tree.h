#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/value.h"
#include "kube/patch/field_set.h"
#include "kube/schema/schema.h"

// Objects seen through their schema: which values are leaves, which lists merge by what.
namespace coracle::kube::patch::internal {

// The type of a value. Where there is no schema, Deduced tracks maps by field and lists as a whole,
// and Untyped is one leaf.
struct TypeRef {
  enum class Mode : std::uint8_t { Declared, Deduced, Untyped };
  const Schema* schema = nullptr;
  Mode mode = Mode::Deduced;
  bool open = false;  // members that the schema does not know are allowed, here and in what is declared inside

  // `inside_open`: what it is declared in is open.
  static TypeRef declared(const Schema* schema, bool inside_open = false);
  static TypeRef deduced() { return {nullptr, Mode::Deduced}; }
  static TypeRef untyped() { return {nullptr, Mode::Untyped}; }
};

enum class Shape : std::uint8_t { Scalar, AtomicList, Set, KeyedList, AtomicMap, Map };

// How `value` (null where it is absent) is treated under its type.
Shape shape_of(const TypeRef& type, const Value* value);
// True for what is merged by parts.
bool is_granular(Shape shape);
// `value` where it is a container of that shape with something in it, else null: null, empty and
// misfitting values have no parts.
const Value* parts_of(Shape shape, const Value* value);
TypeRef element_type(const TypeRef& list);
struct FieldType {
  TypeRef type;
  bool declared = false;  // a field of the struct, not an entry of a map
  bool known = true;      // false: the schema does not allow the field
};
FieldType field_type(const TypeRef& map, std::string_view name);

// The path element of a list's item; an error text where it has none.
Result<PathElement> item_element(const TypeRef& list, Shape shape, const Value& item);

struct Comparison {
  FieldSet added, modified, removed;
  bool same() const { return added.empty() && modified.empty() && removed.empty(); }
};

// Either side may be null (absent). Values that do not fit the schema count as leaves.
Comparison compare(const TypeRef& type, const Value* left, const Value* right);

// Every leaf and every item that the value mentions.
FieldSet to_field_set(const TypeRef& type, const Value& value);

// What does not fit the schema, ".spec.x: field not declared in schema"; repeated items of lists with
// keys are wrong unless allowed.
std::vector<std::string> check_typed(const TypeRef& type, const Value& value, bool allow_duplicates);

// `applied` over `live`: nothing is removed; lists with keys merge by item.
Value merge_typed(const TypeRef& type, const Value& live, const Value& applied);

// Without the members of the set. A container below that becomes empty stays as {} or [].
Value remove_items(const TypeRef& type, const Value& value, const FieldSet& items);

// Also the parents of the set's fields, where they are fields of structs.
FieldSet with_named_parents(const TypeRef& type, const FieldSet& set);

// A set written when a now atomic value was still tracked by parts: the whole stands for its parts.
FieldSet collapse_atomics(const TypeRef& type, const FieldSet& set);

// What Go's zero value of a built-in type looks like: a new object starts from it, so that structs
// which every object has are not created by whoever fills them.
Value zero_object(const Schema& schema);

// Without the nulls that no value of a built-in type has after decoding: fields of structs and, as zero values, entries
// of maps.
Value without_nulls(const TypeRef& type, const Value& value);

}  // namespace coracle::kube::patch::internal
