#include "kube/schema/field_error.h"

#include "base/json/json.h"
#include "kube/schema/internal/numbers.h"

namespace coracle::kube::field_error {
namespace {

// Go's %q of a text.
std::string quoted(std::string_view text) {
  constexpr std::string_view kShort = "\a\b\f\n\r\t\v\"\\";
  constexpr std::string_view kNames = "abfnrtv\"\\";
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (const std::size_t at = kShort.find(c); at != std::string_view::npos) {
      out.append(1, '\\').append(1, kNames[at]);
    } else if (byte < 0x20 || byte == 0x7F) {
      out.append("\\x").append(1, kHex[byte >> 4U]).append(1, kHex[byte & 0xFU]);
    } else {
      out += c;
    }
  }
  return out + '"';
}

// As Go prints a value: texts quoted, numbers plain, everything else as JSON.
std::string shown(const Value& value) {
  if (value.is_string()) return quoted(value.as_string());
  return value.is_double() ? internal::number_text(value.as_double()) : json::write(value);
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
  return make("FieldValueTooLong", "Too long", field,
              "may not be more than " + std::to_string(maximum) + (maximum == 1 ? " byte" : " bytes"));
}

Cause too_many(std::string_view field, std::int64_t actual, std::int64_t maximum) {
  return make("FieldValueTooMany", "Too many: " + std::to_string(actual), field,
              "must have at most " + std::to_string(maximum) + (maximum == 1 ? " item" : " items"));
}

Cause type_invalid(std::string_view field, const Value& value, std::string_view detail) {
  return make("FieldValueTypeInvalid", "Invalid value: " + shown(value), field, detail);
}

}  // namespace coracle::kube::field_error
