#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/value.h"

namespace coracle::kube {

struct GroupVersionKind {
  std::string group;
  std::string version;
  std::string kind;
  // "apps/v1", or "v1" for the core group.
  std::string api_version() const;
  static GroupVersionKind parse(std::string_view api_version, std::string_view kind);
  auto operator<=>(const GroupVersionKind&) const = default;
};

struct GroupVersionResource {
  std::string group;
  std::string version;
  std::string resource;
  std::string api_version() const;
  auto operator<=>(const GroupVersionResource&) const = default;
};

struct ObjectKey {
  std::string namespace_;  // empty for cluster-scoped objects
  std::string name;
  std::string text() const { return namespace_.empty() ? name : namespace_ + "/" + name; }
  auto operator<=>(const ObjectKey&) const = default;
};

struct OwnerReference {
  std::string api_version;
  std::string kind;
  std::string name;
  std::string uid;
  bool controller = false;
  bool block_owner_deletion = false;
};

// An API object: one immutable tree with readers for the metadata that every object has. A handle,
// cheap to copy, safe to share between threads. Changing one makes another.
class Object {
 public:
  Object() = default;
  explicit Object(Value tree) : tree_(std::move(tree)) {}

  const Value& tree() const { return tree_; }
  const Value& operator[](std::string_view field) const { return tree_[field]; }

  std::string_view api_version() const { return tree_["apiVersion"].as_string(); }
  std::string_view kind() const { return tree_["kind"].as_string(); }
  GroupVersionKind gvk() const { return GroupVersionKind::parse(api_version(), kind()); }

  const Value& metadata() const { return tree_["metadata"]; }
  std::string_view name() const { return metadata()["name"].as_string(); }
  std::string_view generate_name() const { return metadata()["generateName"].as_string(); }
  std::string_view namespace_() const { return metadata()["namespace"].as_string(); }
  std::string_view uid() const { return metadata()["uid"].as_string(); }
  std::string_view resource_version() const { return metadata()["resourceVersion"].as_string(); }
  std::int64_t generation() const { return metadata()["generation"].as_int(); }
  std::string_view creation_timestamp() const { return metadata()["creationTimestamp"].as_string(); }
  bool deleting() const { return metadata()["deletionTimestamp"].is_string(); }
  ObjectKey key() const { return {std::string(namespace_()), std::string(name())}; }

  std::string_view label(std::string_view key) const { return metadata()["labels"][key].as_string(); }
  std::string_view annotation(std::string_view key) const { return metadata()["annotations"][key].as_string(); }
  bool has_label(std::string_view key) const { return metadata()["labels"].contains(key); }
  bool has_annotation(std::string_view key) const { return metadata()["annotations"].contains(key); }
  bool has_finalizer(std::string_view finalizer) const;
  std::vector<OwnerReference> owner_references() const;
  std::optional<OwnerReference> controller() const;

  // Copies with one change.
  Object with(std::string_view field, Value value) const { return Object(tree_.with(field, std::move(value))); }
  Object without(std::string_view field) const { return Object(tree_.without(field)); }
  Object with_metadata(std::string_view field, Value value) const;  // null removes the field
  Object with_label(std::string_view key, std::string_view value) const;
  Object with_annotation(std::string_view key, std::string_view value) const;
  Object without_annotation(std::string_view key) const;
  Object with_finalizer(std::string_view finalizer) const;
  Object without_finalizer(std::string_view finalizer) const;

  bool operator==(const Object& other) const = default;

 private:
  Value tree_;
};

}  // namespace coracle::kube
