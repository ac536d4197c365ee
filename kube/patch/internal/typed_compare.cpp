#include <algorithm>
#include <map>
#include <utility>

#include "kube/patch/internal/typed_tree.h"

namespace coracle::kube::patch::internal {
namespace {

// What one node adds to each of the three sets: itself, and what lies below it.
struct NodeDifference {
  Comparison below;
  bool added = false, modified = false, removed = false;
};

void attach(FieldSet& set, const PathElement& element, bool member, FieldSet below) {
  if (member || !below.empty()) set.append({element, member, std::move(below)});
}

void attach(Comparison& parent, const PathElement& element, NodeDifference child) {
  attach(parent.added, element, child.added, std::move(child.below.added));
  attach(parent.modified, element, child.modified, std::move(child.below.modified));
  attach(parent.removed, element, child.removed, std::move(child.below.removed));
}

void sort(Comparison& comparison) {
  comparison.added.sort();
  comparison.modified.sort();
  comparison.removed.sort();
}

// 1 and 1.0 are one number to whoever wrote them.
bool equal_values(const Value& left, const Value& right) {
  if (left.kind() != right.kind() && left.is_number() && right.is_number())
    return left.as_double() == right.as_double();
  return left == right;
}

NodeDifference compare_node(const TypeRef& type, const Value* left, const Value* right);

void compare_leaf(const Value* left, const Value* right, NodeDifference& out) {
  if (left == nullptr) {
    out.added = true;
  } else if (right == nullptr) {
    out.removed = true;
  } else if (!equal_values(*left, *right)) {
    out.modified = true;
  }
}

void compare_map(const TypeRef& type, const Value* left, const Value* right, NodeDifference& out) {
  if (left != nullptr) {
    for (const Value::Member& member : left->members()) {
      const Value* other = right != nullptr ? right->find(member.key) : nullptr;
      if (other != nullptr && other->same_tree(member.value)) continue;
      attach(out.below, PathElement::field(member.key),
             compare_node(field_type(type, member.key).type, &member.value, other));
    }
  }
  if (right != nullptr) {
    for (const Value::Member& member : right->members()) {
      if (left != nullptr && left->contains(member.key)) continue;
      attach(out.below, PathElement::field(member.key),
             compare_node(field_type(type, member.key).type, nullptr, &member.value));
    }
  }
  sort(out.below);
}

struct ItemPair {
  std::vector<const Value*> left, right;
};

bool equal_items(const std::vector<const Value*>& left, const std::vector<const Value*>& right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](const Value* a, const Value* b) { return equal_values(*a, *b); });
}

// Items with one key more than once count as one leaf.
void compare_items(const TypeRef& item_type, const PathElement& element, const ItemPair& items, Comparison& out) {
  const auto first = [](const std::vector<const Value*>& list) { return list.empty() ? nullptr : list[0]; };
  if (items.left.size() <= 1 && items.right.size() <= 1) {
    attach(out, element, compare_node(item_type, first(items.left), first(items.right)));
    return;
  }
  NodeDifference difference;
  if (items.left.size() > 1 && items.right.size() > 1) {
    difference.modified = !equal_items(items.left, items.right);
  } else if (items.left.size() > 1) {
    if (!items.right.empty()) difference = compare_node(item_type, nullptr, items.right[0]);
    difference.removed = true;
  } else {
    if (!items.left.empty()) difference = compare_node(item_type, items.left[0], nullptr);
    difference.added = true;
  }
  attach(out, element, std::move(difference));
}

void compare_list(const TypeRef& type, Shape shape, const Value* left, const Value* right, NodeDifference& out) {
  std::map<PathElement, ItemPair> pairs;
  const auto gather = [&](const Value* list, std::vector<const Value*> ItemPair::*side) {
    if (list == nullptr) return;
    for (const Value& item : list->items()) {
      Result<PathElement> element = item_element(type, shape, item);
      // An item without a key cannot be owned.
      if (element.ok()) (pairs[*element].*side).push_back(&item);
    }
  };
  gather(left, &ItemPair::left);
  gather(right, &ItemPair::right);
  const TypeRef item_type = element_type(type);
  for (const auto& [element, items] : pairs) compare_items(item_type, element, items, out.below);
  sort(out.below);
}

// True when the node was a leaf.
bool compare_as(const TypeRef& type, Shape shape, const Value* left, const Value* right, NodeDifference& out) {
  const Value* left_parts = parts_of(shape, left);
  const Value* right_parts = parts_of(shape, right);
  if (!is_granular(shape) || (left_parts == nullptr && right_parts == nullptr)) {
    compare_leaf(left, right, out);
    return true;
  }
  if (shape == Shape::Map) {
    compare_map(type, left_parts, right_parts, out);
  } else {
    compare_list(type, shape, left_parts, right_parts, out);
  }
  return false;
}

NodeDifference compare_node(const TypeRef& type, const Value* left, const Value* right) {
  NodeDifference out;
  if (left == nullptr && right == nullptr) return out;
  const Shape left_shape = shape_of(type, left), right_shape = shape_of(type, right);
  bool leaf = false;
  if (left == nullptr || right == nullptr || left_shape == right_shape) {
    leaf = compare_as(type, right == nullptr ? left_shape : right_shape, left, right, out);
  } else {
    NodeDifference as_left;
    compare_as(type, left_shape, left, right, as_left);
    leaf = compare_as(type, right_shape, left, right, out);
    out.below.added = out.below.added.united(as_left.below.added);
    out.below.modified = out.below.modified.united(as_left.below.modified);
    out.below.removed = out.below.removed.united(as_left.below.removed);
    out.modified = out.modified || as_left.modified;
  }
  if (!leaf) {
    out.added = out.added || left == nullptr;
    out.removed = out.removed || right == nullptr;
  }
  return out;
}

void collect(const TypeRef& type, const Value& value, FieldSet& below, bool& member);

void collect_list(const TypeRef& type, Shape shape, const Value& value, FieldSet& below) {
  const TypeRef item_type = element_type(type);
  std::map<PathElement, std::size_t> seen;
  for (const Value& item : value.items()) {
    Result<PathElement> element = item_element(type, shape, item);
    if (element.ok()) ++seen[*element];
  }
  for (const Value& item : value.items()) {
    Result<PathElement> element = item_element(type, shape, item);
    if (!element.ok()) continue;
    const auto counted = seen.find(*element);
    if (counted == seen.end()) continue;  // a repeated item that is in the set already
    FieldSet below_item;
    bool ignored = false;
    if (counted->second == 1) collect(item_type, item, below_item, ignored);
    below.append({std::move(*element), true, std::move(below_item)});
    seen.erase(counted);
  }
}

void collect(const TypeRef& type, const Value& value, FieldSet& below, bool& member) {
  const Shape shape = shape_of(type, &value);
  if (shape == Shape::Map) {
    for (const Value::Member& entry : value.members()) {
      const FieldType field = field_type(type, entry.key);
      const bool empty = entry.value.is_null() || (entry.value.is_object() && entry.value.empty());
      bool entry_member = empty || !field.declared;
      FieldSet entry_below;
      collect(field.type, entry.value, entry_below, entry_member);
      if (entry_member || !entry_below.empty()) {
        below.append({PathElement::field(entry.key), entry_member, std::move(entry_below)});
      }
    }
  } else if (shape == Shape::Set || shape == Shape::KeyedList) {
    collect_list(type, shape, value, below);
  } else {
    member = true;
  }
  below.sort();
}

}  // namespace

Comparison compare(const TypeRef& type, const Value* left, const Value* right) {
  return compare_node(type, left, right).below;
}

FieldSet to_field_set(const TypeRef& type, const Value& value) {
  FieldSet set;
  bool member = false;
  collect(type, value, set, member);
  return set;
}

}  // namespace coracle::kube::patch::internal
