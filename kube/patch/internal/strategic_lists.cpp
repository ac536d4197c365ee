#include "kube/patch/internal/strategic_lists.h"

#include <algorithm>
#include <utility>

#include "base/json/json.h"

namespace coracle::kube::patch::internal {
namespace {

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

// Keys are scalars; what a bad list has instead is told apart as well.
std::string key_text(const Value& key) {
  return json::write_sorted(key);
}

KeyIndex::KeyIndex(std::span<const Value> list, std::string_view merge_key) : merge_key_(merge_key) {
  first_.reserve(list.size());
  for (std::size_t i = 0; i < list.size(); ++i) add(list[i], i);
}

std::size_t KeyIndex::find_key(const Value& key) const {
  const auto found = first_.find(key_text(key));
  return found == first_.end() ? kNotFound : found->second;
}

void KeyIndex::add(const Value& item, std::size_t at) {
  first_.emplace(key_text(list_key(item, merge_key_)), at);
}

std::vector<Value> in_patch_order(const std::vector<Value>& merged, std::span<const Value> patch_order,
                                  std::span<const Value> live_order, std::string_view merge_key) {
  constexpr std::size_t kNotFound = KeyIndex::kNotFound;
  const KeyIndex in_patch_list(patch_order, merge_key), in_live_list(live_order, merge_key);
  std::vector<Ranked> named_ranked, rest_ranked;
  for (const Value& item : merged) {
    const std::size_t in_patch = in_patch_list.find(item);
    if (in_patch != kNotFound) {
      named_ranked.push_back({in_patch, item});
    } else {
      rest_ranked.push_back({in_live_list.find(item), item});
    }
  }
  std::vector<Value> named = by_rank(std::move(named_ranked)), rest = by_rank(std::move(rest_ranked));
  std::vector<Value> out;
  out.reserve(merged.size());
  std::size_t i = 0, j = 0;
  while (i < rest.size() || j < named.size()) {
    bool take_rest = j == named.size();
    if (i < rest.size() && j < named.size()) {
      const std::size_t left = in_live_list.find(rest[i]);
      const std::size_t right = in_live_list.find(named[j]);
      take_rest = left != kNotFound && right != kNotFound && left < right;
    }
    out.push_back(std::move(take_rest ? rest[i++] : named[j++]));
  }
  return out;
}

}  // namespace coracle::kube::patch::internal
