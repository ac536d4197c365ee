#include "kube/codec/normalise.h"

#include <cmath>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>

#include "kube/codec/internal/scalars.h"
#include "kube/object/field_path.h"
#include "kube/schema/canonical.h"
#include "kube/schema/field_error.h"

namespace coracle::kube {
namespace {

using internal::canonical_scalar;
using internal::is_omitted;
using internal::zero_value;

// Whole numbers beyond this lose digits as a double.
constexpr double kExactDouble = 9007199254740992.0;
// Room for most objects from the start.
constexpr std::size_t kUsualDepth = 8;
constexpr std::size_t kUsualFields = 32;

class Normaliser {
 public:
  explicit Normaliser(std::vector<std::string>* unknown) : unknown_(unknown) {
    path_.reserve(kUsualDepth);
    results_.reserve(kUsualFields);
  }

  Result<Value> run(const Value& value, const Schema& schema) {
    Value result = visit(value, schema);
    if (error_) return *error_;
    return result;
  }

 private:
  // One step of the path: a field or a key, or an index where `name` is empty.
  struct Step {
    std::string_view name;
    std::size_t index = 0;
    bool field = false;
    std::string_view owner{};  // the structure that the field belongs to
  };

  Value visit(const Value& value, const Schema& schema) {
    if (error_) return {};
    if (++values_ > kMaxDecodedValues) {
      fail("the object holds more than " + std::to_string(kMaxDecodedValues) + " values");
      return {};
    }
    switch (schema.kind) {
      case SchemaKind::Struct:
        return visit_struct(value, schema);
      case SchemaKind::List:
        return visit_list(value, schema);
      case SchemaKind::Map:
        return visit_map(value, schema);
      case SchemaKind::Union:
        return visit_union(value, schema);
      case SchemaKind::Any:
      case SchemaKind::RawExtension:
      case SchemaKind::FieldsV1:
        return value;
      default:
        return visit_scalar(value, schema);
    }
  }

  Value visit_scalar(const Value& value, const Schema& schema) {
    if (!fits(value, schema)) return mismatch(value, schema);
    if (schema.kind == SchemaKind::Number && value.is_double() && std::floor(value.as_double()) == value.as_double() &&
        std::fabs(value.as_double()) < kExactDouble) {
      return Value(static_cast<std::int64_t>(value.as_double()));
    }
    auto canonical = canonical_scalar(value, schema);
    if (!canonical.ok()) {
      fail(canonical.error().message());
      return {};
    }
    return *std::move(canonical);
  }

  static bool fits(const Value& value, const Schema& schema) {
    switch (schema.kind) {
      case SchemaKind::Boolean:
        return value.is_bool();
      case SchemaKind::Integer:
        return value.is_int() && (schema.format != Format::Int32 || fits_int32(value));
      case SchemaKind::IntOrString:
        return value.is_string() || (value.is_int() && fits_int32(value));
      case SchemaKind::Number:
        return value.is_number();
      case SchemaKind::Quantity:
        return true;
      default:
        return value.is_string();
    }
  }

  static bool fits_int32(const Value& value) { return value.as_int() >= INT32_MIN && value.as_int() <= INT32_MAX; }

  Value visit_struct(const Value& value, const Schema& schema) {
    if (!value.is_object()) return mismatch(value, schema);
    if (value.empty()) {
      Value zero = shared_zero(schema);
      return zero.empty() ? value : zero;
    }
    // Results by field, in document order first, so that unknown fields are reported in that order.
    const std::size_t base = results_.size();
    results_.resize(base + schema.fields.size());
    bool changed = false;
    std::size_t expected = 0;  // members mostly come in the order of the fields
    for (const Value::Member& member : value.members()) {
      const std::size_t at = find_from(schema, member.key, expected);
      if (at == schema.fields.size()) {
        report_unknown(member.key);
        changed = true;
        continue;
      }
      changed = changed || at < expected;
      expected = at + 1;
      const Field& field = schema.fields[at];
      if (member.value.is_null()) {
        changed = changed || !field.always_emitted || !zero_of(*field.schema, field.pointer).is_null();
        continue;
      }
      path_.push_back({field.name, 0, true, schema.name});
      Value result = visit(member.value, *field.schema);
      path_.pop_back();
      if (!field.pointer && is_omitted(result, *field.schema)) {
        // Printed as its zero value, or not at all.
        changed = changed || !field.always_emitted || !(zero_of(*field.schema, false) == result);
        continue;
      }
      changed = changed || !result.same_tree(member.value);
      results_[base + at] = std::move(result);
    }
    Value assembled = assemble(value, schema, std::span(results_).subspan(base), changed);
    results_.resize(base);
    return assembled;
  }

  Value assemble(const Value& value, const Schema& schema, std::span<std::optional<Value>> results, bool changed) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (results[i] || schema.fields[i].always_emitted) ++count;
    }
    if (!changed && count == value.size()) return value;
    Value::ObjectBuilder object;
    for (std::size_t i = 0; i < results.size(); ++i) {
      const Field& field = schema.fields[i];
      if (results[i]) {
        object.append(std::string(field.name), *std::move(results[i]));
      } else if (field.always_emitted) {
        object.append(std::string(field.name), zero_of(*field.schema, field.pointer));
      }
    }
    return std::move(object).build();
  }

  static std::size_t find_from(const Schema& schema, std::string_view key, std::size_t start) {
    const std::size_t count = schema.fields.size();
    for (std::size_t i = start; i < count; ++i) {
      if (schema.fields[i].name == key) return i;
    }
    for (std::size_t i = 0; i < start; ++i) {
      if (schema.fields[i].name == key) return i;
    }
    return count;
  }

  Value visit_list(const Value& value, const Schema& schema) {
    if (!value.is_array()) return mismatch(value, schema);
    std::vector<Value> items;
    bool changed = false;
    const std::span<const Value> given = value.items();
    items.reserve(given.size());
    for (std::size_t i = 0; i < given.size() && !error_; ++i) {
      path_.push_back({{}, i});
      items.push_back(given[i].is_null() ? zero_of(*schema.items, false) : visit(given[i], *schema.items));
      path_.pop_back();
      changed = changed || !items.back().same_tree(given[i]);
    }
    return changed ? Value::array(std::move(items)) : value;
  }

  Value visit_map(const Value& value, const Schema& schema) {
    if (!value.is_object()) return mismatch(value, schema);
    // Maps of plain texts are the common case and rarely change.
    Value::ObjectBuilder object;
    bool changed = false;
    const std::span<const Value::Member> given = value.members();
    for (std::size_t i = 0; i < given.size() && !error_; ++i) {
      const Value::Member& member = given[i];
      path_.push_back({member.key});
      Value result = member.value.is_null() ? zero_of(*schema.items, false) : visit(member.value, *schema.items);
      path_.pop_back();
      if (!changed && !result.same_tree(member.value)) {
        changed = true;
        for (std::size_t before = 0; before < i; ++before) object.append(given[before].key, given[before].value);
      }
      if (changed) object.append(member.key, std::move(result));
    }
    return sorted_members(changed ? std::move(object).build() : value);
  }

  Value visit_union(const Value& value, const Schema& schema) {
    for (const Field& field : schema.fields) {
      const SchemaKind kind = field.schema->kind;
      if ((kind == SchemaKind::Boolean && value.is_bool()) || (kind == SchemaKind::List && value.is_array()) ||
          (kind == SchemaKind::Struct && value.is_object())) {
        // Go decodes these types by code of their own, which drops unknown fields in silence.
        std::vector<std::string>* const told = std::exchange(unknown_, nullptr);
        Value result = visit(value, *field.schema);
        unknown_ = told;
        return result;
      }
    }
    return mismatch(value, schema);
  }

  Value zero_of(const Schema& schema, bool pointer) {
    if (pointer || schema.kind != SchemaKind::Struct) return zero_value(schema, pointer);
    return shared_zero(schema);
  }

  // One tree for all empty structures of a type.
  Value shared_zero(const Schema& schema) {
    const auto [found, fresh] = zeros_.try_emplace(&schema);
    if (fresh) found->second = zero_value(schema, false);
    return found->second;
  }

  Value mismatch(const Value& value, const Schema& schema) {
    std::string text = "json: cannot unmarshal " + internal::go_value_name(value, schema) + " into Go ";
    std::string_view owner;
    std::string path;
    for (const Step& step : path_) {
      if (!step.field) continue;
      if (!path.empty()) path += '.';
      path += step.name;
      owner = step.owner;
    }
    if (path.empty()) {
      text += "value";
    } else {
      const std::size_t dot = owner.rfind('.');
      text += "struct field ";
      text += owner.substr(dot == std::string_view::npos ? 0 : dot + 1);
      text += "." + path;
    }
    fail(text + " of type " + internal::go_type_name(schema));
    return {};
  }

  void report_unknown(std::string_view key) {
    if (unknown_ == nullptr) return;
    std::string path;
    for (const Step& step : path_) {
      if (step.name.empty() && !step.field) {
        path += "[" + std::to_string(step.index) + "]";
        continue;
      }
      if (!path.empty()) path += '.';
      path += step.name;
    }
    if (!path.empty()) path += '.';
    path += key;
    unknown_->push_back(std::move(path));
  }

  void fail(std::string message) {
    if (!error_) error_ = bad_request(std::move(message));
  }

  std::vector<std::string>* unknown_;
  std::vector<Step> path_;
  std::vector<std::optional<Value>> results_;  // of the structures that are being visited, inner ones last
  std::unordered_map<const Schema*, Value> zeros_;
  std::size_t values_ = 0;
  std::optional<Error> error_;
};

const Schema& object_meta() {
  static const Schema* const kObjectMeta = find_builtin_type("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
  return *kObjectMeta;
}

// Walks a custom resource along its schema to the resources inside.
class EmbeddedNormaliser {
 public:
  Result<Value> visit(const Value& value, const Schema& schema, const FieldPath& path) {
    if (!schema.holds_embedded) return value;
    if (value.is_array() && schema.kind == SchemaKind::List) return visit_list(value, *schema.items, path);
    if (!value.is_object() || schema.kind == SchemaKind::List) return value;
    Value::ObjectBuilder object;
    bool changed = false;
    for (const Value::Member& member : value.members()) {
      const FieldPath inner = path.empty() ? FieldPath(member.key) : path.child(member.key);
      ASSIGN_OR_RETURN(Value kept, visit_member(member, schema, inner));
      changed = changed || !kept.same_tree(member.value);
      object.append(member.key, std::move(kept));
    }
    return changed ? std::move(object).build() : value;
  }

 private:
  Result<Value> visit_list(const Value& value, const Schema& items, const FieldPath& path) {
    std::vector<Value> kept;
    bool changed = false;
    for (std::size_t i = 0; i < value.size(); ++i) {
      ASSIGN_OR_RETURN(Value item, visit(value.at(i), items, path.index(i)));
      changed = changed || !item.same_tree(value.at(i));
      kept.push_back(std::move(item));
    }
    return changed ? Value::array(std::move(kept)) : value;
  }

  Result<Value> visit_member(const Value::Member& member, const Schema& owner, const FieldPath& path) {
    const bool type = member.key == "apiVersion" || member.key == "kind";
    if (owner.embedded_resource && type && !member.value.is_string()) {
      return refused(path, member.value, "must be a string");
    }
    if (owner.embedded_resource && member.key == "metadata") {
      const Value given = member.value.is_null() ? Value::object() : member.value;
      auto metadata = Normaliser(nullptr).run(given, object_meta());
      if (!metadata.ok()) return refused(path, member.value, metadata.error().message());
      return metadata;
    }
    const Field* field = owner.find(member.key);
    const Schema* schema = field != nullptr ? field->schema : owner.items;
    return schema == nullptr ? member.value : visit(member.value, *schema, path);
  }

  static Error refused(const FieldPath& path, const Value& value, std::string_view detail) {
    return bad_request(path.text() + ": " + field_error::invalid(path.text(), value, detail).message);
  }
};

}  // namespace

Result<Value> normalise(const Value& value, const Schema& schema, std::vector<std::string>* unknown) {
  return Normaliser(unknown).run(value, schema);
}

Result<Value> normalise_custom(const Value& value, std::vector<std::string>* unknown) {
  if (!value.is_object()) return bad_request("json: cannot unmarshal a value that is no object into an API object");
  static const Field kMetadataField[] = {{.name = "metadata", .schema = &object_meta(), .always_emitted = true}};
  static const Schema kMetadata = {.kind = SchemaKind::Struct, .name = "ObjectMeta", .fields = kMetadataField};
  const Value wrapped = Value::object({{"metadata", value["metadata"]}});
  ASSIGN_OR_RETURN(const Value metadata, normalise(wrapped, kMetadata, unknown));
  Value::ObjectBuilder object;
  for (const std::string_view key : {"apiVersion", "kind"}) {
    if (const Value* found = value.find(key)) object.append(std::string(key), *found);
  }
  object.append("metadata", metadata["metadata"]);
  for (const Value::Member& member : value.members()) {
    if (member.key == "apiVersion" || member.key == "kind" || member.key == "metadata") continue;
    object.append(member.key, member.value);
  }
  return std::move(object).build();
}

Result<Value> normalise_embedded(const Value& value, const Schema& schema) {
  return EmbeddedNormaliser().visit(value, schema, FieldPath());
}

}  // namespace coracle::kube
