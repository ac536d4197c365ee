// sprig's arithmetic. Integer functions convert whatever they are given and truncate.

#include <algorithm>
#include <cmath>
#include <optional>

#include "charts/functions/convert.h"
#include "charts/template/evaluator.h"
#include "charts/template/function.h"
#include "charts/template/go_format.h"
#include "charts/template/go_number.h"
#include "charts/template/go_quote.h"

namespace coracle::charts {
namespace {

using Output = Result<GoValue>;

// Elements of a sequence that a template may ask for.
constexpr std::uint64_t kMaxSequence = 1'000'000;

// Go's integers wrap around.
std::int64_t wrap_add(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
std::int64_t wrap_multiply(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}

Output number_add(const Call& call) {
  std::int64_t sum = 0;
  for (const GoValue& arg : call.args) sum = wrap_add(sum, to_integer(arg));
  return GoValue::integer64(sum);
}

Output number_mul(const Call& call) {
  std::int64_t product = to_integer(call[0]);
  for (const GoValue& arg : call.args.subspan(1)) product = wrap_multiply(product, to_integer(arg));
  return GoValue::integer64(product);
}

Output divide(const Call& call, bool remainder) {
  const std::int64_t a = to_integer(call[0]);
  const std::int64_t b = to_integer(call[1]);
  if (b == 0) return bad_request("runtime error: integer divide by zero");
  if (b == -1) return GoValue::integer64(remainder ? 0 : wrap_multiply(a, -1));
  return GoValue::integer64(remainder ? a % b : a / b);
}

Output number_div(const Call& call) {
  return divide(call, false);
}
Output number_mod(const Call& call) {
  return divide(call, true);
}

Output number_max(const Call& call) {
  std::int64_t best = to_integer(call[0]);
  for (const GoValue& arg : call.args.subspan(1)) best = std::max(best, to_integer(arg));
  return GoValue::integer64(best);
}

Output number_min(const Call& call) {
  std::int64_t best = to_integer(call[0]);
  for (const GoValue& arg : call.args.subspan(1)) best = std::min(best, to_integer(arg));
  return GoValue::integer64(best);
}

Output number_maxf(const Call& call) {
  double best = to_number(call[0]);
  for (const GoValue& arg : call.args.subspan(1)) best = std::max(best, to_number(arg));
  return GoValue::number(best);
}

Output number_minf(const Call& call) {
  double best = to_number(call[0]);
  for (const GoValue& arg : call.args.subspan(1)) best = std::min(best, to_number(arg));
  return GoValue::number(best);
}

// A decimal number, since sprig's float functions compute in decimal: 0.1 + 0.2 is 0.3.
struct DecimalNumber {
  __int128 digits;
  int exponent;
};

std::optional<DecimalNumber> decimal_of(double number) {
  if (!std::isfinite(number)) return std::nullopt;
  const std::string text = go_format_float(number, 'e', -1);
  DecimalNumber decimal{0, 0};
  std::size_t i = text[0] == '-' ? 1 : 0;
  bool fraction = false;
  for (; text[i] != 'e'; ++i) {
    if (text[i] == '.') {
      fraction = true;
      continue;
    }
    decimal.digits = decimal.digits * 10 + (text[i] - '0');
    if (fraction) --decimal.exponent;
  }
  decimal.exponent += static_cast<int>(parse_go_int(std::string_view(text).substr(i + 1), 10).value_or(0));
  if (text[0] == '-') decimal.digits = -decimal.digits;
  return decimal;
}

double number_of(const DecimalNumber& decimal) {
  const bool negative = decimal.digits < 0;
  auto magnitude = static_cast<unsigned __int128>(negative ? -decimal.digits : decimal.digits);
  std::string text;
  do {
    text += static_cast<char>('0' + static_cast<int>(magnitude % 10));
    magnitude /= 10;
  } while (magnitude != 0);
  if (negative) text += '-';
  std::reverse(text.begin(), text.end());
  text += "e" + std::to_string(decimal.exponent);
  return parse_go_float(text).value_or(0);
}

// Brings both to one exponent; false when the digits would not fit.
bool align(DecimalNumber& a, DecimalNumber& b) {
  constexpr int kMostShift = 18;
  DecimalNumber& larger = a.exponent > b.exponent ? a : b;
  const int shift = std::abs(a.exponent - b.exponent);
  if (shift > kMostShift) return false;
  for (int i = 0; i < shift; ++i) larger.digits *= 10;
  larger.exponent -= shift;
  return true;
}

double decimal_operation(double a, double b, char operation) {
  auto x = decimal_of(a);
  auto y = decimal_of(b);
  if (x && y) {
    if (operation == '*') return number_of({x->digits * y->digits, x->exponent + y->exponent});
    if (operation != '/' && align(*x, *y)) {
      return number_of({operation == '+' ? x->digits + y->digits : x->digits - y->digits, x->exponent});
    }
  }
  switch (operation) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    default:
      return a / b;
  }
}

Output fold_numbers(std::span<const GoValue> args, double start, char operation) {
  double value = start;
  for (const GoValue& arg : args) {
    const double operand = to_number(arg);
    if (operation == '/' && operand == 0) return bad_request("decimal division by 0");
    value = decimal_operation(value, operand, operation);
  }
  return GoValue::number(value);
}

Output number_round(const Call& call) {
  const double value = to_number(call[0]);
  const double round_on = call.size() > 2 ? to_number(call[2]) : 0.5;
  const double scale = std::pow(10.0, static_cast<double>(call.integer(1)));
  const double scaled = scale * value;
  double whole = 0;
  const double fraction = std::modf(scaled, &whole);
  return GoValue::number((fraction >= round_on ? std::ceil(scaled) : std::floor(scaled)) / scale);
}

// The numbers from `start` up or down to `stop`, which is not among them; none when `step` leads away from it.
Output sequence(std::int64_t start, std::int64_t stop, std::int64_t step) {
  auto list = std::make_shared<GoList>();
  list->element = ElementType::Int;
  if (start == stop || step == 0 || (stop > start) != (step > 0)) return GoValue::list(std::move(list));
  // Without signs: the whole range of an int64 is a distance too.
  const auto first = static_cast<std::uint64_t>(start);
  const auto last = static_cast<std::uint64_t>(stop);
  const std::uint64_t distance = step > 0 ? last - first : first - last;
  const std::uint64_t stride = step > 0 ? static_cast<std::uint64_t>(step) : 0 - static_cast<std::uint64_t>(step);
  const std::uint64_t count = (distance - 1) / stride + 1;
  if (count > kMaxSequence) {
    return bad_request("a sequence of more than " + std::to_string(kMaxSequence) + " numbers");
  }
  list->items.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    list->items.push_back(GoValue::integer(static_cast<std::int64_t>(first + i * static_cast<std::uint64_t>(step))));
  }
  return GoValue::list(std::move(list));
}

Output number_until(const Call& call) {
  return sequence(0, call.integer(0), call.integer(0) < 0 ? -1 : 1);
}

Output number_until_step(const Call& call) {
  return sequence(call.integer(0), call.integer(1), call.integer(2));
}

Output number_seq(const Call& call) {
  std::int64_t first = 1;
  std::int64_t step = 1;
  std::int64_t last = 0;
  switch (call.size()) {
    case 1:
      last = call.integer(0);
      if (last < first) step = -1;
      break;
    case 2:
      first = call.integer(0);
      last = call.integer(1);
      if (last < first) step = -1;
      break;
    case 3:
      first = call.integer(0);
      step = call.integer(1);
      last = call.integer(2);
      if (step == 0 || (last < first && step > 0)) return GoValue::string("");
      break;
    default:
      return GoValue::string("");
  }
  const bool down = last < first;
  if (down != (step < 0) && first != last) return GoValue::string("");
  ASSIGN_OR_RETURN(const GoValue numbers, sequence(first, wrap_add(last, down ? -1 : 1), step));
  std::string out;
  for (const GoValue& number : numbers.as_list().items) {
    if (!out.empty()) out += ' ';
    out += std::to_string(number.as_integer());
  }
  return GoValue::string(std::move(out));
}

Output number_rand_int(const Call& call) {
  const std::int64_t range = wrap_add(call.integer(1), wrap_multiply(call.integer(0), -1));
  if (range <= 0) return bad_request("invalid argument to Intn");
  const std::uint64_t chosen = call.evaluator.environment().random.below(static_cast<std::uint64_t>(range));
  return GoValue::integer(wrap_add(call.integer(0), static_cast<std::int64_t>(chosen)));
}

Output number_atoi(const Call& call) {
  return GoValue::integer(parse_saturating_int(call.text(0)));
}

Output number_to_decimal(const Call& call) {
  return GoValue::integer64(parse_go_int(go_print(call[0]), 8).value_or(0));
}

constexpr Function kNumbers[] = {
    {"add", "a*", number_add},
    {"add1", "a", [](const Call& c) -> Output { return GoValue::integer64(wrap_add(to_integer(c[0]), 1)); }},
    {"sub", "aa",
     [](const Call& c) -> Output {
       return GoValue::integer64(wrap_add(to_integer(c[0]), wrap_multiply(to_integer(c[1]), -1)));
     }},
    {"mul", "aa*", number_mul},
    {"div", "aa", number_div},
    {"mod", "aa", number_mod},
    {"max", "aa*", number_max},
    {"biggest", "aa*", number_max},
    {"min", "aa*", number_min},
    {"maxf", "aa*", number_maxf},
    {"minf", "aa*", number_minf},
    {"add1f", "a", [](const Call& c) -> Output { return fold_numbers(c.args, 1, '+'); }},
    {"addf", "a*", [](const Call& c) -> Output { return fold_numbers(c.args, 0, '+'); }},
    {"subf", "aa*", [](const Call& c) -> Output { return fold_numbers(c.args.subspan(1), to_number(c[0]), '-'); }},
    {"mulf", "aa*", [](const Call& c) -> Output { return fold_numbers(c.args.subspan(1), to_number(c[0]), '*'); }},
    {"divf", "aa*", [](const Call& c) -> Output { return fold_numbers(c.args.subspan(1), to_number(c[0]), '/'); }},
    {"ceil", "a", [](const Call& c) -> Output { return GoValue::number(std::ceil(to_number(c[0]))); }},
    {"floor", "a", [](const Call& c) -> Output { return GoValue::number(std::floor(to_number(c[0]))); }},
    {"round", "aif*", number_round},
    {"until", "i", number_until},
    {"untilStep", "iii", number_until_step},
    {"seq", "i*", number_seq},
    {"randInt", "ii", number_rand_int},
    {"atoi", "s", number_atoi},
    {"int", "a", [](const Call& c) -> Output { return GoValue::integer(to_integer(c[0])); }},
    {"int64", "a", [](const Call& c) -> Output { return GoValue::integer64(to_integer(c[0])); }},
    {"float64", "a", [](const Call& c) -> Output { return GoValue::number(to_number(c[0])); }},
    {"toDecimal", "a", number_to_decimal},
};

}  // namespace

std::span<const Function> number_functions() {
  return kNumbers;
}

}  // namespace coracle::charts
