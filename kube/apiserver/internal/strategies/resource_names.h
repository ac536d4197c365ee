#pragma once

#include <string_view>

#include "kube/apiserver/resource.h"
#include "kube/object/field_path.h"

namespace coracle::kube::apiserver {

// Kubernetes' own resources: names without a domain, or with its domain.
bool is_native_resource(std::string_view name);
bool is_extended_resource(std::string_view name);
// May limits be higher than requests?
bool may_overcommit_resource(std::string_view name);
bool is_quota_resource(std::string_view name);

// Who may count what: anything that is a resource, what containers can have, what quotas can limit.
enum class ResourceUse { Any, Container, Quota };
void check_resource_name(std::string_view name, ResourceUse use, const FieldPath& path, FieldErrors& errors);

// An amount of that resource: not negative, and whole where halves do not exist.
void check_resource_amount(std::string_view name, const Value& amount, const FieldPath& path, FieldErrors& errors);

}  // namespace coracle::kube::apiserver
