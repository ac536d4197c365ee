#include "kube/schema/defaulting.h"

#include <unordered_map>

#include "base/json/json.h"
#include "base/text.h"
#include "kube/object/quantity.h"
#include "kube/schema/internal/default_hooks.h"

namespace coracle::kube {
namespace internal {

DefaultHook find_default_hook(const Schema& schema) {
  // Nodes of one type that merge differently share their fields.
  static const std::unordered_map<const Field*, DefaultHook> kHooks = [] {
    std::unordered_map<const Field*, DefaultHook> hooks;
    for (const auto rows : {core_default_hooks(), group_default_hooks()}) {
      for (const DefaultHookRow& row : rows) {
        if (const Schema* type = find_builtin_type(row.type)) hooks[type->fields.data()] = row.hook;
      }
    }
    return hooks;
  }();
  const auto found = kHooks.find(schema.fields.data());
  return found == kHooks.end() ? nullptr : found->second;
}

const Schema& field_schema(const Schema& owner, std::string_view field) {
  static const Schema kAnything;
  const Field* found = owner.find(field);
  if (found == nullptr) return kAnything;
  return found->schema->kind == SchemaKind::List ? *found->schema->items : *found->schema;
}

}  // namespace internal

namespace {

// The value of a default; the table's texts are checked by a test, a CRD's when it is compiled.
Value default_value(std::string_view json_text) {
  if (json_text == "{}") return Value::object();
  if (json_text == "true" || json_text == "false") return Value(json_text == "true");
  if (json_text.size() >= 2 && json_text.front() == '"' && json_text.find('\\') == std::string_view::npos) {
    return Value(json_text.substr(1, json_text.size() - 2));
  }
  if (const auto number = parse_int(json_text)) return Value(*number);
  auto value = json::read(json_text);
  return value.ok() ? *std::move(value) : Value();
}

// Does a field's value leave room for its default? A null that a nullable field was given is a value.
bool is_missing(const Value& owner, const Value& value, const Field& field) {
  if (value.is_null()) return !field.schema->nullable || !owner.contains(field.name);
  return !field.pointer && is_zero(value);
}

class Defaulter {
 public:
  explicit Defaulter(WallTime now) : now_(now) {}

  Value visit(const Value& value, const Schema& schema) const {
    if (!schema.has_defaults) return value;
    // What a class of runtimes costs is taken as it is given; where a pod gets it, it is rounded.
    if (schema.kind == SchemaKind::Struct && schema.name.ends_with(".node.v1.Overhead")) return value;
    switch (schema.kind) {
      case SchemaKind::Struct:
        return visit_struct(value, schema);
      case SchemaKind::List:
        return visit_list(value, schema);
      case SchemaKind::Map:
        return schema.items->kind == SchemaKind::Quantity ? round_amounts(value) : visit_map(value, schema);
      default:
        return value;
    }
  }

 private:
  Value visit_struct(const Value& value, const Schema& schema) const {
    if (!value.is_object()) return value;
    internal::StructDraft draft(value, schema);
    for (std::size_t i = 0; i < schema.fields.size(); ++i) {
      const Field& field = schema.fields[i];
      if (field.default_json.empty() || !is_missing(value, draft.at(i), field)) continue;
      Value filled = default_value(field.default_json);
      // What Go would leave out again stays out.
      if (field.pointer || !is_zero(filled)) draft.set_at(i, std::move(filled));
    }
    if (const internal::DefaultHook hook = internal::find_default_hook(schema)) hook(draft, now_);
    for (std::size_t i = 0; i < schema.fields.size(); ++i) {
      const Field& field = schema.fields[i];
      if (!field.schema->has_defaults) continue;
      const bool implied = draft.at(i).is_null() && !field.pointer && field.schema->kind == SchemaKind::Struct;
      if (draft.at(i).is_null() && !implied) continue;
      Value filled = visit(implied ? Value::object() : draft.at(i), *field.schema);
      if (!implied || !filled.empty()) draft.set_at(i, std::move(filled));
    }
    Value result = std::move(draft).build();
    return schema.items != nullptr && schema.items->has_defaults ? visit_additional(result, schema) : result;
  }

  // Members of a structure beyond its fields (additionalProperties beside properties).
  Value visit_additional(const Value& value, const Schema& schema) const {
    Value::ObjectBuilder object;
    for (const Value::Member& member : value.members()) {
      const bool known = schema.find(member.key) != nullptr;
      object.append(member.key, known ? member.value : visit(member.value, *schema.items));
    }
    return std::move(object).build();
  }

  Value visit_item(const Value& item, const Schema& schema) const {
    if (item.is_null() && !schema.nullable && !schema.default_json.empty()) {
      return visit(default_value(schema.default_json), schema);
    }
    return visit(item, schema);
  }

  Value visit_list(const Value& value, const Schema& schema) const {
    std::vector<Value> items(value.items().begin(), value.items().end());
    bool changed = false;
    for (Value& item : items) {
      Value filled = visit_item(item, *schema.items);
      changed = changed || !filled.same_tree(item);
      item = std::move(filled);
    }
    return changed ? Value::array(std::move(items)) : value;
  }

  Value visit_map(const Value& value, const Schema& schema) const {
    Value::ObjectBuilder object;
    bool changed = false;
    for (const Value::Member& member : value.members()) {
      Value filled = visit_item(member.value, *schema.items);
      changed = changed || !filled.same_tree(member.value);
      object.append(member.key, std::move(filled));
    }
    return changed ? std::move(object).build() : value;
  }

  // Amounts finer than thousandths cannot be counted and are rounded up.
  static Value round_amounts(const Value& value) {
    Value result = value;
    for (const Value::Member& member : value.members()) {
      const std::string_view text = member.value.as_string();
      // Canonical texts end in 'n' or 'u', or in an exponent, when they are that fine.
      if (text.find_first_of("nue") == std::string_view::npos) continue;
      const auto amount = Quantity::parse(text);
      if (!amount.ok()) continue;
      const std::string rounded = amount->rounded_up_to_milli().text();
      if (rounded != text) result = result.with(member.key, Value(rounded));
    }
    return result;
  }

  WallTime now_;
};

}  // namespace

Value apply_defaults(const Value& value, const Schema& schema, WallTime now) {
  return Defaulter(now).visit(value, schema);
}

std::string_view default_pull_policy(std::string_view image) {
  if (image.empty()) return "IfNotPresent";
  const std::size_t digest = image.find('@');
  const std::string_view name = image.substr(0, digest);
  const std::size_t slash = name.rfind('/');
  const std::size_t colon = name.find(':', slash == std::string_view::npos ? 0 : slash);
  // A digest names one image for good; without it no tag means "latest".
  if (colon == std::string_view::npos) return digest == std::string_view::npos ? "Always" : "IfNotPresent";
  return name.substr(colon + 1) == "latest" ? "Always" : "IfNotPresent";
}

}  // namespace coracle::kube
