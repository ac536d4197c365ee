#include "kube/codec/internal/scalars.h"

#include <array>
#include <chrono>
#include <cstdio>

#include "base/clock.h"
#include "base/encoding.h"
#include "base/go_text.h"
#include "base/json/json.h"
#include "kube/object/quantity.h"

namespace coracle::kube::internal {
namespace {

constexpr std::size_t kTimeLength = std::string_view("2006-01-02T15:04:05Z").size();
constexpr std::size_t kMicroTimeLength = std::string_view("2006-01-02T15:04:05.000000Z").size();

// The number in `length` digits at `at`, or -1.
int digits_at(std::string_view text, std::size_t at, std::size_t length) {
  int number = 0;
  for (const char c : text.substr(at, length)) {
    if (c < '0' || c > '9') return -1;
    number = number * 10 + (c - '0');
  }
  return number;
}

// Reads the fixed form of format_instant; false for any other text.
bool scan_canonical(std::string_view text, Instant& out) {
  if (text.size() != kTimeLength && text.size() != kMicroTimeLength) return false;
  if (text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':') return false;
  if (text.back() != 'Z') return false;
  const int year = digits_at(text, 0, 4);
  const int month = digits_at(text, 5, 2);
  const int day = digits_at(text, 8, 2);
  const int hour = digits_at(text, 11, 2);
  const int minute = digits_at(text, 14, 2);
  const int second = digits_at(text, 17, 2);
  if (year < 0 || month < 1 || day < 1 || hour < 0 || hour > 23 || minute < 0 || minute > 59) return false;
  if (second < 0 || second > 59) return false;
  const std::chrono::year_month_day date(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  if (!date.ok()) return false;
  int micros = 0;
  if (text.size() == kMicroTimeLength) {
    micros = digits_at(text, 20, 6);
    if (text[19] != '.' || micros < 0) return false;
  }
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  out.seconds = days * 86400 + hour * 3600 + minute * 60 + second;
  out.nanos = micros * 1000;
  return true;
}

// One element of the layout that Go reads a time by.
struct LayoutStep {
  std::string_view element;  // as Go's messages name it
  std::size_t digits;        // 0: the element itself must stand there
  int least, most;
  std::string_view name;  // of the part, where a number may be out of range
};

constexpr std::array kLayout = {
    LayoutStep{"2006", 4, 0, 9999, "year"}, LayoutStep{"-", 0, 0, 0, ""},         LayoutStep{"01", 2, 1, 12, "month"},
    LayoutStep{"-", 0, 0, 0, ""},           LayoutStep{"02", 2, 1, 31, "day"},    LayoutStep{"T", 0, 0, 0, ""},
    LayoutStep{"15", 2, 0, 23, "hour"},     LayoutStep{":", 0, 0, 0, ""},         LayoutStep{"04", 2, 0, 59, "minute"},
    LayoutStep{":", 0, 0, 0, ""},           LayoutStep{"05", 2, 0, 59, "second"},
};

constexpr std::string_view kMicroLayoutFraction = ".000000";

// Why Go does not read a text as a time, in its words.
Error time_error(std::string_view text, bool micro) {
  const std::string shown = "parsing time " + json::write_raw(Value(text));
  const auto mismatch = [&](std::string_view rest, std::string_view element) {
    return bad_request(shown + " as \"2006-01-02T15:04:05" + std::string(micro ? kMicroLayoutFraction : "") +
                       "Z07:00\": cannot parse " + json::write_raw(Value(rest)) + " as \"" + std::string(element) +
                       "\"");
  };
  std::string_view rest = text;
  std::string_view out_of_range;
  for (const LayoutStep& step : kLayout) {
    if (step.digits == 0) {
      if (!rest.starts_with(step.element)) return mismatch(rest, step.element);
      rest.remove_prefix(step.element.size());
      continue;
    }
    const int number = rest.size() < step.digits ? -1 : digits_at(rest, 0, step.digits);
    if (number < 0) return mismatch(rest, step.element);
    if (out_of_range.empty() && (number < step.least || number > step.most)) out_of_range = step.name;
    rest.remove_prefix(step.digits);
  }
  if (out_of_range.empty() && micro) {
    const std::size_t digits = kMicroLayoutFraction.size() - 1;
    if (rest.size() <= digits || rest.front() != '.' || digits_at(rest, 1, digits) < 0) {
      return mismatch(rest, kMicroLayoutFraction);
    }
    rest.remove_prefix(digits + 1);
  }
  // The day may be one that the month does not have.
  if (out_of_range.empty() && (rest == "Z" || rest.size() == std::string_view("+00:00").size())) out_of_range = "day";
  if (!out_of_range.empty()) return bad_request(shown + ": " + std::string(out_of_range) + " out of range");
  return mismatch(rest, "Z07:00");
}

// Six digits of fraction, as Go's layout of a MicroTime asks for.
bool has_micro_fraction(std::string_view text) {
  constexpr std::size_t kSeconds = std::string_view("2006-01-02T15:04:05").size();
  const std::size_t end = text.find_first_not_of("0123456789", kSeconds + 1);
  return text.size() > kSeconds && text[kSeconds] == '.' && end == kSeconds + kMicroLayoutFraction.size();
}

Result<Value> canonical_time(const Value& value, bool micro) {
  const std::string_view text = value.as_string();
  Instant instant;
  const bool canonical = scan_canonical(text, instant) && text.size() == (micro ? kMicroTimeLength : kTimeLength);
  if (!canonical) {
    const auto parsed = parse_instant(text);
    if (!parsed.ok() || (micro && !has_micro_fraction(text))) return time_error(text, micro);
    instant = *parsed;
  }
  if (instant.seconds == kZeroTimeSeconds && instant.nanos == 0) return Value();
  if (canonical) return value;
  return Value(format_instant(instant, micro));
}

// Any kind of value is read by its text, so that a wrong one gets the quantity's own message.
Result<Value> canonical_quantity(const Value& value) {
  const std::string text = value.is_string() ? std::string(value.as_string()) : json::write(value);
  ASSIGN_OR_RETURN(const Quantity quantity, Quantity::parse(text));
  std::string canonical = quantity.text();
  if (value.is_string() && canonical == value.as_string()) return value;
  return Value(canonical);
}

Result<Value> canonical_duration(const Value& value) {
  ASSIGN_OR_RETURN(const Duration duration, parse_duration(value.as_string()));
  const std::string text = format_duration(duration);
  return text == value.as_string() ? value : Value(text);
}

Result<Value> checked_bytes(const Value& value) {
  const std::string_view text = value.as_string();
  const auto decoded = base64_decode(text);
  if (decoded.ok()) return value;
  // Go's reader skips line breaks inside base64; what is kept has none.
  if (text.find_first_of("\r\n") != std::string_view::npos) {
    std::string joined;
    for (const char c : text) {
      if (c != '\r' && c != '\n') joined += c;
    }
    if (base64_decode(joined).ok()) return Value(joined);
  }
  std::size_t at = 0;
  const auto in_alphabet = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
  };
  while (at < text.size() && in_alphabet(text[at])) ++at;
  // A last group that is not whole is told by its beginning.
  if (at == text.size()) at -= at % 4;
  return bad_request("illegal base64 data at input byte " + std::to_string(at));
}

}  // namespace

std::string format_instant(Instant instant, bool micro) {
  const std::chrono::sys_seconds time{std::chrono::seconds(instant.seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::array<char, 64> text{};
  const int length = std::snprintf(
      text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
      static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()));
  std::string out(text.data(), static_cast<std::size_t>(length));
  if (micro) {
    std::snprintf(text.data(), text.size(), ".%06d", instant.nanos / 1000);
    out += text.data();
  }
  return out + "Z";
}

Result<Instant> parse_instant(std::string_view text) {
  Instant instant;
  if (scan_canonical(text, instant)) return instant;
  return coracle::parse_instant(text);
}

Result<Value> canonical_scalar(const Value& value, const Schema& schema) {
  switch (schema.kind) {
    case SchemaKind::Time:
      return canonical_time(value, false);
    case SchemaKind::MicroTime:
      return canonical_time(value, true);
    case SchemaKind::Duration:
      return canonical_duration(value);
    case SchemaKind::Quantity:
      return canonical_quantity(value);
    case SchemaKind::Bytes:
      return checked_bytes(value);
    default:
      return value;
  }
}

Value zero_value(const Schema& schema, bool pointer) {
  if (pointer) return Value();
  switch (schema.kind) {
    case SchemaKind::Boolean:
      return Value(false);
    case SchemaKind::Integer:
    case SchemaKind::Number:
    case SchemaKind::IntOrString:
      return Value(0);
    case SchemaKind::String:
      return Value("");
    case SchemaKind::Quantity:
      return Value("0");
    case SchemaKind::Duration:
      return Value("0s");
    case SchemaKind::Struct: {
      Value::ObjectBuilder object;
      for (const Field& field : schema.fields) {
        if (field.always_emitted) object.append(std::string(field.name), zero_value(*field.schema, field.pointer));
      }
      return std::move(object).build();
    }
    default:
      return Value();
  }
}

bool is_omitted(const Value& value, const Schema& schema) {
  // Go's omitempty never leaves out a struct, and these kinds are structs.
  switch (schema.kind) {
    case SchemaKind::Quantity:
    case SchemaKind::IntOrString:
    case SchemaKind::Duration:
    case SchemaKind::Struct:
    case SchemaKind::Any:
    case SchemaKind::RawExtension:
      return value.is_null();
    default:
      return is_zero(value);
  }
}

std::string go_type_name(const Schema& schema) {
  switch (schema.kind) {
    case SchemaKind::Boolean:
      return "bool";
    case SchemaKind::Integer:
      return schema.format == Format::Int32 ? "int32" : "int64";
    case SchemaKind::IntOrString:
      return "int32";
    case SchemaKind::Number:
      return "float64";
    case SchemaKind::Bytes:
      return "[]uint8";
    case SchemaKind::List:
      return "[]" + go_type_name(*schema.items);
    case SchemaKind::Map:
      return "map[string]" + go_type_name(*schema.items);
    case SchemaKind::Struct:
    case SchemaKind::Union: {
      // "io.k8s.api.core.v1.Pod" is "v1.Pod".
      const std::size_t last = schema.name.rfind('.');
      if (last == std::string_view::npos || last == 0) return "object";
      const std::size_t before = schema.name.rfind('.', last - 1);
      return std::string(schema.name.substr(before == std::string_view::npos ? 0 : before + 1));
    }
    default:
      return "string";
  }
}

std::string go_value_name(const Value& value, const Schema& schema) {
  const bool numeric =
      schema.kind == SchemaKind::Integer || schema.kind == SchemaKind::Number || schema.kind == SchemaKind::IntOrString;
  const std::string name(json_kind_name(value));
  return value.is_number() && numeric ? name + " " + json::write(value) : name;
}

}  // namespace coracle::kube::internal
