#include <utility>
#include <vector>

#include "kube/patch/patch.h"

namespace coracle::kube::patch {
namespace {

// What a patch puts where no object was: nulls delete nothing there. Unlike RFC 7386 upstream also looks into lists,
// whose own nulls stay.
Value merge_into_nothing(const Value& patch) {
  if (patch.is_array()) {
    std::vector<Value> items;
    for (const Value& item : patch.items()) items.push_back(merge_into_nothing(item));
    return Value::array(std::move(items));
  }
  if (!patch.is_object()) return patch;
  std::vector<Value::Member> members;
  for (const Value::Member& member : patch.members()) {
    if (!member.value.is_null()) members.push_back({member.key, merge_into_nothing(member.value)});
  }
  return Value::object(std::move(members));
}

// Changes and additions from `from` to `to`, without deletions.
Value additions(const Value& from, const Value& to) {
  std::vector<Value::Member> members;
  for (const Value::Member& member : to.members()) {
    const Value* old = from.find(member.key);
    if (old == nullptr) {
      if (!member.value.is_null()) members.push_back(member);
    } else if (old->is_object() && member.value.is_object()) {
      Value below = additions(*old, member.value);
      if (!below.empty()) members.push_back({member.key, std::move(below)});
    } else if (!(*old == member.value)) {
      members.push_back(member);
    }
  }
  return Value::object(std::move(members));
}

// Nulls for what `from` has and `to` has not.
Value deletions(const Value& from, const Value& to) {
  std::vector<Value::Member> members;
  for (const Value::Member& member : from.members()) {
    const Value* kept = to.find(member.key);
    if (kept == nullptr) {
      members.push_back({member.key, Value()});
    } else if (member.value.is_object() && kept->is_object()) {
      Value below = deletions(member.value, *kept);
      if (!below.empty()) members.push_back({member.key, std::move(below)});
    }
  }
  return Value::object(std::move(members));
}

// Both patches in one; they never name the same leaf.
Value joined(const Value& a, const Value& b) {
  Value::ObjectBuilder out(a);
  for (const Value::Member& member : b.members()) {
    const Value* other = a.find(member.key);
    const bool both = other != nullptr && other->is_object() && member.value.is_object();
    out.set(member.key, both ? joined(*other, member.value) : member.value);
  }
  return std::move(out).build();
}

// Deletions of what is not there any more only make noise.
Value only_present(const Value& nulls, const Value& live) {
  std::vector<Value::Member> members;
  for (const Value::Member& member : nulls.members()) {
    const Value* present = live.find(member.key);
    if (present == nullptr) continue;
    if (member.value.is_null()) {
      members.push_back(member);
    } else if (Value below = only_present(member.value, *present); !below.empty()) {
      members.push_back({member.key, std::move(below)});
    }
  }
  return Value::object(std::move(members));
}

}  // namespace

Value apply_merge_patch(const Value& document, const Value& patch) {
  if (!document.is_object()) return merge_into_nothing(patch);
  if (!patch.is_object()) return patch;
  std::vector<Value::Member> members;
  for (const Value::Member& member : document.members()) {
    const Value* change = patch.find(member.key);
    if (change == nullptr) {
      members.push_back(member);
    } else if (!change->is_null()) {
      members.push_back({member.key, apply_merge_patch(member.value, *change)});
    }
  }
  for (const Value::Member& member : patch.members()) {
    if (member.value.is_null() || document.contains(member.key)) continue;
    members.push_back({member.key, merge_into_nothing(member.value)});
  }
  return Value::object(std::move(members));
}

Value three_way_merge_patch(const Value& last_applied, const Value& desired, const Value& live) {
  return joined(additions(live, desired), only_present(deletions(last_applied, desired), live));
}

}  // namespace coracle::kube::patch
