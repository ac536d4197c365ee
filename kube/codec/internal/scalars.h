#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/value.h"
#include "kube/schema/schema.h"

// Values with a form of their own: how JSON, protobuf and canonical text relate.
namespace coracle::kube::internal {

// The zero time of Go, which JSON prints as null and protobuf as an empty message.
inline constexpr std::int64_t kZeroTimeSeconds = -62135596800;
// What RFC 3339 can write: years 0 to 9999.
inline constexpr std::int64_t kEarliestSeconds = -62167219200;
inline constexpr std::int64_t kLatestSeconds = 253402300799;

// RFC 3339 in UTC: whole seconds for Time, six digits of fraction for MicroTime.
std::string format_instant(Instant instant, bool micro);
// Reads what format_instant writes, and any other RFC 3339 text.
Result<Instant> parse_instant(std::string_view text);

// The canonical JSON form of a scalar with a form of its own (Time, MicroTime, Duration, Quantity, IntOrString, Bytes).
// `value` is not null and is returned as it is when it is canonical.
Result<Value> canonical_scalar(const Value& value, const Schema& schema);

// What Go prints for a field that is not set and has no omitempty.
Value zero_value(const Schema& schema, bool pointer);

// True where Go's omitempty leaves a value out of a field that is no pointer.
bool is_omitted(const Value& value, const Schema& schema);

// "v1.PodSpec", "[]string", "int32": the type's name in Go's messages.
std::string go_type_name(const Schema& schema);
// "object", "number 1.5": the value's name in Go's messages.
std::string go_value_name(const Value& value, const Schema& schema);

}  // namespace coracle::kube::internal
