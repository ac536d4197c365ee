#include "kube/apiserver/internal/schema_validation.h"

#include "kube/schema/validation.h"

namespace coracle::kube::apiserver {

void validate_schema(const ResourceDescriptor& resource, const Object& object, const Object* old, FieldErrors& errors) {
  if (resource.storage_gvk.kind != resource.gvk.kind) return;
  // Schemas describe the served version; where the stored one is another, conversion has kept the shape valid.
  if (resource.convert && resource.storage_gvk != resource.gvk) return;
  const Schema* schema = resource.schema();
  if (schema == nullptr) return;
  const Value* before = old == nullptr ? nullptr : &old->tree();
  for (Cause& problem : validate(object.tree(), *schema, "", before)) {
    // Lists of built-in types may repeat their keys unless the kind's own rules object: a container may name an
    // environment variable twice, and any object a finalizer.
    const bool builtin = !resource.custom || problem.field.starts_with("metadata.");
    if (builtin && problem.reason == "FieldValueDuplicate") continue;
    errors.push_back(std::move(problem));
  }
  if (before == nullptr) return;
  for (Cause& problem : validate_immutable(object.tree(), *before, *schema)) {
    errors.push_back(std::move(problem));
  }
}

}  // namespace coracle::kube::apiserver
