#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kube/object/object.h"
#include "kube/object/resource_amounts.h"

// What objects count towards a ResourceQuota. `resource` is a resource's name with its group, as quotas write it:
// "pods", "deployments.apps".
namespace coracle::kube {

// By the names that spec.hard may hold: "pods", "requests.cpu", "count/deployments.apps",
// "gold.storageclass.storage.k8s.io/requests.storage" ... Pods that have ended count only as objects.
ResourceAmounts quota_usage(std::string_view resource, const Object& object);

// Does the quota's scope take the object in? Scopes speak of pods (and volume attributes classes of
// claims); a quota with scopes takes nothing else in.
bool quota_takes_in(const Object& quota, std::string_view resource, const Object& object);

// Adds what the object counts towards the quota to those names that `used` has already.
void add_quota_usage(const Object& quota, std::string_view resource, const Object& object, ResourceAmounts& used);

// The containers that say nothing about a compute resource which the quota limits:
// "limits.memory for: a,b; requests.cpu for: a"; empty when none.
std::string quota_missing_compute(const ResourceAmounts& hard, const Object& pod);

// The resources whose objects the names of spec.hard count, each once.
std::vector<std::string> quota_counted_resources(const ResourceAmounts& hard);

}  // namespace coracle::kube
