#include "kube/object/quantity.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "base/json/json.h"
#include "base/text.h"

namespace coracle::kube {
namespace {

using Wide = __int128;
using UnsignedWide = unsigned __int128;

constexpr Wide kWideMax = static_cast<Wide>(~static_cast<UnsignedWide>(0) >> 1U);
constexpr Wide kNanosPerUnit = 1'000'000'000;
constexpr Wide kNanosPerMilli = 1'000'000;
constexpr int kNanoDigits = 9;
constexpr int kMaxExponent = 38;  // powers of ten beyond this do not fit the number anyway
constexpr std::int64_t kInt64Max = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kInt64Min = std::numeric_limits<std::int64_t>::min();

constexpr std::string_view kWrongFormat =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
constexpr std::string_view kWrongSuffix = "unable to parse quantity's suffix";
constexpr std::string_view kWrongNumber = "unable to parse numeric part of quantity";

struct Suffix {
  std::string_view text;
  int exponent;  // of ten, or of two
};

constexpr std::array kDecimalSuffixes = {Suffix{"n", -9}, Suffix{"u", -6}, Suffix{"m", -3}, Suffix{"", 0},
                                         Suffix{"k", 3},  Suffix{"M", 6},  Suffix{"G", 9},  Suffix{"T", 12},
                                         Suffix{"P", 15}, Suffix{"E", 18}};
constexpr std::array kBinarySuffixes = {Suffix{"Ki", 10}, Suffix{"Mi", 20}, Suffix{"Gi", 30},
                                        Suffix{"Ti", 40}, Suffix{"Pi", 50}, Suffix{"Ei", 60}};

struct Scale {
  Quantity::Format format;
  int exponent;
};

std::optional<Scale> read_suffix(std::string_view text) {
  for (const Suffix& suffix : kDecimalSuffixes) {
    if (suffix.text == text) return Scale{Quantity::Format::DecimalSI, suffix.exponent};
  }
  for (const Suffix& suffix : kBinarySuffixes) {
    if (suffix.text == text) return Scale{Quantity::Format::BinarySI, suffix.exponent};
  }
  if (text.size() < 2 || (text[0] != 'e' && text[0] != 'E')) return std::nullopt;
  const auto exponent = parse_signed_int<int>(text.substr(1));
  if (!exponent) return std::nullopt;
  return Scale{Quantity::Format::DecimalExponent, *exponent};
}

// [eEinumkKMGTP]*[-+]?[0-9]*
bool has_suffix_form(std::string_view text) {
  std::size_t at = std::min(text.find_first_not_of("eEinumkKMGTP"), text.size());
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
  return text.find_first_not_of("0123456789", at) == std::string_view::npos;
}

bool multiply(Wide& value, Wide factor) {
  return !__builtin_mul_overflow(value, factor, &value);
}

Wide saturated_add(Wide a, Wide b) {
  Wide sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return a < 0 ? -kWideMax : kWideMax;
}

// Away from zero.
Wide divide_up(Wide value, Wide divisor) {
  const Wide quotient = value / divisor;
  if (value % divisor == 0) return quotient;
  return value < 0 ? quotient - 1 : quotient + 1;
}

std::int64_t clamp(Wide value) {
  return static_cast<std::int64_t>(std::clamp<Wide>(value, kInt64Min, kInt64Max));
}

// digits * 10^exponent in nanos, fractions of a nano rounded away from zero. Nothing when it is too large.
std::optional<Wide> scaled_to_nano(std::string_view whole, std::string_view fraction, int exponent) {
  Wide value = 0;
  for (const std::string_view digits : {whole, fraction}) {
    for (const char digit : digits) {
      if (!multiply(value, 10) || __builtin_add_overflow(value, static_cast<Wide>(digit - '0'), &value))
        return std::nullopt;
    }
  }
  int shift = exponent - static_cast<int>(fraction.size()) + kNanoDigits;
  if (value == 0) return value;
  for (; shift > 0; --shift) {
    if (!multiply(value, 10)) return std::nullopt;
  }
  bool rest = false;
  for (; shift < 0 && value != 0; ++shift) {
    rest = rest || value % 10 != 0;
    value /= 10;
  }
  return rest ? value + 1 : value;
}

std::string wide_text(Wide value) {
  const bool negative = value < 0;
  UnsignedWide rest = negative ? 0 - static_cast<UnsignedWide>(value) : static_cast<UnsignedWide>(value);
  std::string digits;
  do {
    digits += static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  } while (rest != 0);
  if (negative) digits += '-';
  std::reverse(digits.begin(), digits.end());
  return digits;
}

std::string_view strip_leading_zeros(std::string_view digits) {
  const std::size_t first = digits.find_first_not_of('0');
  return first == std::string_view::npos ? std::string_view() : digits.substr(first);
}

std::string_view strip_trailing_zeros(std::string_view digits) {
  const std::size_t last = digits.find_last_not_of('0');
  return last == std::string_view::npos ? std::string_view() : digits.substr(0, last + 1);
}

}  // namespace

Quantity Quantity::of(std::int64_t value, Format format) {
  return {static_cast<Wide>(value) * kNanosPerUnit, format};
}

Result<Quantity> Quantity::parse(std::string_view text) {
  std::string_view rest = text;
  const bool negative = !rest.empty() && rest[0] == '-';
  if (!rest.empty() && (rest[0] == '-' || rest[0] == '+')) rest.remove_prefix(1);
  const std::size_t number_end = std::min(rest.find_first_not_of("0123456789."), rest.size());
  const std::string_view number = rest.substr(0, number_end);
  const std::string_view suffix = rest.substr(number_end);
  if (number.empty() || !has_suffix_form(suffix)) return bad_request(std::string(kWrongFormat));
  const std::size_t point = number.find('.');
  std::string_view fraction = point == std::string_view::npos ? std::string_view() : number.substr(point + 1);
  if (fraction.find('.') != std::string_view::npos) return bad_request(std::string(kWrongFormat));
  if (number == ".") return bad_request(std::string(kWrongNumber));
  const std::string_view whole = strip_leading_zeros(number.substr(0, point));
  fraction = strip_trailing_zeros(fraction);
  const auto scale = read_suffix(suffix);
  if (!scale) return bad_request(std::string(kWrongSuffix));

  const bool binary = scale->format == Format::BinarySI;
  const int exponent = binary ? 0 : std::clamp(scale->exponent, -2 * kMaxExponent, kMaxExponent);
  std::optional<Wide> nano = scaled_to_nano(whole, fraction, exponent);
  Format format = scale->format;
  if (nano && binary) {
    const Wide cap = static_cast<Wide>(kInt64Max) * kNanosPerUnit;
    Wide product = *nano;
    nano = multiply(product, static_cast<Wide>(1) << static_cast<unsigned>(scale->exponent)) ? std::min(product, cap)
                                                                                             : cap;
    if (*nano > 0 && *nano < kNanosPerUnit) format = Format::DecimalSI;
  }
  if (!nano) return bad_request(std::string(kWrongNumber) + ": " + std::string(text) + " is too large");
  return Quantity(negative ? -*nano : *nano, format);
}

Result<Quantity> Quantity::from_value(const Value& value) {
  if (value.is_null()) return Quantity();
  if (value.is_string()) return parse(value.as_string());
  if (value.is_int()) return of(value.as_int());
  if (value.is_double()) return parse(json::format_double(value.as_double()));
  return bad_request(std::string(kWrongFormat));
}

std::int64_t Quantity::value() const {
  return clamp(divide_up(nano_, kNanosPerUnit));
}

std::int64_t Quantity::milli_value() const {
  return clamp(divide_up(nano_, kNanosPerMilli));
}

double Quantity::as_double() const {
  return static_cast<double>(nano_) / static_cast<double>(kNanosPerUnit);
}

std::string Quantity::text() const {
  if (nano_ == 0) return "0";
  if (format_ == Format::DecimalExponent) return decimal_text(true);
  constexpr Wide kSmallestBinary = 1024 * kNanosPerUnit;
  const bool small = nano_ > -kSmallestBinary && nano_ < kSmallestBinary;
  if (format_ == Format::BinarySI && !small && nano_ % kNanosPerUnit == 0) return binary_text();
  return decimal_text(false);
}

std::string Quantity::decimal_text(bool exponent_form) const {
  constexpr int kGroup = 3;
  constexpr int kLargestSuffix = 18;
  Wide mantissa = nano_;
  int exponent = -kNanoDigits;
  constexpr Wide kThousand = 1000;
  while ((exponent_form || exponent < kLargestSuffix) && mantissa % kThousand == 0) {
    mantissa /= kThousand;
    exponent += kGroup;
  }
  std::string text = wide_text(mantissa);
  if (exponent_form) return exponent == 0 ? text : text + "e" + std::to_string(exponent);
  for (const Suffix& suffix : kDecimalSuffixes) {
    if (suffix.exponent == exponent) text += suffix.text;
  }
  return text;
}

std::string Quantity::binary_text() const {
  constexpr Wide kStep = 1024;
  Wide mantissa = nano_ / kNanosPerUnit;
  std::size_t steps = 0;
  while (steps < kBinarySuffixes.size() && mantissa % kStep == 0) {
    mantissa /= kStep;
    ++steps;
  }
  return wide_text(mantissa) + (steps == 0 ? std::string() : std::string(kBinarySuffixes[steps - 1].text));
}

Quantity Quantity::rounded_up_to_milli() const {
  return {divide_up(nano_, kNanosPerMilli) * kNanosPerMilli, format_};
}

Quantity Quantity::operator+(const Quantity& other) const {
  return {saturated_add(nano_, other.nano_), nano_ == 0 ? other.format_ : format_};
}

Quantity Quantity::operator-(const Quantity& other) const {
  return *this + -other;
}

Quantity Quantity::operator*(std::int64_t factor) const {
  Wide product = nano_;
  if (!multiply(product, factor)) product = (nano_ < 0) == (factor < 0) ? kWideMax : -kWideMax;
  return {product, format_};
}

Quantity Quantity::operator-() const {
  return {-nano_, format_};
}

}  // namespace coracle::kube
