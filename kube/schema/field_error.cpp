#include "kube/schema/field_error.h"

#include "base/json/json.h"

namespace coracle::kube::field_error {
namespace {

// Strings are quoted as they are, everything else is printed as JSON.
std::string shown(const Value& value) {
  return value.is_string() ? json::write_raw(value) : json::write(value);
}

Cause make(std::string_view reason, std::string message, std::string_view field, std::string_view detail = {}) {
  if (!detail.empty()) {
    message += ": ";
    message += detail;
  }
  return {std::string(reason), std::move(message), std::string(field.empty() ? kRootField : field)};
}

}  // namespace

Cause invalid(std::string_view field, const Value& value, std::string_view detail) {
  return make("FieldValueInvalid", "Invalid value: " + shown(value), field, detail);
}

Cause required(std::string_view field, std::string_view detail) {
  return make("FieldValueRequired", "Required value", field, detail);
}

Cause forbidden(std::string_view field, std::string_view detail) {
  return make("FieldValueForbidden", "Forbidden", field, detail);
}

Cause not_supported(std::string_view field, const Value& value, std::span<const std::string_view> supported) {
  std::string detail;
  for (const std::string_view one : supported) {
    detail += detail.empty() ? "supported values: " : ", ";
    detail += json::write_raw(Value(one));
  }
  return make("FieldValueNotSupported", "Unsupported value: " + shown(value), field, detail);
}

Cause duplicate(std::string_view field, const Value& value) {
  return make("FieldValueDuplicate", "Duplicate value: " + shown(value), field);
}

Cause not_found(std::string_view field, const Value& value, std::string_view detail) {
  return make("FieldValueNotFound", "Not found: " + shown(value), field, detail);
}

Cause too_long(std::string_view field, std::int64_t maximum) {
  return make("FieldValueTooLong", "Too long", field, "may not be more than " + std::to_string(maximum) + " bytes");
}

Cause too_many(std::string_view field, std::int64_t actual, std::int64_t maximum) {
  return make("FieldValueTooMany", "Too many: " + std::to_string(actual), field,
              "must have at most " + std::to_string(maximum) + (maximum == 1 ? " item" : " items"));
}

Cause type_invalid(std::string_view field, const Value& value, std::string_view detail) {
  return make("FieldValueTypeInvalid", "Invalid value: " + shown(value), field, detail);
}

}  // namespace coracle::kube::field_error
