#pragma once

#include <string_view>

#include "kube/apiserver/internal/strategies/field_check.h"
#include "kube/object/quantity.h"

namespace coracle::kube::apiserver {

// Kubernetes' own resources: names without a domain, or with its domain.
bool is_native_resource(std::string_view name);
// A device or whatever else somebody counts under a domain of their own.
bool is_extended_resource(std::string_view name);
// Pages of a size, which the rest of the name tells.
inline constexpr std::string_view kHugePagePrefix = "hugepages-";
bool is_huge_page(std::string_view name);
// Huge pages and devices cannot be promised twice: what is asked for is the limit.
bool may_overcommit_resource(std::string_view name);
bool is_quota_resource(std::string_view name);

// Who may count what: anything that is a resource, what containers can have, what quotas can limit.
enum class ResourceUse { Any, Container, Quota };
// `amount`: the entry of the list, which stands for its key. Answers whether it is the name of a resource at all.
bool check_resource_name(const FieldCheck& amount, std::string_view name, ResourceUse use);

bool is_whole(const Quantity& amount);
// An amount of that resource: not negative, and whole where halves do not exist.
void check_resource_amount(const FieldCheck& amount, std::string_view name);

}  // namespace coracle::kube::apiserver
