#pragma once

#include <string>
#include <string_view>

namespace coracle::kube {

// Where a value stands in an object, as validation messages name it: "spec.containers[0].name",
// "metadata.annotations[example.com/a]". A value; children are copies with one more step.
class FieldPath {
 public:
  FieldPath() = default;  // the object itself
  explicit FieldPath(std::string_view name) : text_(name) {}

  FieldPath child(std::string_view name) const;
  FieldPath index(std::size_t index) const;
  // An entry of a map, or of a list by its key.
  FieldPath key(std::string_view key) const;

  bool empty() const { return text_.empty(); }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace coracle::kube
