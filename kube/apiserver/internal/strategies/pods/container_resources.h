#pragma once

#include <set>
#include <string_view>

#include "kube/apiserver/internal/strategies/field_check.h"
#include "kube/apiserver/internal/strategies/pods/pod_template.h"

namespace coracle::kube::apiserver {

using ClaimNames = std::set<std::string_view>;

// Requests, limits and claims of a container.
void check_container_resources(const FieldCheck& resources, const ClaimNames& claims, const PodSpecOptions& options);
// Those of a pod as a whole, which bound what its containers ask for.
void check_pod_resources(const FieldCheck& spec, const ClaimNames& claims, const PodSpecOptions& options);
// What a pod costs beside its containers.
void check_overhead(const FieldCheck& overhead, const PodSpecOptions& options);
// spec.resourceClaims.
void check_resource_claims(const FieldCheck& claims, const PodSpecOptions& options);
// Does a container ask for parts of a huge page, as it once could?
bool has_odd_pages(const Value& pod_spec);
ClaimNames claim_names(const Value& claims);

}  // namespace coracle::kube::apiserver
