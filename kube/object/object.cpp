#include "kube/object/object.h"

#include <utility>

namespace coracle::kube {
namespace {

std::string join_group_version(const std::string& group, const std::string& version) {
  return group.empty() ? version : group + "/" + version;
}

OwnerReference read_owner(const Value& entry) {
  return {std::string(entry["apiVersion"].as_string()),
          std::string(entry["kind"].as_string()),
          std::string(entry["name"].as_string()),
          std::string(entry["uid"].as_string()),
          entry["controller"].as_bool(),
          entry["blockOwnerDeletion"].as_bool()};
}

// Labels and annotations vanish with their last entry.
Object with_map_entry(const Object& object, std::string_view field, std::string_view key, Value value) {
  const Value& map = object.metadata()[field];
  if (!value.is_null()) return object.with_metadata(field, map.with(key, std::move(value)));
  if (!map.contains(key)) return object;
  Value rest = map.without(key);
  return object.with_metadata(field, rest.empty() ? Value() : std::move(rest));
}

}  // namespace

std::string GroupVersionKind::api_version() const {
  return join_group_version(group, version);
}

GroupVersionKind GroupVersionKind::parse(std::string_view api_version, std::string_view kind) {
  const std::size_t slash = api_version.find('/');
  if (slash == std::string_view::npos) return {"", std::string(api_version), std::string(kind)};
  return {std::string(api_version.substr(0, slash)), std::string(api_version.substr(slash + 1)), std::string(kind)};
}

std::string GroupVersionResource::api_version() const {
  return join_group_version(group, version);
}

bool Object::has_finalizer(std::string_view finalizer) const {
  for (const Value& entry : metadata()["finalizers"].items()) {
    if (entry.as_string() == finalizer) return true;
  }
  return false;
}

std::vector<OwnerReference> Object::owner_references() const {
  std::vector<OwnerReference> owners;
  for (const Value& entry : metadata()["ownerReferences"].items()) owners.push_back(read_owner(entry));
  return owners;
}

std::optional<OwnerReference> Object::controller() const {
  for (const Value& entry : metadata()["ownerReferences"].items()) {
    if (entry["controller"].as_bool()) return read_owner(entry);
  }
  return std::nullopt;
}

Object Object::with_metadata(std::string_view field, Value value) const {
  const Value& old = metadata();
  if (value.is_null()) {
    return old.contains(field) ? Object(tree_.with("metadata", old.without(field))) : *this;
  }
  return Object(tree_.with("metadata", old.with(field, std::move(value))));
}

Object Object::with_label(std::string_view key, std::string_view value) const {
  return with_map_entry(*this, "labels", key, Value(value));
}

Object Object::with_annotation(std::string_view key, std::string_view value) const {
  return with_map_entry(*this, "annotations", key, Value(value));
}

Object Object::without_annotation(std::string_view key) const {
  return with_map_entry(*this, "annotations", key, Value());
}

Object Object::with_finalizer(std::string_view finalizer) const {
  if (has_finalizer(finalizer)) return *this;
  const auto old = metadata()["finalizers"].items();
  std::vector<Value> finalizers(old.begin(), old.end());
  finalizers.emplace_back(finalizer);
  return with_metadata("finalizers", Value::array(std::move(finalizers)));
}

Object Object::without_finalizer(std::string_view finalizer) const {
  if (!has_finalizer(finalizer)) return *this;
  std::vector<Value> rest;
  for (const Value& entry : metadata()["finalizers"].items()) {
    if (entry.as_string() != finalizer) rest.push_back(entry);
  }
  return with_metadata("finalizers", rest.empty() ? Value() : Value::array(std::move(rest)));
}

}  // namespace coracle::kube
