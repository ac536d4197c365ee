#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kube/apiserver/internal/resource.h"
#include "kube/apiserver/internal/stored_object.h"
#include "kube/object/selector.h"

namespace coracle::kube::apiserver {

// Which objects of a resource a list, a watch or a deletecollection wants.
class ObjectFilter {
 public:
  ObjectFilter() = default;  // everything
  // `name`: the only one wanted; empty for all. BadRequest for selectors that cannot be read and for
  // fields that the resource does not offer.
  static Result<ObjectFilter> make(const ResourceDescriptor& resource, std::string_view ns, std::string_view name,
                                   std::string_view label_selector, std::string_view field_selector);

  const std::string& namespace_() const { return namespace__; }
  // The one name that can match; empty when any can.
  const std::string& name() const { return name_; }
  // Does it look at labels, fields or names at all?
  bool selects() const { return !labels_.selects_everything() || !fields_.empty() || !name_.empty() || never_; }
  // Do label or field selectors take part (remainingItemCount is unknown then)?
  bool has_selectors() const { return has_selectors_; }
  bool matches(const StoredObject& object) const;

 private:
  Result<void> add_term(const ResourceDescriptor& resource, const FieldSelector::Term& term);
  void require_name(std::string_view name);
  std::string field_of(const StoredObject& object, const std::string& field) const;

  std::string namespace__;
  std::string name_;
  bool never_ = false;  // contradicting requirements
  bool has_selectors_ = false;
  LabelSelector labels_;
  std::vector<FieldSelector::Term> fields_;
  // Computes fields that are no plain paths; may be empty.
  std::function<std::string(const Object&, std::string_view)> field_value_;
};

}  // namespace coracle::kube::apiserver
