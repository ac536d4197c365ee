#include "kube/object/resource_amounts.h"

#include <algorithm>
#include <utility>

namespace coracle::kube {
namespace {

void raise_amounts(ResourceAmounts& amounts, const ResourceAmounts& other) {
  for (const auto& [name, quantity] : other) {
    auto [entry, fresh] = amounts.emplace(name, quantity);
    if (!fresh && entry->second < quantity) entry->second = quantity;
  }
}

}  // namespace

ResourceAmounts read_amounts(const Value& list) {
  ResourceAmounts amounts;
  for (const Value::Member& member : list.members()) {
    Result<Quantity> quantity = Quantity::from_value(member.value);
    if (quantity.ok()) amounts.emplace(member.key, *quantity);
  }
  return amounts;
}

Value write_amounts(const ResourceAmounts& amounts) {
  Value::ObjectBuilder builder;
  for (const auto& [name, quantity] : amounts) builder.append(name, quantity.text());
  return std::move(builder).build();
}

void add_amounts(ResourceAmounts& sum, const ResourceAmounts& more) {
  for (const auto& [name, quantity] : more) {
    auto [entry, fresh] = sum.emplace(name, quantity);
    if (!fresh) entry->second = entry->second + quantity;
  }
}

ResourceAmounts pod_amounts(const Value& pod_spec, std::string_view part) {
  ResourceAmounts sum;
  for (const Value& container : pod_spec["containers"].items()) {
    add_amounts(sum, read_amounts(container["resources"][part]));
  }
  ResourceAmounts sidecars;
  ResourceAmounts start;
  for (const Value& container : pod_spec["initContainers"].items()) {
    ResourceAmounts own = read_amounts(container["resources"][part]);
    if (container["restartPolicy"].as_string() == "Always") {
      add_amounts(sum, own);
      add_amounts(sidecars, own);
      raise_amounts(start, sidecars);
      continue;
    }
    add_amounts(own, sidecars);
    raise_amounts(start, own);
  }
  raise_amounts(sum, start);
  // Resources of the pod as a whole replace what its containers add up to.
  for (auto& [name, quantity] : read_amounts(pod_spec["resources"][part])) sum[name] = quantity;
  return sum;
}

}  // namespace coracle::kube
