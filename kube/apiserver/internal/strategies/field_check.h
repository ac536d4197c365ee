#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "kube/apiserver/internal/resource.h"
#include "kube/object/field_path.h"
#include "kube/object/names.h"
#include "kube/schema/validation.h"

namespace coracle::kube::apiserver {

bool is_listed(std::string_view text, std::span<const std::string_view> list);
// One of the steps of a path is "..".
bool has_backsteps(std::string_view path);

// A value of an object that is being checked, with the way to it and the list that takes what is wrong with it. The way
// becomes a text only where something is wrong: a valid pod of some hundred fields builds none. The root's path, the
// object and the texts given as names outlive the check.
class FieldCheck {
 public:
  FieldCheck(const Value& value, const FieldPath& root, FieldErrors& errors)
      : value_(&value), root_(&root), errors_(&errors) {}

  // A member; null where there is none, which still has a path.
  FieldCheck operator[](std::string_view member) const;
  // An item of a list, an entry of a map: path[index], path[key].
  FieldCheck at(std::size_t index) const;
  FieldCheck entry(std::string_view key) const;
  // The same place with another value: where the stored name of a field is not what it is called.
  FieldCheck with(const Value& value) const;

  // Until kMaxProblems are found: nobody reads more, and a small request could ask for gigabytes of them.
  template <class Check>
  void each(Check check) const {
    for (std::size_t i = 0; i < value_->size() && errors_->size() < kMaxProblems; ++i) check(at(i));
  }
  template <class Check>
  void each_entry(Check check) const {
    for (const Value::Member& member : value_->members()) {
      if (errors_->size() >= kMaxProblems) return;
      check(step({member.key, kNoIndex, true}, member.value));
    }
  }

  const Value& value() const { return *value_; }
  std::string_view text() const { return value_->as_string(); }
  std::int64_t number() const { return value_->as_int(); }
  bool is_set() const { return !value_->is_null(); }
  bool is_empty() const { return is_zero(*value_); }
  FieldPath path() const;
  FieldErrors& errors() const { return *errors_; }

  void required(std::string_view detail = {}) const;
  // An absent value is shown as an empty text.
  void invalid(std::string_view detail) const;
  void invalid(const Value& shown, std::string_view detail) const;
  void invalid(const NameErrors& findings) const;
  void forbidden(std::string_view detail) const;
  void not_supported(std::span<const std::string_view> supported) const;
  void duplicate() const;
  void duplicate(const Value& shown) const;
  void not_found(std::string_view detail = {}) const;
  void too_long(std::int64_t maximum) const;

  // The small rules that occur everywhere. Each answers whether it holds.
  bool require() const;
  bool require_one_of(std::span<const std::string_view> supported) const;
  bool require_not_negative() const;
  bool require_no_backsteps() const;
  bool require_at_most(std::int64_t items) const;
  bool require_between(std::int64_t lowest, std::int64_t highest) const;

 private:
  // Deeper than any path from a pod spec down to a value of a selector.
  static constexpr std::size_t kMaxDepth = 16;
  static constexpr std::size_t kNoIndex = static_cast<std::size_t>(-1);
  struct Step {
    std::string_view name;
    std::size_t index;  // kNoIndex: by name
    bool is_key;
  };

  FieldCheck step(const Step& step, const Value& value) const;
  Value shown() const;

  const Value* value_;
  const FieldPath* root_;
  FieldErrors* errors_;
  std::array<Step, kMaxDepth> steps_;
  std::size_t depth_ = 0;
};

}  // namespace coracle::kube::apiserver
