#include <algorithm>
#include <utility>

#include "kube/patch/internal/strategic_lists.h"
#include "kube/patch/patch.h"

namespace coracle::kube::patch {
namespace {

using internal::contains_item;
using internal::field_strategy;
using internal::FieldStrategy;
using internal::kDeleteListPrefix;
using internal::kElementOrderPrefix;
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

Value diff_maps(const Views& views, const Schema* schema);

std::string prefixed(std::string_view prefix, std::string_view name) {
  return std::string(prefix) + std::string(name);
}

const Value* find_item(const Value& list, const Value& key, std::string_view merge_key) {
  for (const Value& item : list.items()) {
    if (list_key(item, merge_key) == key) return &item;
  }
  return nullptr;
}

// A union such as a volume's source must not keep what it was before.
Value with_retained_keys(const Value& changes, const Value& desired, const FieldStrategy& strategy) {
  if (!strategy.retain_keys) return changes;
  Items keys;
  for (const Value::Member& member : desired.members()) keys.emplace_back(member.key);
  return changes.with(kRetainKeysDirective, Value::array(std::move(keys)));
}

// What the patch says where the fields of one map of a list differ.
Value item_patch(const Value& item, const Value& last, const Value& live, const FieldStrategy& strategy) {
  const Value changes = diff_maps({last, item, live}, strategy.schema);
  if (changes.empty()) return changes;
  return with_retained_keys(changes.with(strategy.merge_key, item[strategy.merge_key]), item, strategy);
}

// Adds the patch of a list of maps with a merge key.
void diff_keyed_list(Value::ObjectBuilder& patch, const std::string& name, const Views& views,
                     const FieldStrategy& strategy) {
  static const Value kNone;
  const std::string_view merge_key = strategy.merge_key;
  Items changes, order;
  bool reordered = false;
  const Value* previous = nullptr;
  for (const Value& item : views.desired.items()) {
    const Value& key = list_key(item, merge_key);
    order.push_back(Value::object({{merge_key, key}}));
    const Value* live = find_item(views.live, key, merge_key);
    if (live == nullptr) {
      changes.push_back(item);
      continue;
    }
    reordered = reordered || (previous != nullptr && live < previous);
    previous = live;
    const Value* last = find_item(views.last, key, merge_key);
    Value change = item_patch(item, last != nullptr ? *last : kNone, *live, strategy);
    if (!change.empty()) changes.push_back(std::move(change));
  }
  for (const Value& item : views.last.items()) {
    const Value& key = list_key(item, merge_key);
    if (find_item(views.desired, key, merge_key) != nullptr || find_item(views.live, key, merge_key) == nullptr)
      continue;
    changes.push_back(Value::object({{kPatchDirective, "delete"}, {merge_key, key}}));
  }
  if (changes.empty() && !reordered) return;
  patch.set(prefixed(kElementOrderPrefix, name), Value::array(std::move(order)));
  if (!changes.empty()) patch.set(name, Value::array(std::move(changes)));
}

// Adds the patch of a list of scalars that merges by value.
void diff_scalar_list(Value::ObjectBuilder& patch, const std::string& name, const Views& views) {
  Items added, removed;
  bool reordered = false;
  const Value* previous = nullptr;
  for (const Value& item : views.desired.items()) {
    const Value* live = find_item(views.live, item, {});
    if (live == nullptr) {
      added.push_back(item);
      continue;
    }
    reordered = reordered || (previous != nullptr && live < previous);
    previous = live;
  }
  for (const Value& item : views.last.items()) {
    const bool gone = !contains_item(views.desired.items(), item, {});
    if (gone && contains_item(views.live.items(), item, {})) removed.push_back(item);
  }
  if (added.empty() && removed.empty() && !reordered) return;
  patch.set(prefixed(kElementOrderPrefix, name), views.desired);
  if (!removed.empty()) patch.set(prefixed(kDeleteListPrefix, name), Value::array(std::move(removed)));
  if (!added.empty()) patch.set(name, Value::array(std::move(added)));
}

void diff_list(Value::ObjectBuilder& patch, const std::string& name, const Views& views,
               const FieldStrategy& strategy) {
  if (!strategy.merge) {
    if (!(views.desired == views.live)) patch.set(name, views.desired);
    return;
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
    diff_keyed_list(patch, name, views, strategy);
  } else {
    diff_scalar_list(patch, name, views);
  }
}

void diff_field(Value::ObjectBuilder& patch, const std::string& name, const Views& views, const Schema* schema) {
  const FieldStrategy strategy = field_strategy(schema, name);
  if (views.desired.is_object() && views.live.is_object() && !strategy.replace_map) {
    const Value below = diff_maps(views, strategy.schema);
    if (below.empty()) return;
    patch.set(name, with_retained_keys(below, views.desired, strategy));
  } else if (views.desired.is_array() && views.live.is_array()) {
    diff_list(patch, name, views, strategy);
  } else if (!(views.desired == views.live)) {
    patch.set(name, views.desired);
  }
}

Value diff_maps(const Views& views, const Schema* schema) {
  Value::ObjectBuilder patch;
  for (const Value::Member& member : views.desired.members()) {
    const Value* live = views.live.find(member.key);
    if (live == nullptr) {
      if (!member.value.is_null()) patch.set(member.key, member.value);
    } else {
      diff_field(patch, member.key, {views.last[member.key], member.value, *live}, schema);
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
