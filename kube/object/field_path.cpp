#include "kube/object/field_path.h"

namespace coracle::kube {

FieldPath FieldPath::child(std::string_view name) const {
  FieldPath path = *this;
  if (!path.text_.empty()) path.text_ += '.';
  path.text_ += name;
  return path;
}

FieldPath FieldPath::index(std::size_t index) const {
  return key(std::to_string(index));
}

FieldPath FieldPath::key(std::string_view key) const {
  FieldPath path = *this;
  path.text_ += '[';
  path.text_ += key;
  path.text_ += ']';
  return path;
}

}  // namespace coracle::kube
