#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/value.h"

namespace coracle::kube {

// resource.Quantity: an exact decimal number with nine places, and the form in which it was written.
// Finer fractions round away from zero; whole parts go up to about 1.7e29, binary ones to 2^63-1.
class Quantity {
 public:
  enum class Format : std::uint8_t { DecimalSI, BinarySI, DecimalExponent };

  Quantity() = default;
  static Quantity of(std::int64_t value, Format format = Format::DecimalSI);
  // "100m", "1.5Gi", "2e3"; BadRequest in upstream's words.
  static Result<Quantity> parse(std::string_view text);
  // Text or number; null is zero.
  static Result<Quantity> from_value(const Value& value);

  Format format() const { return format_; }
  bool is_zero() const { return nano_ == 0; }
  int sign() const { return nano_ < 0 ? -1 : nano_ > 0 ? 1 : 0; }
  // Whole units and thousandths, rounded up, saturating at the ends of int64.
  std::int64_t value() const;
  std::int64_t milli_value() const;
  double as_double() const;

  // Upstream's canonical form: "1500m", "1Gi", "12e6".
  std::string text() const;
  // Rounded up to thousandths, as the API server defaults resource lists.
  Quantity rounded_up_to_milli() const;

  // The first operand keeps its format, unless it is zero. Results saturate.
  Quantity operator+(const Quantity& other) const;
  Quantity operator-(const Quantity& other) const;
  Quantity operator*(std::int64_t factor) const;
  Quantity operator-() const;
  // By value: 1000m equals 1.
  std::strong_ordering operator<=>(const Quantity& other) const { return nano_ <=> other.nano_; }
  bool operator==(const Quantity& other) const { return nano_ == other.nano_; }

 private:
  using Wide = __int128;
  Quantity(Wide nano, Format format) : nano_(nano), format_(format) {}
  std::string decimal_text(bool exponent_form) const;
  std::string binary_text() const;

  Wide nano_ = 0;
  Format format_ = Format::DecimalSI;
};

}  // namespace coracle::kube
