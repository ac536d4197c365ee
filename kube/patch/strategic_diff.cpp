#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "kube/patch/internal/strategic_lists.h"
#include "kube/patch/patch.h"

namespace coracle::kube::patch {
namespace {

using internal::field_strategy;
using internal::FieldStrategy;
using internal::kDeleteListPrefix;
using internal::kElementOrderPrefix;
using internal::key_text;
using internal::KeyIndex;
using internal::kPatchDirective;
using internal::kRetainKeysDirective;
using internal::list_key;

using Items = std::vector<Value>;

// Three views of one value; `last` and `live` are null where there is none.
struct Views {
  const Value& last;
  const Value& desired;
  const Value& live;
};

Result<Value> diff_maps(const Views& views, const Schema* schema);

std::string prefixed(std::string_view prefix, std::string_view name) {
  return std::string(prefix) + std::string(name);
}

// The items of a list beside those of the desired one that have the same key. Some keys repeat, as a port number does
// for two protocols: the first item with a key goes with the first one, the second with the second.
struct Pairs {
  std::vector<const Value*> of_desired;  // per desired item, null where there is none
  Items left_over;
  bool repeated = false;  // a key stands in the list more than once
};

Pairs pair_items(const Value& list, const Value& desired, std::string_view merge_key) {
  struct Same {
    std::vector<const Value*> items;
    std::size_t taken = 0;
  };
  std::unordered_map<std::string, Same> by_key;
  Pairs pairs;
  for (const Value& item : list.items()) {
    std::vector<const Value*>& same = by_key[key_text(list_key(item, merge_key))].items;
    pairs.repeated = pairs.repeated || !same.empty();
    same.push_back(&item);
  }
  std::unordered_set<const Value*> taken;
  for (const Value& item : desired.items()) {
    const auto same = by_key.find(key_text(list_key(item, merge_key)));
    const bool there = same != by_key.end() && same->second.taken < same->second.items.size();
    pairs.of_desired.push_back(there ? same->second.items[same->second.taken++] : nullptr);
    if (there) taken.insert(pairs.of_desired.back());
  }
  for (const Value& item : list.items()) {
    if (!taken.contains(&item)) pairs.left_over.push_back(item);
  }
  return pairs;
}

// A union such as a volume's source must not keep what it was before.
Value with_retained_keys(const Value& changes, const Value& desired, const FieldStrategy& strategy) {
  if (!strategy.retain_keys) return changes;
  Items keys;
  for (const Value::Member& member : desired.members()) keys.emplace_back(member.key);
  return changes.with(kRetainKeysDirective, Value::array(std::move(keys)));
}

// What the patch says where the fields of one map of a list differ.
Result<Value> item_patch(const Value& item, const Value& last, const Value& live, const FieldStrategy& strategy) {
  ASSIGN_OR_RETURN(const Value changes, diff_maps({last, item, live}, strategy.schema));
  if (changes.empty()) return changes;
  return with_retained_keys(changes.with(strategy.merge_key, item[strategy.merge_key]), item, strategy);
}

// A patch names an item by its key, which cannot say which of several is meant: it says the whole list. Items that
// others have added stay.
Result<Items> whole_list(const Views& views, const Pairs& live, const Pairs& last, const Items& item_patches,
                         const FieldStrategy& strategy) {
  Items items{Value::object({{kPatchDirective, "replace"}})};
  for (std::size_t i = 0; i < item_patches.size(); ++i) {
    if (live.of_desired[i] == nullptr) {
      items.push_back(views.desired.at(i));
    } else {
      ASSIGN_OR_RETURN(Value item, apply_strategic_patch(*live.of_desired[i], item_patches[i], *strategy.schema));
      items.push_back(std::move(item));
    }
  }
  const KeyIndex gone(last.left_over, strategy.merge_key);
  for (const Value& item : live.left_over) {
    if (!gone.contains(item)) items.push_back(item);
  }
  return items;
}

// Adds the patch of a list of maps with a merge key.
Result<void> diff_keyed_list(Value::ObjectBuilder& patch, const std::string& name, const Views& views,
                             const FieldStrategy& strategy) {
  static const Value kNone;
  const std::string_view merge_key = strategy.merge_key;
  const Pairs live = pair_items(views.live, views.desired, merge_key);
  const Pairs last = pair_items(views.last, views.desired, merge_key);
  const KeyIndex live_only(live.left_over, merge_key), in_desired(views.desired.items(), merge_key);
  Items changes, order, item_patches;
  bool reordered = false;
  bool repeated = live.repeated;
  const Value* previous = nullptr;
  for (std::size_t i = 0; i < views.desired.size(); ++i) {
    const Value& item = views.desired.at(i);
    order.push_back(Value::object({{merge_key, list_key(item, merge_key)}}));
    repeated = repeated || in_desired.find(item) != i;
    const Value* beside = live.of_desired[i];
    if (beside == nullptr) {
      changes.push_back(item);
      item_patches.push_back(item);
      continue;
    }
    reordered = reordered || (previous != nullptr && beside < previous);
    previous = beside;
    const Value* before = last.of_desired[i];
    ASSIGN_OR_RETURN(Value change, item_patch(item, before != nullptr ? *before : kNone, *beside, strategy));
    if (!change.empty()) changes.push_back(change);
    item_patches.push_back(std::move(change));
  }
  for (const Value& item : last.left_over) {
    if (!live_only.contains(item)) continue;
    changes.push_back(Value::object({{kPatchDirective, "delete"}, {merge_key, list_key(item, merge_key)}}));
  }
  if (changes.empty() && !reordered) return {};
  if (repeated && !changes.empty()) {
    ASSIGN_OR_RETURN(Items whole, whole_list(views, live, last, item_patches, strategy));
    patch.set(name, Value::array(std::move(whole)));
    return {};
  }
  patch.set(prefixed(kElementOrderPrefix, name), Value::array(std::move(order)));
  if (!changes.empty()) patch.set(name, Value::array(std::move(changes)));
  return {};
}

// Adds the patch of a list of scalars that merges by value.
void diff_scalar_list(Value::ObjectBuilder& patch, const std::string& name, const Views& views) {
  const KeyIndex in_live(views.live.items(), {}), in_desired(views.desired.items(), {});
  Items added, removed;
  bool reordered = false;
  std::size_t previous = 0;
  for (const Value& item : views.desired.items()) {
    const std::size_t live = in_live.find(item);
    if (live == KeyIndex::kNotFound) {
      added.push_back(item);
      continue;
    }
    reordered = reordered || live < previous;
    previous = live;
  }
  for (const Value& item : views.last.items()) {
    if (!in_desired.contains(item) && in_live.contains(item)) removed.push_back(item);
  }
  if (added.empty() && removed.empty() && !reordered) return;
  patch.set(prefixed(kElementOrderPrefix, name), views.desired);
  if (!removed.empty()) patch.set(prefixed(kDeleteListPrefix, name), Value::array(std::move(removed)));
  if (!added.empty()) patch.set(name, Value::array(std::move(added)));
}

Result<void> diff_list(Value::ObjectBuilder& patch, const std::string& name, const Views& views,
                       const FieldStrategy& strategy) {
  if (!strategy.merge) {
    if (!(views.desired == views.live)) patch.set(name, views.desired);
    return {};
  }
  const bool keyed = !strategy.merge_key.empty();
  const auto items = views.desired.items();
  const bool has_keys = std::all_of(items.begin(), items.end(), [&](const Value& item) {
    return keyed ? item.contains(strategy.merge_key) : !item.is_object() && !item.is_array();
  });
  if (!has_keys) {
    // Items that cannot be told apart are sent as they are, and the server judges them.
    patch.set(name, views.desired);
  } else if (keyed) {
    return diff_keyed_list(patch, name, views, strategy);
  } else {
    diff_scalar_list(patch, name, views);
  }
  return {};
}

Result<void> diff_field(Value::ObjectBuilder& patch, const std::string& name, const Views& views,
                        const Schema* schema) {
  const FieldStrategy strategy = field_strategy(schema, name);
  if (views.desired.is_object() && views.live.is_object() && !strategy.replace_map) {
    ASSIGN_OR_RETURN(const Value below, diff_maps(views, strategy.schema));
    if (below.empty()) return {};
    patch.set(name, with_retained_keys(below, views.desired, strategy));
  } else if (views.desired.is_array() && views.live.is_array()) {
    return diff_list(patch, name, views, strategy);
  } else if (!(views.desired == views.live)) {
    patch.set(name, views.desired);
  }
  return {};
}

Result<Value> diff_maps(const Views& views, const Schema* schema) {
  Value::ObjectBuilder patch;
  for (const Value::Member& member : views.desired.members()) {
    const Value* live = views.live.find(member.key);
    if (live == nullptr) {
      if (!member.value.is_null()) patch.set(member.key, member.value);
    } else {
      TRY(diff_field(patch, member.key, {views.last[member.key], member.value, *live}, schema));
    }
  }
  for (const Value::Member& member : views.last.members()) {
    if (!views.desired.contains(member.key) && views.live.contains(member.key)) patch.set(member.key, Value());
  }
  return std::move(patch).build();
}

}  // namespace

Result<Value> three_way_strategic_patch(const Value& last_applied, const Value& desired, const Value& live,
                                        const Schema& schema) {
  if (!desired.is_object() || !live.is_object()) return bad_request("invalid JSON document");
  return diff_maps({last_applied, desired, live}, &schema);
}

}  // namespace coracle::kube::patch
