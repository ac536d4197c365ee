#include "kube/apiserver/internal/object_defaults.h"

#include "kube/schema/defaulting.h"

namespace coracle::kube::apiserver {

Object default_object(const ResourceDescriptor& resource, const Object& object, WallTime now) {
  if (resource.schema == nullptr) return object;
  return Object(apply_defaults(object.tree(), *resource.schema, now));
}

}  // namespace coracle::kube::apiserver
