#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/value.h"
#include "kube/object/path_element.h"

namespace coracle::kube::patch {

using FieldPathElements = std::vector<PathElement>;

// A set of fields of an object, as managedFields stores it (fieldsV1): a sorted tree of path
// elements, each of which may itself belong to the set ("." in fieldsV1) and have others below it.
// https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
class FieldSet {
 public:
  struct Entry;

  FieldSet() = default;
  // Dotted names of struct fields: {"spec", "metadata.labels"}.
  static FieldSet of_fields(std::initializer_list<std::string_view> dotted_paths);
  // Reads fieldsV1; BadRequest names the key that is wrong.
  static Result<FieldSet> from_fields_v1(const Value& fields);
  Value to_fields_v1() const;

  bool empty() const { return entries_.empty(); }
  std::span<const Entry> entries() const { return entries_; }
  bool contains(std::span<const PathElement> path) const;
  void insert(std::span<const PathElement> path);

  // What belongs to both; parents count only where both name them.
  FieldSet intersection(const FieldSet& other) const;
  FieldSet united(const FieldSet& other) const;
  // Removes exactly the members of `other`: what lies below a removed parent stays.
  FieldSet difference(const FieldSet& other) const& { return FieldSet(*this).difference(other); }
  FieldSet difference(const FieldSet& other) && {
    remove(other, false);
    return std::move(*this);
  }
  // Removes the members of `other` and everything below them.
  FieldSet recursive_difference(const FieldSet& other) const& { return FieldSet(*this).recursive_difference(other); }
  FieldSet recursive_difference(const FieldSet& other) && {
    remove(other, true);
    return std::move(*this);
  }
  bool intersects(const FieldSet& other) const;
  // Members that have nothing below them.
  FieldSet leaves() const;

  // Every path of the set: at each level the members first, then what lies deeper.
  void for_each(const std::function<void(std::span<const PathElement>)>& visit) const;

  const Entry* find(const PathElement& element) const;
  // Adds an entry; the caller calls sort() once before the set is used.
  void append(Entry entry);
  void sort();

  bool operator==(const FieldSet& other) const;

 private:
  void remove(const FieldSet& other, bool with_children);
  void for_each(FieldPathElements& path, const std::function<void(std::span<const PathElement>)>& visit) const;
  Entry& descend(const PathElement& element);

  std::vector<Entry> entries_;
};

struct FieldSet::Entry {
  PathElement element;
  bool member = false;
  FieldSet below;
  bool operator==(const Entry& other) const = default;
};

// ".spec.containers[name="c"].image", as conflict messages print a path.
std::string readable_path(std::span<const PathElement> path);

}  // namespace coracle::kube::patch
