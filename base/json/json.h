#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/value.h"

namespace coracle::json {

struct ReadOptions {
  std::size_t max_depth = 200;
  // Receives the path ("data.a", "spec.containers[0].name") of each repeated key in document order;
  // the last value counts.
  std::vector<std::string>* duplicates = nullptr;
  // Members at this path of names ("items.metadata.managedFields"; arrays on the way are passed through) are
  // checked but left out: readers that have no use for large parts do not pay for building them.
  std::string_view omit = {};
};

// One JSON document (RFC 8259). Integers that fit 64 bits become Int, all other numbers Double.
// BadRequest tells line, column and what was expected.
Result<Value> read(std::string_view text, const ReadOptions& options = {});

// Compact, in Go's encoding/json form: no blanks, '<', '>' and '&' as \u003c..., shortest floats.
std::string write(const Value& value);
void write_to(std::string& out, const Value& value);
// The same without escaping '<', '>' and '&'.
std::string write_raw(const Value& value);
// `indent` blanks per level; empty containers as {} and [].
std::string write_pretty(const Value& value, int indent = 2);
// Members sorted by key at every level (Go's map order).
std::string write_sorted(const Value& value);
// A quoted JSON string as `write` prints it.
void write_string(std::string& out, std::string_view text);

// Go's shortest form of a float64 in JSON (exponent below 1e-6 and from 1e21).
std::string format_double(double number);

}  // namespace coracle::json
