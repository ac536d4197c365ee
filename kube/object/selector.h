#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/value.h"

namespace coracle::kube {

// A label selector: all requirements must hold. The text form is that of ?labelSelector=
// ("a=b,c in (d,e),!f"), requirements sorted by key.
class LabelSelector {
 public:
  enum class Operator : std::uint8_t { In, NotIn, Equals, NotEquals, Exists, DoesNotExist, GreaterThan, LessThan };
  struct Requirement {
    std::string key;
    Operator op = Operator::Exists;
    std::vector<std::string> values;  // sorted, each once
    bool operator==(const Requirement&) const = default;
  };

  LabelSelector() = default;  // selects everything
  static LabelSelector everything() { return {}; }
  static LabelSelector nothing();
  // BadRequest in upstream's words.
  static Result<LabelSelector> parse(std::string_view text);
  // metav1.LabelSelector: null selects nothing, {} everything.
  static Result<LabelSelector> from_value(const Value& selector);
  // A plain map of labels, as in ReplicationController and Service.
  static LabelSelector from_labels(const Value& labels);

  bool matches(const Value& labels) const;
  bool selects_everything() const { return !nothing_ && requirements_.empty(); }
  bool selects_nothing() const { return nothing_; }
  const std::vector<Requirement>& requirements() const { return requirements_; }
  std::string text() const;
  bool operator==(const LabelSelector&) const = default;

 private:
  std::vector<Requirement> requirements_;
  bool nothing_ = false;
};

// A field selector: terms joined by ',', each field=value, field==value or field!=value, with
// '\\', '\,' and '\=' escaped in values.
class FieldSelector {
 public:
  struct Term {
    std::string field;
    std::string value;
    bool negated = false;
    bool operator==(const Term&) const = default;
  };
  // The value of a field; nothing for a field that is not selectable (it counts as "").
  using Lookup = std::function<std::string(std::string_view field)>;

  FieldSelector() = default;  // selects everything
  static Result<FieldSelector> parse(std::string_view text);

  bool matches(const Lookup& lookup) const;
  bool empty() const { return terms_.empty(); }
  const std::vector<Term>& terms() const { return terms_; }
  // The value that `field` must have, when a term demands one.
  std::optional<std::string> required_value(std::string_view field) const;
  std::string text() const;

 private:
  std::vector<Term> terms_;
};

}  // namespace coracle::kube
