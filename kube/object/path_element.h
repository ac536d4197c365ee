#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/value.h"

namespace coracle::kube {

// One step of a path in managedFields: a field, an item of a list by its keys, an item of a set by
// its value, or an item by position. Its text is the fieldsV1 key ("f:name", `k:{"name":"c"}`,
// `v:"x"`, "i:0"); order is upstream's (fields, keys, values, positions).
class PathElement {
 public:
  enum class Kind : std::uint8_t { Field, Key, Value, Index };

  static PathElement field(std::string_view name);
  // `keys` are sorted by name here.
  static PathElement key(std::vector<std::pair<std::string, coracle::Value>> keys);
  static PathElement value(const coracle::Value& value);
  static PathElement index(std::int64_t index);
  // Reads a fieldsV1 key; BadRequest for another text.
  static Result<PathElement> parse(std::string_view text);

  Kind kind() const { return kind_; }
  // The field's name, or the JSON text behind the prefix.
  const std::string& text() const { return text_; }
  void append_fields_v1_key(std::string& out) const;
  // ".name", `[name="c"]`, `[="x"]`, "[0]": as conflict messages print it.
  void append_readable(std::string& out) const;

  std::strong_ordering operator<=>(const PathElement& other) const;
  bool operator==(const PathElement& other) const { return kind_ == other.kind_ && text_ == other.text_; }

 private:
  PathElement(Kind kind, std::string text) : kind_(kind), text_(std::move(text)) {}
  Kind kind_;
  std::string text_;
};

}  // namespace coracle::kube
