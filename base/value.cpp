#include "base/value.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>
#include <new>

namespace coracle {
namespace {

// Below this many members a linear search beats a hash table.
constexpr std::size_t kIndexAbove = 16;
constexpr std::uint32_t kFreeSlot = UINT32_MAX;

// An open-addressing table of member positions, a power of two in size and at most half full.
// Empty for small objects.
using Slots = std::vector<std::uint32_t>;

// The slot that holds `key`, or the free one where it belongs.
std::uint32_t& slot_of(Slots& slots, std::span<const Value::Member> members, std::string_view key) {
  const std::size_t mask = slots.size() - 1;
  std::size_t at = std::hash<std::string_view>()(key) & mask;
  while (slots[at] != kFreeSlot && members[slots[at]].key != key) at = (at + 1) & mask;
  return slots[at];
}

void index_members(Slots& slots, std::span<const Value::Member> members) {
  slots.clear();
  if (members.size() <= kIndexAbove) return;
  std::size_t capacity = 4 * kIndexAbove;
  while (capacity < members.size() * 2) capacity *= 2;
  slots.assign(capacity, kFreeSlot);
  for (std::size_t i = 0; i < members.size(); ++i) {
    slot_of(slots, members, members[i].key) = static_cast<std::uint32_t>(i);
  }
}

// Keeps the table right after a member was appended.
void index_last_member(Slots& slots, std::span<const Value::Member> members) {
  if (slots.size() < members.size() * 2) {
    index_members(slots, members);
  } else {
    slot_of(slots, members, members.back().key) = static_cast<std::uint32_t>(members.size() - 1);
  }
}

const Value::Member* find_member(const Slots& slots, std::span<const Value::Member> members, std::string_view key) {
  if (slots.empty()) {
    auto found = std::find_if(members.begin(), members.end(), [&](const Value::Member& m) { return m.key == key; });
    return found == members.end() ? nullptr : &*found;
  }
  const std::uint32_t at = slot_of(const_cast<Slots&>(slots), members, key);
  return at == kFreeSlot ? nullptr : &members[at];
}

const Value kNullValue;

}  // namespace

// Reference counts start at one for the handle that makes the node. Taking one needs no order;
// the last release must see everything that other holders did.
struct Value::Text {
  std::atomic<std::uint32_t> references{1};
  std::uint32_t size = 0;

  char* bytes() { return reinterpret_cast<char*>(this + 1); }
};

struct Value::Array {
  std::atomic<std::uint32_t> references{1};
  std::vector<Value> items;
};

struct Value::Object {
  std::atomic<std::uint32_t> references{1};
  std::vector<Member> members;
  std::vector<std::uint32_t> slots;
};

Value::Value(std::string_view text) : kind_(Kind::String) {
  payload_.text = nullptr;  // the empty string needs no node
  if (text.empty()) return;
  void* memory = ::operator new(sizeof(Text) + text.size());
  payload_.text = new (memory) Text;
  payload_.text->size = static_cast<std::uint32_t>(text.size());
  std::memcpy(payload_.text->bytes(), text.data(), text.size());
}

Value Value::array(std::vector<Value> items) {
  Value value;
  value.payload_.array = new Array{.items = std::move(items)};
  value.kind_ = Kind::Array;
  return value;
}

Value Value::object(std::vector<Member> members) {
  ObjectBuilder builder;
  builder.take(std::move(members));
  return std::move(builder).build();
}

Value Value::object(std::initializer_list<std::pair<std::string_view, Value>> members) {
  ObjectBuilder builder;
  for (const auto& [key, value] : members) builder.set(key, value);
  return std::move(builder).build();
}

Value Value::object() {
  return ObjectBuilder().build();
}

void Value::retain() const noexcept {
  switch (kind_) {
    case Kind::String:
      if (payload_.text != nullptr) payload_.text->references.fetch_add(1, std::memory_order_relaxed);
      break;
    case Kind::Array:
      payload_.array->references.fetch_add(1, std::memory_order_relaxed);
      break;
    case Kind::Object:
      payload_.object->references.fetch_add(1, std::memory_order_relaxed);
      break;
    default:
      break;
  }
}

void Value::release() noexcept {
  auto last = [](std::atomic<std::uint32_t>& references) {
    return references.fetch_sub(1, std::memory_order_acq_rel) == 1;
  };
  switch (kind_) {
    case Kind::String:
      if (payload_.text != nullptr && last(payload_.text->references)) {
        payload_.text->~Text();
        ::operator delete(payload_.text);
      }
      break;
    case Kind::Array:
      if (last(payload_.array->references)) delete payload_.array;
      break;
    case Kind::Object:
      if (last(payload_.object->references)) delete payload_.object;
      break;
    default:
      break;
  }
}

std::int64_t Value::as_int(std::int64_t fallback) const {
  return is_int() ? payload_.integer : fallback;
}

double Value::as_double(double fallback) const {
  if (is_double()) return payload_.number;
  return is_int() ? static_cast<double>(payload_.integer) : fallback;
}

std::string_view Value::as_string(std::string_view fallback) const {
  if (!is_string()) return fallback;
  if (payload_.text == nullptr) return std::string_view("", 0);
  return {payload_.text->bytes(), payload_.text->size};
}

std::span<const Value> Value::items() const {
  return is_array() ? std::span<const Value>(payload_.array->items) : std::span<const Value>();
}

std::span<const Value::Member> Value::members() const {
  return is_object() ? std::span<const Member>(payload_.object->members) : std::span<const Member>();
}

std::size_t Value::size() const {
  return is_array() ? items().size() : members().size();
}

const Value* Value::find(std::string_view key) const {
  if (!is_object()) return nullptr;
  const Member* member = find_member(payload_.object->slots, payload_.object->members, key);
  return member == nullptr ? nullptr : &member->value;
}

const Value& Value::operator[](std::string_view key) const {
  const Value* found = find(key);
  return found == nullptr ? kNullValue : *found;
}

const Value& Value::at(std::size_t index) const {
  const std::span<const Value> all = items();
  return index < all.size() ? all[index] : kNullValue;
}

Value Value::with(std::string_view key, Value value) const {
  const Value* before = find(key);
  if (before != nullptr && (value.is_string() ? *before == value : before->same_tree(value))) return *this;
  ObjectBuilder builder(*this);
  builder.set(key, std::move(value));
  return std::move(builder).build();
}

Value Value::without(std::string_view key) const {
  if (!contains(key)) return *this;
  ObjectBuilder builder(*this);
  builder.remove(key);
  return std::move(builder).build();
}

Value Value::with_path(std::span<const std::string_view> path, Value value) const {
  if (path.empty()) return value;
  return with(path.front(), (*this)[path.front()].with_path(path.subspan(1), std::move(value)));
}

const Value& Value::at_path(std::span<const std::string_view> path) const {
  const Value* at = this;
  for (const std::string_view step : path) at = &(*at)[step];
  return *at;
}

bool Value::operator==(const Value& other) const {
  if (kind_ != other.kind_) return false;
  switch (kind_) {
    case Kind::Null:
      return true;
    case Kind::Bool:
    case Kind::Int:
      return payload_.integer == other.payload_.integer;
    case Kind::Double:
      return payload_.number == other.payload_.number;
    case Kind::String:
      return as_string() == other.as_string();
    case Kind::Array:
      return payload_.array == other.payload_.array || payload_.array->items == other.payload_.array->items;
    case Kind::Object:
      break;
  }
  if (payload_.object == other.payload_.object) return true;
  if (size() != other.size()) return false;
  const std::span<const Member> mine = members();
  const std::span<const Member> theirs = other.members();
  for (std::size_t i = 0; i < mine.size(); ++i) {
    // Members mostly come in the same order.
    const Value* match = mine[i].key == theirs[i].key ? &theirs[i].value : other.find(mine[i].key);
    if (match == nullptr || !(*match == mine[i].value)) return false;
  }
  return true;
}

bool Value::same_tree(const Value& other) const {
  if (kind_ != other.kind_) return false;
  switch (kind_) {
    case Kind::Null:
      return true;
    case Kind::Double:
      return payload_.number == other.payload_.number;
    case Kind::String:
      return payload_.text == other.payload_.text;
    case Kind::Array:
      return payload_.array == other.payload_.array;
    case Kind::Object:
      return payload_.object == other.payload_.object;
    default:
      return payload_.integer == other.payload_.integer;
  }
}

Value::ObjectBuilder::ObjectBuilder(const Value& base) {
  if (!base.is_object()) return;
  members_ = base.payload_.object->members;
  slots_ = base.payload_.object->slots;
}

void Value::ObjectBuilder::take(std::vector<Member> members) {
  members_ = std::move(members);
  Slots seen;
  if (members_.size() > kIndexAbove) {
    std::size_t capacity = 4 * kIndexAbove;
    while (capacity < members_.size() * 2) capacity *= 2;
    seen.assign(capacity, kFreeSlot);
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const std::span<const Member> before(members_.data(), kept);
    const Member* earlier = find_member(seen, before, members_[i].key);
    if (earlier != nullptr) {
      members_[static_cast<std::size_t>(earlier - members_.data())].value = std::move(members_[i].value);
      continue;
    }
    if (kept != i) members_[kept] = std::move(members_[i]);
    if (!seen.empty()) {
      slot_of(seen, before, members_[kept].key) = static_cast<std::uint32_t>(kept);
    }
    ++kept;
  }
  members_.resize(kept);
  if (kept > kIndexAbove) slots_ = std::move(seen);
}

Value::ObjectBuilder& Value::ObjectBuilder::set(std::string_view key, Value value) {
  if (const Value* found = find(key); found != nullptr) {
    *const_cast<Value*>(found) = std::move(value);
    return *this;
  }
  return append(std::string(key), std::move(value));
}

Value::ObjectBuilder& Value::ObjectBuilder::append(std::string key, Value value) {
  members_.push_back({std::move(key), std::move(value)});
  if (members_.size() > kIndexAbove) index_last_member(slots_, members_);
  return *this;
}

Value::ObjectBuilder& Value::ObjectBuilder::set_nonempty(std::string_view key, Value value) {
  if (!is_zero(value)) set(key, std::move(value));
  return *this;
}

Value::ObjectBuilder& Value::ObjectBuilder::remove(std::string_view key) {
  const Member* found = find_member(slots_, members_, key);
  if (found == nullptr) return *this;
  members_.erase(members_.begin() + (found - members_.data()));
  index();
  return *this;
}

void Value::ObjectBuilder::index() {
  index_members(slots_, members_);
}

const Value* Value::ObjectBuilder::find(std::string_view key) const {
  const Member* member = find_member(slots_, members_, key);
  return member == nullptr ? nullptr : &member->value;
}

Value Value::ObjectBuilder::build() && {
  Value value;
  value.payload_.object = new Object{.members = std::move(members_), .slots = std::move(slots_)};
  value.kind_ = Kind::Object;
  return value;
}

std::vector<std::string> string_items(const Value& array) {
  std::vector<std::string> texts;
  texts.reserve(array.items().size());
  for (const Value& item : array.items()) texts.emplace_back(item.as_string());
  return texts;
}

bool is_zero(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::Null:
      return true;
    case Value::Kind::Bool:
      return !value.as_bool();
    case Value::Kind::Int:
      return value.as_int() == 0;
    case Value::Kind::Double:
      return value.as_double() == 0;
    case Value::Kind::String:
      return value.as_string().empty();
    default:
      return value.empty();
  }
}

}  // namespace coracle
