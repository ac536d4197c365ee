#include <algorithm>
#include <set>
#include <utility>

#include "base/go_text.h"
#include "kube/patch/internal/plain_error.h"
#include "kube/patch/internal/strategic_lists.h"
#include "kube/patch/patch.h"

namespace coracle::kube::patch {
namespace {

using internal::field_strategy;
using internal::FieldStrategy;
using internal::kDeleteListPrefix;
using internal::kElementOrderPrefix;
using internal::KeyIndex;
using internal::kPatchDirective;
using internal::kRetainKeysDirective;
using internal::list_key;
using internal::plain_error;

using Items = std::vector<Value>;

Error no_merge_key(const Value& item, std::string_view merge_key) {
  return plain_error("map: " + go_text(item) + " does not contain declared merge key: " + std::string(merge_key));
}

Error unknown_directive(const Value& directive, const Value& map) {
  return plain_error("unknown patch type: " + std::string(directive.as_string()) + " in map: " + go_text(map));
}

Error wrong_kind(std::string_view expected, const Value& value) {
  return plain_error("expected a " + std::string(expected) + ", but received a " + std::string(go_type_name(value)));
}

// What a patch adds where the document has nothing: without nulls and without directives.
std::optional<Value> added_value(const Value& patch) {
  if (patch.is_array()) {
    Items items;
    for (const Value& item : patch.items()) {
      if (auto kept = added_value(item)) items.push_back(std::move(*kept));
    }
    return Value::array(std::move(items));
  }
  if (!patch.is_object()) return patch;
  if (patch.contains(kPatchDirective)) return std::nullopt;
  std::vector<Value::Member> members;
  for (const Value::Member& member : patch.members()) {
    if (member.value.is_null()) continue;
    if (auto kept = added_value(member.value)) members.push_back({member.key, std::move(*kept)});
  }
  return Value::object(std::move(members));
}

Result<Value> merge_maps(const Value& document, const Value& patch, const Schema* schema);

Value list_of(std::span<const Value> items) {
  return Value::array(Items(items.begin(), items.end()));
}

// One kind of element for all lists; nothing when all are empty.
Result<bool> holds_maps(std::span<const Value> a, std::span<const Value> b) {
  const Value* first = !a.empty() ? &a[0] : !b.empty() ? &b[0] : nullptr;
  if (first == nullptr) return false;
  if (first->is_array()) return plain_error("lists of lists are not supported");
  const auto same_kind = [&](const Value& item) { return item.kind() == first->kind(); };
  if (!std::all_of(a.begin(), a.end(), same_kind) || !std::all_of(b.begin(), b.end(), same_kind)) {
    return plain_error("list element types are not identical: [" + go_text(list_of(a)) + " " + go_text(list_of(b)) +
                       "]");
  }
  return first->is_object();
}

// The $patch items of a list of maps: "delete" takes items out of `live`, "replace" empties it. What
// is left of the patch is in `rest`.
Result<void> run_list_directives(std::span<const Value> patch, std::string_view merge_key, Items& live, Items& rest) {
  bool replace = false;
  Items deletions;
  for (const Value& item : patch) {
    const Value* directive = item.find(kPatchDirective);
    if (directive == nullptr) {
      rest.push_back(item);
      continue;
    }
    const std::string_view name = directive->as_string();
    if (name == "replace") {
      replace = true;
    } else if (name == "delete") {
      if (!item.contains(merge_key)) return no_merge_key(item, merge_key);
      deletions.push_back(item);
    } else if (name == "merge") {
      return plain_error("merging lists cannot yet be specified in the patch");
    } else {
      return unknown_directive(*directive, item);
    }
  }
  if (!deletions.empty()) {
    const KeyIndex deleted(deletions, merge_key);
    std::erase_if(live, [&](const Value& item) { return deleted.contains(item); });
  }
  if (replace) {
    live = std::move(rest);
    rest.clear();
  }
  return {};
}

// `live_order` receives the order that $setElementOrder compares with. New items take the places that
// deleted ones leave, as they do in the API server.
Result<Value> merge_map_lists(const Value& document, const Value& patch, const FieldStrategy& strategy,
                              Items* live_order_out) {
  const std::string_view key_name = strategy.merge_key;
  if (key_name.empty()) return plain_error("cannot merge lists without merge key");
  Items live(document.items().begin(), document.items().end());
  Items changes;
  TRY(run_list_directives(patch.items(), key_name, live, changes));
  const Items live_order = live;
  const bool deleted = live.size() < document.size() && !changes.empty();
  KeyIndex places(live, key_name);
  for (const Value& change : changes) {
    if (!change.contains(key_name)) return no_merge_key(change, key_name);
    const std::size_t place = places.find(change);
    if (place == KeyIndex::kNotFound) {
      places.add(change, live.size());
      live.push_back(change);
    } else {
      ASSIGN_OR_RETURN(live[place], merge_maps(live[place], change, strategy.schema));
    }
  }
  if (live_order_out != nullptr && deleted) {
    live_order_out->assign(live.begin(),
                           live.begin() + static_cast<std::ptrdiff_t>(std::min(live.size(), document.size())));
  }
  return Value::array(internal::in_patch_order(live, changes, live_order, key_name));
}

Value merge_scalar_lists(const Value& document, const Value& patch) {
  Items merged;
  KeyIndex there({}, {});
  for (const Value& list : {document, patch}) {
    for (const Value& item : list.items()) {
      if (there.contains(item)) continue;
      there.add(item, merged.size());
      merged.push_back(item);
    }
  }
  return Value::array(internal::in_patch_order(merged, patch.items(), document.items(), {}));
}

Result<Value> merge_lists(const Value& document, const Value& patch, const FieldStrategy& strategy,
                          Items* live_order = nullptr) {
  if (!strategy.merge) return patch;
  if (document.empty() && patch.empty()) return document;
  ASSIGN_OR_RETURN(const bool maps, holds_maps(document.items(), patch.items()));
  if (maps) return merge_map_lists(document, patch, strategy, live_order);
  return merge_scalar_lists(document, patch);
}

Value without_items(const Value& document, const Value& unwanted) {
  const KeyIndex going(unwanted.items(), {});
  Items kept;
  for (const Value& item : document.items()) {
    if (!going.contains(item)) kept.push_back(item);
  }
  return Value::array(std::move(kept));
}

// The patch list must name its items in the order that $setElementOrder gives.
bool follows_order(const Value& patch, const Value& order, std::string_view merge_key) {
  std::size_t at = 0;
  for (const Value& item : patch.items()) {
    if (item.is_object() && item.contains(kPatchDirective)) continue;
    while (at < order.size() && !(list_key(order.at(at), merge_key) == list_key(item, merge_key))) ++at;
    if (at == order.size()) return false;
    ++at;
  }
  return true;
}

// Merges one document with one patch, field by field.
class MapMerge {
 public:
  MapMerge(const Value& document, const Value& patch, const Schema* schema)
      : patch_(patch), schema_(schema), out_(document.is_object() ? document : Value::object()) {}

  Result<Value> run();

 private:
  Result<void> retain_keys();
  Result<void> set_order(std::string_view field, const Value& order);
  Result<void> merge_field(const std::string& name, const Value& value);

  const Value& patch_;
  const Schema* schema_;
  Value::ObjectBuilder out_;
  std::set<std::string_view> done_;     // lists that came with an order
  std::set<std::string_view> removed_;  // go at the end, all at once
};

Result<Value> MapMerge::run() {
  if (const Value* directive = patch_.find(kPatchDirective)) {
    if (directive->as_string() == "replace") return patch_.without(kPatchDirective);
    if (directive->as_string() == "delete") return Value::object();
    return unknown_directive(*directive, patch_);
  }
  TRY(retain_keys());
  for (const Value::Member& member : patch_.members()) {
    if (!member.key.starts_with(kElementOrderPrefix)) continue;
    TRY(set_order(std::string_view(member.key).substr(kElementOrderPrefix.size()), member.value));
  }
  for (const Value::Member& member : patch_.members()) {
    if (member.key.starts_with(kElementOrderPrefix) || member.key == kRetainKeysDirective) continue;
    if (done_.contains(member.key)) continue;
    if (member.key.starts_with(kDeleteListPrefix)) {
      const std::string_view field = std::string_view(member.key).substr(kDeleteListPrefix.size());
      const Value* list = out_.find(field);
      if (list != nullptr && list->is_array()) out_.set(field, without_items(*list, member.value));
      continue;
    }
    TRY(merge_field(member.key, member.value));
  }
  if (!removed_.empty()) out_.remove_if([this](std::string_view key) { return removed_.contains(key); });
  return std::move(out_).build();
}

// Clears the fields that the patch does not list; every field of the patch must be listed.
Result<void> MapMerge::retain_keys() {
  const Value* keys = patch_.find(kRetainKeysDirective);
  if (keys == nullptr) return {};
  if (!keys->is_array()) return bad_request("invalid patch format of retainKeys");
  std::set<std::string_view> names;
  for (const Value& key : keys->items()) {
    if (key.is_string()) names.insert(key.as_string());
  }
  const auto listed = [&](std::string_view name) { return names.contains(name); };
  for (const Value::Member& member : patch_.members()) {
    const bool directive = member.key[0] == '$';
    if (!directive && !member.value.is_null() && !listed(member.key)) {
      return bad_request("invalid patch format of retainKeys");
    }
  }
  out_.remove_if([&](std::string_view name) { return !listed(name); });
  return {};
}

Result<void> MapMerge::set_order(std::string_view field, const Value& order) {
  if (!order.is_array()) return wrong_kind("[]interface {}", order);
  const FieldStrategy strategy = field_strategy(schema_, field);
  for (const Value& item : order.items()) {
    const bool keyed = strategy.merge && !strategy.merge_key.empty() && item.is_object();
    if (keyed && !item.contains(strategy.merge_key)) return no_merge_key(item, strategy.merge_key);
  }
  const Value* found = out_.find(field);
  const Value document = found != nullptr ? *found : Value();
  const Value& patch = patch_[field];
  if (!document.is_null() && !document.is_array()) return wrong_kind("[]interface {}", document);
  if (!patch.is_null() && !patch.is_array()) return wrong_kind("[]interface {}", patch);
  if (document.is_null() && patch.is_null()) return {};
  if (!follows_order(patch, order, strategy.merge_key)) {
    return plain_error("The order in patch list:\n" + go_text(patch) + "\n doesn't match $setElementOrder list:\n" +
                       go_text(order) + "\n");
  }
  done_.insert(field);
  Value merged = document;
  Items live_order(document.items().begin(), document.items().end());
  if (document.is_null()) {
    merged = added_value(patch).value_or(Value::array());
  } else if (!patch.is_null()) {
    ASSIGN_OR_RETURN(merged, merge_lists(document, patch, strategy, &live_order));
  }
  const Items items(merged.items().begin(), merged.items().end());
  out_.set(field, Value::array(internal::in_patch_order(items, order.items(), live_order, strategy.merge_key)));
  return {};
}

Result<void> MapMerge::merge_field(const std::string& name, const Value& value) {
  const Value* document = out_.find(name);
  if (value.is_null()) {
    removed_.insert(name);
    return {};
  }
  const bool both_maps = document != nullptr && document->is_object() && value.is_object();
  const bool both_lists = document != nullptr && document->is_array() && value.is_array();
  if (!both_maps && !both_lists) {
    if (auto added = added_value(value)) {
      out_.set(name, std::move(*added));
    } else {
      removed_.insert(name);
    }
    return {};
  }
  const FieldStrategy strategy = field_strategy(schema_, name);
  if (both_lists) {
    ASSIGN_OR_RETURN(Value merged, merge_lists(*document, value, strategy));
    out_.set(name, std::move(merged));
  } else if (strategy.replace_map) {
    out_.set(name, value);
  } else {
    ASSIGN_OR_RETURN(Value merged, merge_maps(*document, value, strategy.schema));
    out_.set(name, std::move(merged));
  }
  return {};
}

Result<Value> merge_maps(const Value& document, const Value& patch, const Schema* schema) {
  return MapMerge(document, patch, schema).run();
}

}  // namespace

Result<Value> apply_strategic_patch(const Value& document, const Value& patch, const Schema& schema) {
  if (!patch.is_object()) return bad_request("invalid JSON document");
  return merge_maps(document, patch, &schema);
}

}  // namespace coracle::kube::patch
