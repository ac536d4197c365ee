#include "kube/apiserver/internal/strategies/resource_names.h"

#include <algorithm>
#include <string>

#include "kube/apiserver/internal/strategies/validation_common.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kRequestsPrefix = "requests.";

// The names without a domain that mean something, and where.
struct KnownResource {
  std::string_view name;
  bool container = false;
  bool quota = true;
  bool counted = false;  // objects rather than amounts
};
constexpr KnownResource kKnownResources[] = {
    {"cpu", true},
    {"memory", true},
    {"ephemeral-storage", true},
    {"storage", false, false},
    {"requests.cpu"},
    {"requests.memory"},
    {"requests.storage"},
    {"requests.ephemeral-storage"},
    {"limits.cpu"},
    {"limits.memory"},
    {"limits.ephemeral-storage"},
    {"pods", false, true, true},
    {"resourcequotas", false, true, true},
    {"services", false, true, true},
    {"replicationcontrollers", false, true, true},
    {"secrets", false, true, true},
    {"configmaps", false, true, true},
    {"persistentvolumeclaims", false, true, true},
    {"services.nodeports", false, true, true},
    {"services.loadbalancers", false, true, true},
};

const KnownResource* find_known(std::string_view name) {
  for (const KnownResource& row : kKnownResources) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

bool is_quota_of_huge_pages(std::string_view name) {
  return is_huge_page(name) || name.starts_with("requests.hugepages-");
}

std::string_view use_problem(std::string_view name, ResourceUse use) {
  const KnownResource* known = find_known(name);
  const bool plain = name.find('/') == std::string_view::npos;
  if (use == ResourceUse::Quota)
    return plain && !is_quota_resource(name) ? "must be a standard resource for quota" : "";
  if (use == ResourceUse::Any) return "";
  if (plain) {
    const bool fits = (known != nullptr && known->container) || is_huge_page(name);
    return fits ? "" : "must be a standard resource for containers";
  }
  return is_native_resource(name) || is_extended_resource(name) ? "" : "doesn't follow extended resource name standard";
}

}  // namespace

bool is_native_resource(std::string_view name) {
  return name.find('/') == std::string_view::npos || name.find("kubernetes.io/") != std::string_view::npos;
}

bool is_extended_resource(std::string_view name) {
  // With the prefix that quotas put before it, it is still a name.
  return !is_native_resource(name) && !name.starts_with(kRequestsPrefix) &&
         check_qualified_name(std::string(kRequestsPrefix) + std::string(name)).empty();
}

bool may_overcommit_resource(std::string_view name) {
  return is_native_resource(name) && !is_huge_page(name);
}

bool is_quota_resource(std::string_view name) {
  const KnownResource* known = find_known(name);
  return known != nullptr ? known->quota : is_quota_of_huge_pages(name);
}

bool is_huge_page(std::string_view name) {
  return name.starts_with(kHugePagePrefix);
}

bool check_resource_name(const FieldCheck& amount, std::string_view name, ResourceUse use) {
  const NameErrors findings = check_qualified_name(name);
  for (const std::string& finding : findings) amount.invalid(name, finding);
  const bool plain = name.find('/') == std::string_view::npos;
  const bool unknown = findings.empty() && plain && find_known(name) == nullptr && !is_quota_of_huge_pages(name);
  if (unknown) amount.invalid(name, "must be a standard resource type or fully qualified");
  const std::string_view problem = use_problem(name, use);
  if (!problem.empty()) amount.invalid(name, problem);
  return findings.empty() && !unknown;
}

bool is_whole(const Quantity& amount) {
  constexpr std::int64_t kMilli = 1000;
  return amount.milli_value() % kMilli == 0;
}

void check_resource_amount(const FieldCheck& amount, std::string_view name) {
  const auto quantity = Quantity::from_value(amount.value());
  if (!quantity.ok()) return;
  if (quantity->sign() < 0) amount.invalid(quantity->text(), kNotNegative);
  const KnownResource* known = find_known(name);
  const bool counted = (known != nullptr && known->counted) || is_extended_resource(name);
  if (counted && !is_whole(*quantity)) amount.invalid(quantity->text(), "must be an integer");
}

}  // namespace coracle::kube::apiserver
