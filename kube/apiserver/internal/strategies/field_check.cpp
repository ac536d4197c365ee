#include "kube/apiserver/internal/strategies/field_check.h"

#include <algorithm>
#include <cassert>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

bool is_listed(std::string_view text, std::span<const std::string_view> list) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

bool has_backsteps(std::string_view path) {
  const std::vector<std::string_view> steps = split(path, '/');
  return std::find(steps.begin(), steps.end(), "..") != steps.end();
}

FieldCheck FieldCheck::step(const Step& step, const Value& value) const {
  assert(depth_ < kMaxDepth);
  FieldCheck next(value, *root_, *errors_);
  std::copy_n(steps_.begin(), depth_, next.steps_.begin());
  next.depth_ = depth_;
  if (next.depth_ < kMaxDepth) next.steps_[next.depth_++] = step;
  return next;
}

FieldCheck FieldCheck::operator[](std::string_view member) const {
  return step({member, kNoIndex, false}, (*value_)[member]);
}

FieldCheck FieldCheck::at(std::size_t index) const {
  return step({{}, index, false}, value_->at(index));
}

FieldCheck FieldCheck::entry(std::string_view key) const {
  return step({key, kNoIndex, true}, (*value_)[key]);
}

FieldCheck FieldCheck::with(const Value& value) const {
  FieldCheck other = *this;
  other.value_ = &value;
  return other;
}

FieldPath FieldCheck::path() const {
  FieldPath path = *root_;
  for (std::size_t i = 0; i < depth_; ++i) {
    const Step& one = steps_[i];
    if (one.is_key) {
      path = path.key(one.name);
    } else {
      path = one.index == kNoIndex ? path.child(one.name) : path.index(one.index);
    }
  }
  return path;
}

Value FieldCheck::shown() const {
  return value_->is_null() ? Value("") : *value_;
}

void FieldCheck::required(std::string_view detail) const {
  errors_->push_back(field_error::required(path().text(), detail));
}

void FieldCheck::invalid(std::string_view detail) const {
  invalid(shown(), detail);
}

void FieldCheck::invalid(const Value& shown, std::string_view detail) const {
  errors_->push_back(field_error::invalid(path().text(), shown, detail));
}

void FieldCheck::invalid(const NameErrors& findings) const {
  for (const std::string& finding : findings) invalid(finding);
}

void FieldCheck::forbidden(std::string_view detail) const {
  errors_->push_back(field_error::forbidden(path().text(), detail));
}

void FieldCheck::not_supported(std::span<const std::string_view> supported) const {
  errors_->push_back(field_error::not_supported(path().text(), shown(), supported));
}

void FieldCheck::duplicate() const {
  duplicate(shown());
}

void FieldCheck::duplicate(const Value& shown) const {
  errors_->push_back(field_error::duplicate(path().text(), shown));
}

void FieldCheck::not_found(std::string_view detail) const {
  errors_->push_back(field_error::not_found(path().text(), shown(), detail));
}

void FieldCheck::too_long(std::int64_t maximum) const {
  errors_->push_back(field_error::too_long(path().text(), maximum));
}

bool FieldCheck::require_no_backsteps() const {
  if (!has_backsteps(text())) return true;
  invalid("must not contain '..'");
  return false;
}

bool FieldCheck::require_at_most(std::int64_t items) const {
  const auto size = static_cast<std::int64_t>(value_->size());
  if (size > items) errors_->push_back(field_error::too_many(path().text(), size, items));
  return size <= items;
}

bool FieldCheck::require() const {
  if (!is_empty()) return true;
  required();
  return false;
}

bool FieldCheck::require_one_of(std::span<const std::string_view> supported) const {
  if (is_listed(text(), supported)) return true;
  not_supported(supported);
  return false;
}

bool FieldCheck::require_not_negative() const {
  if (number() >= 0) return true;
  invalid(kNotNegative);
  return false;
}

bool FieldCheck::require_between(std::int64_t lowest, std::int64_t highest) const {
  if (!is_set() || (number() >= lowest && number() <= highest)) return true;
  invalid("must be between " + std::to_string(lowest) + " and " + std::to_string(highest) + ", inclusive");
  return false;
}

}  // namespace coracle::kube::apiserver
