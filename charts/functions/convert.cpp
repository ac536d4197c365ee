#include "charts/functions/convert.h"

#include "base/go_number.h"
#include "charts/template/bounded_text.h"
#include "charts/template/go_format.h"
#include "charts/template/go_number.h"

namespace coracle::charts {
namespace {

// "1.00" counts as the integer 1; "1.5" does not.
std::string_view trim_zero_decimal(std::string_view text) {
  const std::size_t point = text.find('.');
  if (point == std::string_view::npos || point == 0) return text;
  if (text.find_first_not_of('0', point + 1) != std::string_view::npos) return text;
  return text.substr(0, point);
}

}  // namespace

std::string to_text(const GoValue& value) {
  if (value.is_string() || value.type() == GoValue::Type::Bytes) return value.text();
  return go_print(value);
}

std::int64_t to_integer(const GoValue& value) {
  switch (value.type()) {
    case GoValue::Type::Float64:
      return go_int64(value.as_double());
    case GoValue::Type::String:
      return parse_go_int(trim_zero_decimal(value.text())).value_or(0);
    case GoValue::Type::Bool:
      return value.as_bool() ? 1 : 0;
    default:
      return value.is_integer() ? value.as_integer() : 0;
  }
}

double to_number(const GoValue& value) {
  if (value.is_number()) return value.as_double();
  if (value.is_string()) return parse_go_float(value.text()).value_or(0);
  return value.type() == GoValue::Type::Bool && value.as_bool() ? 1 : 0;
}

Result<std::vector<std::string>> to_texts(const GoValue& value) {
  std::vector<std::string> texts;
  if (!value.is_list()) {
    if (!value.is_nil()) texts.push_back(to_text(value));
    return texts;
  }
  std::size_t size = 0;
  for (const GoValue& item : value.as_list().items) {
    if (item.is_nil()) continue;
    texts.push_back(to_text(item));
    size += texts.back().size();
    if (size > kMaxText) return result_too_large();
  }
  return texts;
}

bool is_empty(const GoValue& value) {
  return !value.truth();
}

Result<const GoList*> list_argument(const GoValue& value, std::string_view verb) {
  if (value.is_nil()) return nil_dereference();
  if (!value.is_list()) {
    return bad_request("Cannot " + std::string(verb) + " on type " + std::string(value.kind_name()));
  }
  return &value.as_list();
}

Error conversion_error(const GoValue& value, std::string_view wanted) {
  return bad_request("interface conversion: interface {} is " + (value.is_nil() ? "nil" : value.type_name()) +
                     ", not " + std::string(wanted));
}

Error nil_dereference() {
  return bad_request("runtime error: invalid memory address or nil pointer dereference");
}

}  // namespace coracle::charts
