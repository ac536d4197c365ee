#include "kube/schema/internal/numbers.h"

#include <charconv>
#include <cmath>
#include <cstdint>

#include "base/go_number.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::internal {
namespace {

constexpr double kLargestJsonInteger = 9007199254740991.0;
constexpr double kTolerance = 1e-9;
constexpr double kInt64End = 9223372036854775808.0;

// Judges one number against one node of a schema.
class NumberCheck {
 public:
  NumberCheck(const Value& value, const Schema& schema, const std::string& path, std::vector<Cause>& problems)
      : value_(value), schema_(schema), path_(path), problems_(problems) {}

  void run() {
    check_fits(fits(value_), "Checked");
    if (schema_.constraints == nullptr) return;
    const Constraints& limits = *schema_.constraints;
    if (limits.has_multiple_of) check_multiple(limits.multiple_of);
    if (limits.has_minimum) check_bound(limits.minimum, limits.exclusive_minimum, true);
    if (limits.has_maximum) check_bound(limits.maximum, limits.exclusive_maximum, false);
  }

 private:
  bool fits(const Value& number) const {
    const double as_double = number.as_double();
    if (schema_.kind == SchemaKind::Number && schema_.format == Format::Float) {
      return std::isfinite(static_cast<float>(as_double));
    }
    if (schema_.kind != SchemaKind::Integer) return true;
    const bool narrow = schema_.format == Format::Int32;
    // As a double the largest integers would round to what is too large.
    if (number.is_int() && !narrow) return true;
    const double end = narrow ? 2147483648.0 : kInt64End;
    // Go prints a double with as few digits as it needs, which takes the smallest integer out of its own range.
    const bool above = narrow ? as_double >= -end : as_double > -end;
    return above && as_double < end && std::floor(as_double) == as_double;
  }

  bool check_fits(bool fits, const std::string& what) {
    if (fits) return true;
    const std::string type = schema_.kind == SchemaKind::Integer ? "integer" : "number";
    const std::string format = schema_.format == Format::Int32   ? " with format int32"
                               : schema_.format == Format::Int64 ? " with format int64"
                               : schema_.format == Format::Float ? " with format float"
                                                                 : " (default format)";
    problems_.push_back(
        field_error::invalid({}, "", what + " value must be of type " + type + format + " in " + path_));
    return false;
  }

  void refuse(const std::string& detail) {
    problems_.push_back(field_error::invalid(path_, value_, path_ + " in body should be " + detail));
  }
  void refuse_factor(const Value& factor, const std::string& text) {
    problems_.push_back(
        field_error::invalid(path_, factor, "factor MultipleOf declared for " + path_ + " must be positive: " + text));
  }

  // An integer is divided by an integer: of a factor only its whole part counts then.
  void check_multiple(double factor) {
    if (check_fits(fits(Value(factor)), "MultipleOf") && value_.is_int()) {
      const std::int64_t whole = go_int64(factor);
      if (whole <= 0) return refuse_factor(Value(whole), std::to_string(whole));
      if (value_.as_int() % whole != 0) refuse("a multiple of " + std::to_string(whole));
      return;
    }
    if (factor <= 0) return refuse_factor(Value(factor), number_text(factor));
    const double times = factor < 1 ? 1 / factor * value_.as_double() : value_.as_double() / factor;
    if (!is_json_integer(times)) refuse("a multiple of " + number_text(factor));
  }

  void check_bound(double bound, bool exclusive, bool minimum) {
    const bool same_type = check_fits(fits(Value(bound)), minimum ? "Minimum boundary" : "Maximum boundary");
    const bool as_integers = same_type && value_.is_int();
    const bool good = as_integers ? within(value_.as_int(), go_int64(bound), exclusive, minimum)
                                  : within(value_.as_double(), bound, exclusive, minimum);
    if (good) return;
    refuse(std::string(minimum ? "greater than " : "less than ") + (exclusive ? "" : "or equal to ") +
           (as_integers ? std::to_string(go_int64(bound)) : number_text(bound)));
  }

  template <class Number>
  static bool within(Number value, Number bound, bool exclusive, bool minimum) {
    if (value == bound) return !exclusive;
    return minimum ? value > bound : value < bound;
  }

  const Value& value_;
  const Schema& schema_;
  const std::string& path_;
  std::vector<Cause>& problems_;
};

}  // namespace

std::string number_text(double number) {
  char buffer[64];
  const auto write = [&](std::chars_format format) {
    const auto end = std::to_chars(std::begin(buffer), std::end(buffer), number, format);
    return std::string(std::begin(buffer), end.ptr);
  };
  std::string scientific = write(std::chars_format::scientific);
  const std::size_t mark = scientific.find('e');
  if (mark == std::string::npos) return scientific;
  int exponent = 0;
  const char* digits = scientific.data() + mark + (scientific[mark + 1] == '+' ? 2 : 1);
  std::from_chars(digits, scientific.data() + scientific.size(), exponent);
  constexpr int kFirstScientific = 6;
  return exponent < -4 || exponent >= kFirstScientific ? scientific : write(std::chars_format::fixed);
}

bool is_json_integer(double number) {
  if (!(std::fabs(number) <= kLargestJsonInteger)) return false;
  const double whole = std::trunc(number);
  if (number == whole) return true;
  // Only above zero, and not between zero and one.
  if (number < 1) return false;
  return (number - whole) / (number + whole) < kTolerance;
}

void check_number(const Value& value, const Schema& schema, const std::string& path, std::vector<Cause>& problems) {
  NumberCheck(value, schema, path, problems).run();
}

}  // namespace coracle::kube::internal
