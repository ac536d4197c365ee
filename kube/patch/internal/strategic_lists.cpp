#include "kube/patch/internal/strategic_lists.h"

#include <algorithm>
#include <utility>

namespace coracle::kube::patch::internal {
namespace {

constexpr std::size_t kNotFound = static_cast<std::size_t>(-1);

std::size_t index_of(std::span<const Value> list, const Value& key, std::string_view merge_key) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list_key(list[i], merge_key) == key) return i;
  }
  return kNotFound;
}

struct Ranked {
  std::size_t rank;
  Value item;
};

std::vector<Value> by_rank(std::vector<Ranked> items) {
  std::stable_sort(items.begin(), items.end(), [](const Ranked& a, const Ranked& b) { return a.rank < b.rank; });
  std::vector<Value> out;
  out.reserve(items.size());
  for (Ranked& ranked : items) out.push_back(std::move(ranked.item));
  return out;
}

}  // namespace

FieldStrategy field_strategy(const Schema* parent, std::string_view name) {
  FieldStrategy strategy;
  if (parent == nullptr) return strategy;
  const Field* field = parent->find(name);
  const Schema* schema = field != nullptr ? field->schema : parent->items;
  if (schema == nullptr) return strategy;
  const bool list = schema->kind == SchemaKind::List;
  strategy.schema = list ? schema->items : schema;
  strategy.merge = (schema->patch_strategy & kPatchMerge) != 0;
  strategy.replace_map = !list && (schema->patch_strategy & kPatchReplace) != 0;
  strategy.retain_keys = (schema->patch_strategy & kPatchRetainKeys) != 0;
  strategy.merge_key = schema->patch_merge_key;
  return strategy;
}

const Value& list_key(const Value& item, std::string_view merge_key) {
  return item.is_object() && !merge_key.empty() ? item[merge_key] : item;
}

bool contains_item(std::span<const Value> list, const Value& key, std::string_view merge_key) {
  return index_of(list, key, merge_key) != kNotFound;
}

std::vector<Value> in_patch_order(const std::vector<Value>& merged, std::span<const Value> patch_order,
                                  std::span<const Value> live_order, std::string_view merge_key) {
  std::vector<Ranked> named_ranked, rest_ranked;
  for (const Value& item : merged) {
    const Value& key = list_key(item, merge_key);
    const std::size_t in_patch = index_of(patch_order, key, merge_key);
    if (in_patch != kNotFound) {
      named_ranked.push_back({in_patch, item});
    } else {
      rest_ranked.push_back({index_of(live_order, key, merge_key), item});
    }
  }
  std::vector<Value> named = by_rank(std::move(named_ranked)), rest = by_rank(std::move(rest_ranked));
  std::vector<Value> out;
  out.reserve(merged.size());
  std::size_t i = 0, j = 0;
  while (i < rest.size() || j < named.size()) {
    bool take_rest = j == named.size();
    if (i < rest.size() && j < named.size()) {
      const std::size_t left = index_of(live_order, list_key(rest[i], merge_key), merge_key);
      const std::size_t right = index_of(live_order, list_key(named[j], merge_key), merge_key);
      take_rest = left != kNotFound && right != kNotFound && left < right;
    }
    out.push_back(std::move(take_rest ? rest[i++] : named[j++]));
  }
  return out;
}

}  // namespace coracle::kube::patch::internal
