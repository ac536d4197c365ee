#pragma once

#include <string_view>

#include "kube/apiserver/internal/resource.h"
#include "kube/object/field_path.h"

// What resource.k8s.io says of devices: those that nodes offer, and those that claims ask for.
namespace coracle::kube::apiserver {

void check_repeated_items(const Value& list, std::string_view key, const FieldPath& path, FieldErrors& errors);

void check_device_label(const Value& name, const FieldPath& path, FieldErrors& errors);
void check_device_pool(const Value& name, const FieldPath& path, FieldErrors& errors);
// "[domain/]name" of an attribute or a capacity.
void check_device_attribute_name(std::string_view name, const FieldPath& path, FieldErrors& errors);
// What has to be true of a device before a pod is bound to its node, and what then makes that fail; `owner` holds both.
void check_binding_conditions(const Value& owner, const FieldPath& path, FieldErrors& errors);

// deviceclasses, resourceclaims and the spec inside of a template
void check_device_class(const Object& object, const Object* old, FieldErrors& errors);
void check_device_claim(const Value& devices, const FieldPath& path, FieldErrors& errors);
void check_device_claim_status(const Object& object, const Object& old, FieldErrors& errors);

// resourceslices
void check_device_slice(const Object& object, const Object* old, FieldErrors& errors);

}  // namespace coracle::kube::apiserver
