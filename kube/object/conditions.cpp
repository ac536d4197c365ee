#include "kube/object/conditions.h"

#include <utility>
#include <vector>

namespace coracle::kube {
namespace {

const Value kNoCondition;

}  // namespace

const Value& find_condition(const Value& conditions, std::string_view type) {
  for (const Value& entry : conditions.items()) {
    if (entry["type"].as_string() == type) return entry;
  }
  return kNoCondition;
}

bool condition_is_true(const Value& conditions, std::string_view type) {
  return find_condition(conditions, type)["status"].as_string() == "True";
}

Value with_condition(const Value& conditions, const Condition& condition, WallTime now) {
  const Value& old = find_condition(conditions, condition.type);
  Value::ObjectBuilder entry(old);
  if (old.is_null() || old["status"].as_string() != condition.status) entry.set("lastTransitionTime", format_time(now));
  entry.set("type", condition.type);
  entry.set("status", condition.status);
  entry.set("reason", condition.reason);
  entry.set("message", condition.message);
  if (condition.observed_generation) entry.set("observedGeneration", *condition.observed_generation);
  Value made = std::move(entry).build();
  std::vector<Value> entries;
  for (const Value& each : conditions.items()) {
    entries.push_back(each["type"].as_string() == condition.type ? made : each);
  }
  if (old.is_null()) entries.push_back(std::move(made));
  return Value::array(std::move(entries));
}

Value without_condition(const Value& conditions, std::string_view type) {
  std::vector<Value> entries;
  for (const Value& entry : conditions.items()) {
    if (entry["type"].as_string() != type) entries.push_back(entry);
  }
  return Value::array(std::move(entries));
}

}  // namespace coracle::kube
