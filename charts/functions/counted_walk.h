#pragma once

#include <cstddef>

#include "charts/template/evaluator.h"
#include "charts/template/function.h"

namespace coracle::charts {

// What a node takes: to compare it, and to make another of it.
inline constexpr std::size_t kItemsOfComparison = 4;
inline constexpr std::size_t kItemsOfCopy = 8;

// Runs a walk over values, which gets the budget of one walk, and counts the nodes that it visited.
template <class Outcome, class Walk>
Result<Outcome> counted_walk(const Call& call, std::size_t items_of_node, Walk walk) {
  std::size_t nodes = kMaxWalkedNodes;
  Result<Outcome> outcome = walk(nodes);
  const bool done = outcome.ok();
  TRY(call.evaluator.steps().count_items((kMaxWalkedNodes - nodes) * items_of_node));
  if (!done) return outcome.error();
  return outcome;
}

inline Result<bool> counted_equal(const Call& call, const GoValue& a, const GoValue& b) {
  return counted_walk<bool>(call, kItemsOfComparison, [&](std::size_t& nodes) { return deep_equal(a, b, nodes); });
}

}  // namespace coracle::charts
