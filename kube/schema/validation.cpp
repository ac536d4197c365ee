#include "kube/schema/validation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "base/go_text.h"
#include "base/json/json.h"
#include "base/text.h"
#include "base/utf8.h"
#include "kube/object/field_path.h"
#include "kube/object/names.h"
#include "kube/schema/field_error.h"
#include "kube/schema/internal/formats.h"
#include "kube/schema/internal/numbers.h"
#include "kube/schema/internal/pattern.h"
#include "kube/schema/internal/structure_checks.h"

namespace coracle::kube {
namespace {

using internal::identity_of;
using internal::PathStep;

// The name of a value's type in JSON schema.
std::string_view json_type(const Value& value) {
  if (value.is_bool()) return "boolean";
  return value.is_int() ? "integer" : json_kind_name(value);
}

std::string_view expected_type(const Schema& schema) {
  switch (schema.kind) {
    case SchemaKind::Boolean:
      return "boolean";
    case SchemaKind::Integer:
      return "integer";
    case SchemaKind::Number:
      return "number";
    case SchemaKind::IntOrString:
      return "integer,string";
    case SchemaKind::Struct:
    case SchemaKind::Map:
      return "object";
    case SchemaKind::List:
      return "array";
    default:
      return "string";
  }
}

bool has_type(const Value& value, const Schema& schema) {
  const bool whole = value.is_int() || (value.is_double() && internal::is_json_integer(value.as_double()));
  switch (schema.kind) {
    case SchemaKind::Any:
    case SchemaKind::Union:
    case SchemaKind::RawExtension:
    case SchemaKind::FieldsV1:
      return true;
    case SchemaKind::Boolean:
      return value.is_bool();
    case SchemaKind::Integer:
      return whole;
    case SchemaKind::Number:
      return value.is_number();
    case SchemaKind::IntOrString:
      return whole || value.is_string();
    case SchemaKind::Quantity:
      return value.is_number() || value.is_string();
    case SchemaKind::Struct:
    case SchemaKind::Map:
      return value.is_object();
    case SchemaKind::List:
      return value.is_array();
    default:
      return value.is_string();
  }
}

// The format that upstream names in place of the type.
std::string_view format_name(const Schema& schema) {
  if (schema.kind == SchemaKind::String && schema.constraints != nullptr) return schema.constraints->format;
  if (schema.kind == SchemaKind::Integer && schema.format == Format::Int32) return "int32";
  if (schema.kind == SchemaKind::Integer && schema.format == Format::Int64) return "int64";
  if (schema.kind == SchemaKind::Number && schema.format == Format::Float) return "float";
  return schema.kind == SchemaKind::Number && schema.format == Format::Double ? "double" : "";
}

// What Go reads a number into; empty for other values.
std::string_view go_number_type(const Value& value) {
  if (value.is_int()) return "int64";
  return value.is_double() ? "float64" : "";
}

// Fields that are called required and that upstream nevertheless takes empty.
struct EmptyField {
  std::string_view type;
  std::string_view field;
};
constexpr std::array kMayBeEmpty = {
    EmptyField{"io.k8s.api.batch.v1.PodFailurePolicy", "rules"},
    EmptyField{"io.k8s.api.core.v1.LimitRangeSpec", "limits"},
    EmptyField{"io.k8s.api.core.v1.NodeAllocatableResourceClaimStatus", "resources"},
    EmptyField{"io.k8s.api.core.v1.PodExtendedResourceClaimStatus", "requestMappings"},
    EmptyField{"io.k8s.api.storage.v1.CSINodeSpec", "drivers"},
};

// Is a required field missing? What Go always prints is missing where it prints null, except for times, which have
// a zero value of that form.
bool is_missing_field(const Value* member, const Schema& owner, const Field& field) {
  if (!field.always_emitted) return member == nullptr;
  const SchemaKind kind = field.schema->kind;
  if (kind == SchemaKind::Time || kind == SchemaKind::MicroTime || kind == SchemaKind::RawExtension) return false;
  if (member != nullptr && !member->is_null()) return false;
  return std::none_of(kMayBeEmpty.begin(), kMayBeEmpty.end(),
                      [&](const EmptyField& one) { return one.type == owner.name && one.field == field.name; });
}

class Validator {
 public:
  // `path` is the same afterwards.
  void visit(const Value& value, const Schema& schema, std::string& path, const Value* old) {
    if (problems_.size() >= kMaxProblems) return;
    if (old != nullptr && *old == value) return;
    ++matches_;
    if (value.is_null()) {
      // JSON of any kind may be null: an enum of a nullable custom field names null.
      const bool anything = schema.kind == SchemaKind::Any || schema.kind == SchemaKind::RawExtension;
      if (!anything && !schema.nullable) wrong_type(value, schema, path);
      if (schema.constraints != nullptr) check_enum(value, *schema.constraints, path);
      return;
    }
    if (!has_type(value, schema)) wrong_type(value, schema, path);
    // In upstream's order, so that the same problem comes first.
    const Constraints* limits = schema.constraints;
    if (limits != nullptr) check_alternatives(value, *limits, path);
    if (limits != nullptr && value.is_string()) check_text(value, *limits, path);
    if (value.is_number()) internal::check_number(value, schema, path, problems_);
    if (value.is_array() && schema.items != nullptr && schema.kind != SchemaKind::Map) {
      visit_items(value, schema, path, old);
    }
    if (limits != nullptr && value.is_array()) check_array(value, *limits, path);
    if (limits != nullptr) check_enum(value, *limits, path);
    if (limits != nullptr && value.is_object()) check_object(value, *limits, path);
    if (value.is_object()) visit_members(value, schema, path, old);
  }

  std::vector<Cause> take() && { return std::move(problems_); }

 private:
  // Alternatives often find the same.
  void add(Cause cause) {
    const bool known = std::any_of(problems_.begin(), problems_.end(), [&](const Cause& one) {
      return one.message == cause.message && one.field == cause.field;
    });
    if (!known) problems_.push_back(std::move(cause));
  }

  void invalid(const std::string& path, const Value& value, const std::string& detail) {
    add(field_error::invalid(path, value, path + " in body " + detail));
  }

  void wrong_type(const Value& value, const Schema& schema, const std::string& path) {
    std::string_view expected = format_name(schema);
    std::string_view given = go_number_type(value);
    // Of what is neither a text nor a list, the format counts where there is one.
    if (expected.empty() || value.is_null() || value.is_string() || value.is_array()) {
      expected = expected_type(schema);
      given = json_type(value);
    }
    const Value shown(given);
    add(field_error::type_invalid(
        path, shown, path + " in body must be of type " + std::string(expected) + ": " + json::write_raw(shown)));
  }

  void visit_items(const Value& value, const Schema& schema, std::string& path, const Value* old) {
    const std::span<const Value> items = value.items();
    for (std::size_t i = 0; i < items.size(); ++i) {
      const PathStep step = PathStep::index(path, i);
      visit(items[i], *schema.items, path, old_item(items[i], schema, old));
    }
  }

  // Items of a map list are the same if their keys are; others have no history.
  static const Value* old_item(const Value& item, const Schema& schema, const Value* old) {
    if (old == nullptr || schema.list_type != ListType::Map) return nullptr;
    for (const Value& candidate : old->items()) {
      bool same = true;
      for (const std::string_view key : schema.list_map_keys) same = same && candidate[key] == item[key];
      if (same) return &candidate;
    }
    return nullptr;
  }

  void visit_members(const Value& value, const Schema& schema, std::string& path, const Value* old) {
    for (const Value::Member& member : value.members()) {
      const Field* field = schema.find(member.key);
      const Schema* inner = field != nullptr ? field->schema : schema.items;
      if (inner == nullptr || (schema.kind == SchemaKind::List && field == nullptr)) continue;
      // What Go prints as null for want of a value is absent.
      if (field != nullptr && field->always_emitted && member.value.is_null()) continue;
      const PathStep step = PathStep::child(path, member.key);
      visit(member.value, *inner, path, old == nullptr ? nullptr : old->find(member.key));
    }
    for (const Field& field : schema.fields) {
      if (field.required && is_missing_field(value.find(field.name), schema, field)) {
        add(field_error::required(FieldPath(path).child(field.name).text()));
      }
    }
  }

  // As Go prints the maps that it has read.
  static Value sorted(const Value& value) {
    if (!value.is_object() && !value.is_array()) return value;
    return json::read(json::write_sorted(value)).value_or(value);
  }

  // A number is compared as the type that the choice has; null is no choice, only `nullable` allows it.
  static bool is_same_choice(const Value& value, const Value& choice) {
    if (choice.is_null()) return false;
    if (!value.is_number() || !choice.is_number()) return value == choice;
    return choice.is_int() ? std::trunc(value.as_double()) == choice.as_double() || value == choice
                           : value.as_double() == choice.as_double();
  }

  void check_enum(const Value& value, const Constraints& limits, const std::string& path) {
    if (limits.enum_values.empty()) return;
    std::vector<std::string> texts;
    for (const std::string_view one : limits.enum_values) {
      const auto allowed = json::read(one);
      if (!allowed.ok()) continue;
      if (is_same_choice(value, *allowed)) return;
      texts.push_back(allowed->is_string() ? std::string(allowed->as_string()) : std::string(one));
    }
    const std::vector<std::string_view> supported(texts.begin(), texts.end());
    add(field_error::not_supported(path, sorted(value), supported));
  }

  // Length and pattern: the first that does not fit is told.
  void check_text(const Value& value, const Constraints& limits, const std::string& path) {
    const std::string_view text = value.as_string();
    if (limits.max_length >= 0 && static_cast<std::int64_t>(count_runes(text)) > limits.max_length) {
      add(field_error::too_long(path, limits.max_length));
    } else if (limits.min_length >= 0 && static_cast<std::int64_t>(count_runes(text)) < limits.min_length) {
      invalid(path, value, "should be at least " + std::to_string(limits.min_length) + " chars long");
    } else if (!limits.pattern.empty() &&
               (limits.compiled_pattern == nullptr || !limits.compiled_pattern->matches(text))) {
      invalid(path, value, "should match '" + std::string(limits.pattern) + "'");
    }
    if (!limits.format.empty() && !internal::matches_format(limits.format, text)) {
      add(field_error::type_invalid(
          path, value,
          path + " in body must be of type " + std::string(limits.format) + ": " + json::write_raw(value)));
    }
  }

  void check_array(const Value& value, const Constraints& limits, const std::string& path) {
    const auto size = static_cast<std::int64_t>(value.size());
    if (limits.min_items >= 0 && size < limits.min_items) {
      invalid(path, Value(size), "should have at least " + std::to_string(limits.min_items) + " items");
    }
    if (limits.max_items >= 0 && size > limits.max_items) add(field_error::too_many(path, size, limits.max_items));
    if (!limits.unique_items) return;
    std::set<std::string> seen;
    for (const Value& item : value.items()) {
      if (!seen.insert(identity_of(item)).second) return invalid(path, "", "shouldn't contain duplicates");
    }
  }

  void check_object(const Value& value, const Constraints& limits, const std::string& path) {
    const auto size = static_cast<std::int64_t>(value.size());
    if (limits.min_properties >= 0 && size < limits.min_properties) {
      invalid(path, Value(size), "should have at least " + std::to_string(limits.min_properties) + " properties");
    }
    if (limits.max_properties >= 0 && size > limits.max_properties) {
      add(field_error::too_many(path, size, limits.max_properties));
    }
  }

  // The problems of one alternative, and how much of it fits.
  struct Attempt {
    std::vector<Cause> problems;
    std::size_t matches = 0;
  };
  static Attempt attempt(const Value& value, const Schema& schema, std::string& path) {
    Validator inner;
    inner.visit(value, schema, path, nullptr);
    return {std::move(inner.problems_), inner.matches_};
  }

  void merge(std::vector<Cause> problems) {
    for (Cause& cause : problems) add(std::move(cause));
  }

  void junctor(const std::string& path, const std::string& text) {
    add(field_error::invalid({}, "", json::write_raw(Value(path)) + " must " + text));
  }

  void check_alternatives(const Value& value, const Constraints& limits, std::string& path) {
    if (!limits.any_of.empty()) check_any_of(value, limits, path);
    if (!limits.one_of.empty()) check_one_of(value, limits, path);
    std::size_t valid = 0;
    for (const Schema* schema : limits.all_of) {
      Attempt result = attempt(value, *schema, path);
      if (result.problems.empty()) ++valid;
      merge(std::move(result.problems));
    }
    if (valid != limits.all_of.size()) {
      junctor(path, std::string("validate all the schemas (allOf)") + (valid == 0 ? ". None validated" : ""));
    }
    if (limits.negated != nullptr && attempt(value, *limits.negated, path).problems.empty()) {
      junctor(path, "not validate the schema (not)");
    }
  }

  void check_any_of(const Value& value, const Constraints& limits, std::string& path) {
    Attempt best;
    for (const Schema* schema : limits.any_of) {
      Attempt result = attempt(value, *schema, path);
      if (result.problems.empty()) return;
      if (best.problems.empty() || result.matches > best.matches) best = std::move(result);
    }
    junctor(path, "validate at least one schema (anyOf)");
    merge(std::move(best.problems));
  }

  void check_one_of(const Value& value, const Constraints& limits, std::string& path) {
    Attempt best;
    std::size_t valid = 0;
    for (const Schema* schema : limits.one_of) {
      Attempt result = attempt(value, *schema, path);
      if (result.problems.empty()) {
        ++valid;
      } else if (best.problems.empty() || result.matches > best.matches) {
        best = std::move(result);
      }
    }
    if (valid == 1) return;
    junctor(path, "validate one and only one schema (oneOf). " +
                      (valid == 0 ? "Found none valid" : "Found " + std::to_string(valid) + " valid alternatives"));
    if (valid == 0) merge(std::move(best.problems));
  }

  std::vector<Cause> problems_;
  std::size_t matches_ = 0;
};

void collect_immutable(const Value& value, const Value& old, const Schema& schema, const std::string& path,
                       std::vector<Cause>& problems) {
  if (value.same_tree(old)) return;
  for (const Field& field : schema.fields) {
    const std::string child = FieldPath(path).child(field.name).text();
    const Value& now = value[field.name];
    const Value& before = old[field.name];
    if (field.immutable && !(now == before)) {
      problems.push_back(field_error::invalid(child, now, "field is immutable"));
    } else if (field.schema->kind == SchemaKind::Struct && now.is_object() && before.is_object()) {
      collect_immutable(now, before, *field.schema, child, problems);
    }
  }
}

}  // namespace

std::vector<Cause> validate(const Value& value, const Schema& schema, std::string_view path, const Value* old) {
  Validator validator;
  std::string at(path);
  validator.visit(value, schema, at, old);
  std::vector<Cause> problems = std::move(validator).take();
  const auto append = [&](std::vector<Cause> more) {
    for (Cause& cause : more) problems.push_back(std::move(cause));
  };
  if (schema.holds_embedded) append(internal::embedded_problems(value, schema, path));
  std::vector<Cause> repeated = internal::list_problems(value, schema, path);
  if (old == nullptr || repeated.empty() || internal::list_problems(*old, schema, path).empty()) {
    append(std::move(repeated));
  }
  return problems;
}

std::vector<Cause> validate_immutable(const Value& value, const Value& old, const Schema& schema,
                                      std::string_view path) {
  std::vector<Cause> problems;
  collect_immutable(value, old, schema, std::string(path), problems);
  return problems;
}

}  // namespace coracle::kube
