#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/value.h"
#include "kube/schema/schema.h"

namespace coracle::kube::patch::internal {

inline constexpr std::string_view kPatchDirective = "$patch";
inline constexpr std::string_view kRetainKeysDirective = "$retainKeys";
inline constexpr std::string_view kElementOrderPrefix = "$setElementOrder/";
inline constexpr std::string_view kDeleteListPrefix = "$deleteFromPrimitiveList/";

// How strategic merge patch treats one field.
struct FieldStrategy {
  const Schema* schema = nullptr;  // of the field's value, or of a list's items
  bool merge = false;              // lists merge; they are replaced otherwise
  bool replace_map = false;
  bool retain_keys = false;
  std::string_view merge_key;  // of a merging list of maps
};
FieldStrategy field_strategy(const Schema* parent, std::string_view name);

// Lists of maps are told apart by their merge key, lists of scalars by value.
const Value& list_key(const Value& item, std::string_view merge_key);
// The same as a text by which items are looked up.
std::string key_text(const Value& key);

// Where each key of a list comes first. The list may grow by items that are added to the index as well.
class KeyIndex {
 public:
  static constexpr std::size_t kNotFound = static_cast<std::size_t>(-1);
  KeyIndex(std::span<const Value> list, std::string_view merge_key);

  // Of an item of the list or of another one with such keys.
  std::size_t find(const Value& item) const { return find_key(list_key(item, merge_key_)); }
  std::size_t find_key(const Value& key) const;
  bool contains(const Value& item) const { return find(item) != kNotFound; }
  void add(const Value& item, std::size_t at);

 private:
  std::string_view merge_key_;
  std::unordered_map<std::string, std::size_t> first_;
};

// The items in patch order where the patch names them, in live order where it does not; an item that
// the patch does not name stays in front of those that it preceded before.
std::vector<Value> in_patch_order(const std::vector<Value>& merged, std::span<const Value> patch_order,
                                  std::span<const Value> live_order, std::string_view merge_key);

}  // namespace coracle::kube::patch::internal
