#include <utility>

#include "kube/patch/apply.h"
#include "kube/patch/internal/managers.h"

namespace coracle::kube::patch {
namespace {

using internal::Manager;
using internal::Managers;

constexpr std::string_view kScaleVersion = "autoscaling/v1";

FieldPathElements field_path(std::span<const std::string_view> names) {
  FieldPathElements path;
  for (const std::string_view name : names) path.push_back(PathElement::field(name));
  return path;
}

FieldSet set_of(std::span<const PathElement> path) {
  FieldSet set;
  set.insert(path);
  return set;
}

const FieldPathElements& replicas_in_scale() {
  static const FieldPathElements path{PathElement::field("spec"), PathElement::field("replicas")};
  return path;
}

Managers read_or_none(const Value& managed_fields) {
  Result<Managers> managers = internal::read_managers(managed_fields);
  return managers.ok() ? std::move(*managers) : Managers();
}

}  // namespace

Value scale_managed_fields(const Value& parent_managed_fields, std::string_view parent_api_version,
                           std::span<const std::string_view> replicas_path) {
  const FieldPathElements path = field_path(replicas_path);
  Managers owners;
  for (Manager& manager : read_or_none(parent_managed_fields)) {
    if (manager.api_version != parent_api_version || !manager.fields.contains(path)) continue;
    manager.set_fields(set_of(replicas_in_scale()));
    manager.api_version = kScaleVersion;
    owners.push_back(std::move(manager));
  }
  return internal::write_managers(std::move(owners));
}

Value parent_managed_fields(const Value& parent_fields, const Value& scale_fields, std::string_view parent_api_version,
                            std::span<const std::string_view> replicas_path) {
  const FieldPathElements path = field_path(replicas_path);
  Managers scale = read_or_none(scale_fields);
  // Under the parent's version the owners of the scale are the same managers.
  for (Manager& manager : scale) manager.api_version = parent_api_version;
  Managers result;
  for (Manager& manager : read_or_none(parent_fields)) {
    if (manager.fields.contains(path)) {
      if (Manager* same = internal::find_manager(scale, manager)) {
        scale.erase(scale.begin() + (same - scale.data()));
      } else {
        manager.set_fields(manager.fields.difference(set_of(path)));
        if (manager.fields.empty()) continue;
      }
    }
    result.push_back(std::move(manager));
  }
  for (Manager& manager : scale) {
    if (!manager.fields.contains(replicas_in_scale())) continue;
    manager.set_fields(set_of(path));
    result.push_back(std::move(manager));
  }
  return internal::write_managers(std::move(result));
}

}  // namespace coracle::kube::patch
