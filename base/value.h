#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coracle {

// The one JSON-like tree of the project: immutable, shared by reference count, 16 bytes a handle.
// Integers and floating numbers are different kinds (1 and 1.0 are unequal); object members
// keep the order in which they were added. Thread-safe to read and to copy.
class Value {
 public:
  enum class Kind : std::uint8_t { Null, Bool, Int, Double, String, Array, Object };
  struct Member;
  class ObjectBuilder;
  class ArrayBuilder;

  Value() noexcept = default;                                                          // null
  Value(std::nullptr_t) noexcept {}                                                    // NOLINT: implicit by design
  Value(bool value) noexcept : kind_(Kind::Bool) { payload_.integer = value; }         // NOLINT
  Value(int value) noexcept : Value(static_cast<std::int64_t>(value)) {}               // NOLINT
  Value(unsigned value) noexcept : Value(static_cast<std::int64_t>(value)) {}          // NOLINT
  Value(std::int64_t value) noexcept : kind_(Kind::Int) { payload_.integer = value; }  // NOLINT
  Value(double value) noexcept : kind_(Kind::Double) { payload_.number = value; }      // NOLINT
  Value(std::string_view text);                                                        // NOLINT
  Value(const std::string& text) : Value(std::string_view(text)) {}                    // NOLINT
  Value(const char* text) : Value(std::string_view(text)) {}                           // NOLINT
  static Value array(std::vector<Value> items = {});
  // Members in the order given; a repeated key keeps its first place and its last value.
  static Value object(std::vector<Member> members);
  static Value object(std::initializer_list<std::pair<std::string_view, Value>> members);
  static Value object();

  Value(const Value& other) noexcept : kind_(other.kind_), payload_(other.payload_) { retain(); }
  Value(Value&& other) noexcept : kind_(std::exchange(other.kind_, Kind::Null)), payload_(other.payload_) {}
  Value& operator=(const Value& other) noexcept {
    Value copy(other);
    swap(copy);
    return *this;
  }
  Value& operator=(Value&& other) noexcept {
    Value moved(std::move(other));
    swap(moved);
    return *this;
  }
  ~Value() { release(); }
  void swap(Value& other) noexcept {
    std::swap(kind_, other.kind_);
    std::swap(payload_, other.payload_);
  }

  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::Null; }
  bool is_bool() const { return kind_ == Kind::Bool; }
  bool is_int() const { return kind_ == Kind::Int; }
  bool is_double() const { return kind_ == Kind::Double; }
  bool is_number() const { return is_int() || is_double(); }
  bool is_string() const { return kind_ == Kind::String; }
  bool is_array() const { return kind_ == Kind::Array; }
  bool is_object() const { return kind_ == Kind::Object; }

  // Each answers its fallback when the kind differs; as_double also reads integers.
  bool as_bool(bool fallback = false) const { return is_bool() ? payload_.integer != 0 : fallback; }
  std::int64_t as_int(std::int64_t fallback = 0) const;
  double as_double(double fallback = 0) const;
  std::string_view as_string(std::string_view fallback = {}) const;

  // Items of an array; empty for other kinds.
  std::span<const Value> items() const;
  // Members of an object in their order; empty for other kinds.
  std::span<const Member> members() const;
  // Number of items or members; 0 for other kinds.
  std::size_t size() const;
  bool empty() const { return size() == 0; }

  // The member, or nullptr when this is no object or has no such key.
  const Value* find(std::string_view key) const;
  bool contains(std::string_view key) const { return find(key) != nullptr; }
  // The member, or null: chains without checks, value["spec"]["replicas"].as_int(1).
  const Value& operator[](std::string_view key) const;
  // The item, or null when out of range.
  const Value& at(std::size_t index) const;

  // Copies with one change; what is no object becomes one where a key is set.
  Value with(std::string_view key, Value value) const;
  Value without(std::string_view key) const;
  Value with_path(std::span<const std::string_view> path, Value value) const;
  // What stands there; null where nothing does.
  const Value& at_path(std::span<const std::string_view> path) const;

  // Deep comparison; member order does not matter, 1 and 1.0 differ.
  bool operator==(const Value& other) const;
  // True when both share one tree (cheap; false says nothing).
  bool same_tree(const Value& other) const;

 private:
  struct Text;
  struct Array;
  struct Object;
  union Payload {
    std::int64_t integer;
    double number;
    Text* text;
    Array* array;
    Object* object;
  };

  void retain() const noexcept;
  void release() noexcept;

  Kind kind_ = Kind::Null;
  Payload payload_ = {0};
};

struct Value::Member {
  std::string key;
  Value value;
  bool operator==(const Member& other) const = default;
};

// Builds an object from nothing or from a copy of one; build() freezes it.
class Value::ObjectBuilder {
 public:
  ObjectBuilder() = default;
  explicit ObjectBuilder(const Value& base);
  // Replaces in place, or appends.
  ObjectBuilder& set(std::string_view key, Value value);
  // Appends without looking for the key; only where the caller knows that it is new.
  ObjectBuilder& append(std::string key, Value value);
  // Appends unless `value` is null, "", 0, false, empty array or empty object (Go's omitempty).
  ObjectBuilder& set_nonempty(std::string_view key, Value value);
  // Costs time in proportion to the size: who removes many keys calls remove_if().
  ObjectBuilder& remove(std::string_view key);
  template <class Unwanted>
  ObjectBuilder& remove_if(const Unwanted& unwanted) {
    std::erase_if(members_, [&](const Member& member) { return unwanted(std::string_view(member.key)); });
    index();
    return *this;
  }
  const Value* find(std::string_view key) const;
  std::size_t size() const { return members_.size(); }
  Value build() &&;

 private:
  friend class Value;
  // Begins with members whose keys may repeat.
  void take(std::vector<Member> members);
  void index();

  std::vector<Member> members_;
  std::vector<std::uint32_t> slots_;  // hash table over members_ once there are many
};

class Value::ArrayBuilder {
 public:
  ArrayBuilder& add(Value value) {
    items_.push_back(std::move(value));
    return *this;
  }
  std::size_t size() const { return items_.size(); }
  Value build() && { return Value::array(std::move(items_)); }

 private:
  std::vector<Value> items_;
};

// The texts of an array's items; an item that is no text is an empty one.
std::vector<std::string> string_items(const Value& array);

// True for null, "", 0, 0.0, false, [] and {}.
bool is_zero(const Value& value);

}  // namespace coracle
