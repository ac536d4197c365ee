#pragma once

#include <string_view>
#include <vector>

#include "base/value.h"
#include "kube/schema/schema.h"

namespace coracle::kube::internal {

// A structure that is being changed: fields by name, put back in the table's order. Members that the table does not
// know stay behind the others.
class StructDraft {
 public:
  StructDraft(const Value& value, const Schema& schema);

  const Schema& schema() const { return *schema_; }
  // Null where the field is absent.
  const Value& operator[](std::string_view name) const;
  // Absent or null.
  bool absent(std::string_view name) const { return (*this)[name].is_null(); }

  // Unknown names are ignored: the table of another release may lack a field.
  void set(std::string_view name, Value value);
  void set_default(std::string_view name, Value value) {
    if (absent(name)) set(name, std::move(value));
  }
  void remove(std::string_view name);
  const Value& at(std::size_t index) const { return values_[index]; }
  void set_at(std::size_t index, Value value);

  // The value that was given if nothing has changed.
  Value build() &&;

 private:
  std::size_t index_of(std::string_view name) const;

  const Schema* schema_;
  Value original_;
  std::vector<Value> values_;  // by field
  std::vector<bool> present_;
  bool changed_ = false;
};

}  // namespace coracle::kube::internal
