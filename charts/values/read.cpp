// Values as texts give them.

#include "charts/values.h"

#include "base/go_text.h"
#include "base/yaml/yaml.h"
#include "charts/template/go_quote.h"

namespace coracle::charts {

Value numbers_as_read(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::Int:
      return Value(static_cast<double>(value.as_int()));
    case Value::Kind::Array: {
      Value::ArrayBuilder builder;
      for (const Value& item : value.items()) builder.add(numbers_as_read(item));
      return std::move(builder).build();
    }
    case Value::Kind::Object: {
      Value::ObjectBuilder builder;
      for (const Value::Member& member : value.members()) builder.append(member.key, numbers_as_read(member.value));
      return std::move(builder).build();
    }
    default:
      return value;
  }
}

Value merge_values(const Value& base, const Value& over) {
  if (!base.is_object() || !over.is_object()) return over;
  Value::ObjectBuilder builder(base);
  for (const Value::Member& member : over.members()) {
    const Value* present = base.find(member.key);
    builder.set(member.key, present != nullptr ? merge_values(*present, member.value) : member.value);
  }
  return std::move(builder).build();
}

Result<Value> read_values(std::string_view text) {
  ASSIGN_OR_RETURN(const auto documents, yaml::read_all(text, {.strict = false}));
  Value values = Value::object();
  for (const yaml::Document& document : documents) {
    if (document.value.is_null()) continue;
    if (!document.value.is_object()) {
      return bad_request("line " + std::to_string(document.line) + ": values must be a map, this is " +
                         std::string(json_kind_name(document.value)));
    }
    values = merge_values(values, numbers_as_read(document.value));
  }
  return values;
}

std::string scalar_text(const Value& value) {
  if (value.is_bool()) return value.as_bool() ? "true" : "false";
  if (value.is_int()) return std::to_string(value.as_int());
  if (value.is_double()) return go_format_float(value.as_double(), 'g', -1);
  return std::string(value.as_string());
}

}  // namespace coracle::charts
