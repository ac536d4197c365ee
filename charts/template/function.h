#pragma once

#include <span>
#include <string_view>

#include "base/result.h"
#include "charts/template/go_value.h"

namespace coracle::charts {

class Evaluator;

// The arguments of one call, already checked against the function's parameters.
struct Call {
  Evaluator& evaluator;
  std::span<const GoValue> args;

  std::size_t size() const { return args.size(); }
  const GoValue& operator[](std::size_t index) const { return args[index]; }
  const std::string& text(std::size_t index) const { return args[index].text(); }
  std::int64_t integer(std::size_t index) const { return args[index].as_integer(); }
};

// A template function with its Go signature, since text/template checks arguments against it:
// s string, i int, l int64, f float64, b bool, a interface {}, m map[string]interface {},
// L []interface {}, S []string, t time.Time, B []byte, c a certificate, v reflect.Value;
// a trailing '*' makes the last one variadic.
struct Function {
  std::string_view name;
  std::string_view parameters;
  Result<GoValue> (*body)(const Call& call);
};

// The function, or nullptr. The table is constant and complete: Go's, Helm's and sprig's.
const Function* find_function(std::string_view name);

// Tables of the files that implement the functions.
std::span<const Function> builtin_functions();
std::span<const Function> string_functions();
std::span<const Function> list_functions();
std::span<const Function> dict_functions();
std::span<const Function> number_functions();
std::span<const Function> default_functions();
std::span<const Function> encoding_functions();
std::span<const Function> date_functions();
std::span<const Function> crypto_functions();
std::span<const Function> text_functions();   // regex, semver, paths, URLs
std::span<const Function> chart_functions();  // Helm's own
std::span<const Function> unsupported_functions();

}  // namespace coracle::charts
