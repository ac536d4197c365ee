#include <algorithm>

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
  std::vector<std::string> texts;
  for (const Cause& error : errors) {
    std::string text = error.field + ": " + error.message;
    if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(std::move(text));
  }
  std::string message = gvk.kind + (gvk.group.empty() ? "" : "." + gvk.group) + " " + quoted_name(name) + " is invalid";
  if (texts.size() == 1) message += ": " + texts.front();
  if (texts.size() > 1) {
    message += ": [";
    for (std::size_t i = 0; i < texts.size(); ++i) message += (i > 0 ? ", " : "") + texts[i];
    message += "]";
  }
  ErrorDetails details;
  details.name = name;
  details.group = gvk.group;
  details.kind = gvk.kind;
  return Error(Reason::Invalid, std::move(message)).with_details(std::move(details)).with_causes(errors);
}

}  // namespace coracle::kube::apiserver
