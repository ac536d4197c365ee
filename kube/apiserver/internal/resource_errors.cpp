#include <string>
#include <unordered_set>

#include "kube/apiserver/internal/resource_store.h"

namespace coracle::kube::apiserver {

namespace {

ErrorDetails details_of(const ResourceDescriptor& resource, std::string_view name) {
  ErrorDetails details;
  details.name = name;
  details.group = resource.gvk.group;
  details.kind = resource.resource;
  return details;
}

std::string quoted_name(std::string_view name) {
  return "\"" + std::string(name) + "\"";
}

}  // namespace

Error not_found(const ResourceDescriptor& resource, std::string_view name) {
  return Error(Reason::NotFound, resource.qualified_resource() + " " + quoted_name(name) + " not found")
      .with_details(details_of(resource, name));
}

Error forbidden(const ResourceDescriptor& resource, std::string_view name, std::string_view why) {
  return Error(Reason::Forbidden,
               resource.qualified_resource() + " " + quoted_name(name) + " is forbidden: " + std::string(why))
      .with_details(details_of(resource, name));
}

Error already_exists(const ResourceDescriptor& resource, std::string_view name) {
  return Error(Reason::AlreadyExists, resource.qualified_resource() + " " + quoted_name(name) + " already exists")
      .with_details(details_of(resource, name));
}

Error conflict(const ResourceDescriptor& resource, std::string_view name, std::string_view message) {
  return Error(Reason::Conflict, "Operation cannot be fulfilled on " + resource.qualified_resource() + " " +
                                     quoted_name(name) + ": " + std::string(message))
      .with_details(details_of(resource, name));
}

Error invalid(const GroupVersionKind& gvk, std::string_view name, const FieldErrors& errors) {
  std::unordered_set<std::string> seen;
  std::string texts;
  for (const Cause& error : errors) {
    const auto [text, is_new] = seen.insert(error.field + ": " + error.message);
    if (is_new) texts += (texts.empty() ? "" : ", ") + *text;
  }
  std::string message = gvk.kind + (gvk.group.empty() ? "" : "." + gvk.group) + " " + quoted_name(name) + " is invalid";
  if (!seen.empty()) message += ": " + (seen.size() == 1 ? texts : "[" + texts + "]");
  ErrorDetails details;
  details.name = name;
  details.group = gvk.group;
  details.kind = gvk.kind;
  return Error(Reason::Invalid, std::move(message)).with_details(std::move(details)).with_causes(errors);
}

}  // namespace coracle::kube::apiserver
