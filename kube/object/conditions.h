#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/value.h"

namespace coracle::kube {

// An entry of status.conditions (metav1.Condition and the older per-kind types).
struct Condition {
  std::string type;
  std::string status;  // "True", "False" or "Unknown"
  std::string reason;
  std::string message;
  std::optional<std::int64_t> observed_generation = {};
};

// The condition's entry, or null. `conditions` is the list.
const Value& find_condition(const Value& conditions, std::string_view type);
bool condition_is_true(const Value& conditions, std::string_view type);
// The list with the condition set: replaced in place or appended. lastTransitionTime becomes `now`
// only when the status differs from before; other fields of the entry are kept.
Value with_condition(const Value& conditions, const Condition& condition, WallTime now);
Value without_condition(const Value& conditions, std::string_view type);

}  // namespace coracle::kube
