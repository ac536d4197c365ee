#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"
#include "kube/apiserver/internal/resource.h"
#include "kube/schema/schema.h"

namespace coracle::kube::apiserver {

// OpenAPI 2.0 for older clients, 3.0 for newer ones.
enum class OpenApiDialect : std::uint8_t { V2, V3 };

// The named types of one document, each written once, with everything that they refer to.
class OpenApiTypes {
 public:
  // `own` is the group and version of a document that has one ("apps", "v1"); its kind means nothing.
  explicit OpenApiTypes(OpenApiDialect dialect, GroupVersionKind own = {}) : dialect_(dialect), own_(std::move(own)) {}

  // {"$ref": ...} to a built-in type; empty for a name that is not known.
  Value reference(std::string_view type_name);
  // The same for a kind by group, version and kind.
  Value reference_to_kind(const GroupVersionKind& gvk);
  // The same for a custom resource and for its list, whose types are written on the way.
  Value reference_to_custom(const ResourceDescriptor& resource, bool list);

  // Every type that was referred to, by name.
  Value build();

 private:
  Value link(std::string_view name) const;
  Value reference_to(const Schema& schema);
  Value node(const Schema& schema);
  Value body(const Schema& schema);
  Value typed_form(const Schema& schema);
  Value field(const Field& field);
  Value element(const Schema& schema);
  Value kinds_of_type(std::string_view name) const;
  // A type with more members, where the dialect allows them.
  Value with_members(const Value& type, const Value& members) const;
  Value structure(const Schema& schema);
  Value object_properties(const Value& given);
  // A custom resource's schema in which embedded resources have the members of every object.
  Value with_embedded_objects(const Value& schema);
  void add_custom(const ResourceDescriptor& resource, const std::string& name);
  void add_custom_list(const ResourceDescriptor& resource, const std::string& name, const std::string& item);

  const OpenApiDialect dialect_;
  const GroupVersionKind own_;
  std::map<std::string, Value, std::less<>> types_;
  std::vector<const Schema*> pending_;
};

// As x-kubernetes-group-version-kind has it.
Value openapi_kind(const GroupVersionKind& gvk);

// "com.example.stable.v1.CronTab"
std::string custom_type_name(const GroupVersionKind& gvk);

}  // namespace coracle::kube::apiserver
