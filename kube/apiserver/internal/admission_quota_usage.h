#pragma once

#include <string>
#include <vector>

#include "kube/apiserver/internal/admission_pod_resources.h"
#include "kube/apiserver/resource.h"
#include "kube/object/object.h"

namespace coracle::kube::apiserver {

// What one object counts towards a ResourceQuota, by the names that spec.hard may hold: "pods",
// "requests.cpu", "count/deployments.apps", "gold.storageclass.storage.k8s.io/requests.storage" ...
// Pods that have ended count only as objects.
ResourceAmounts quota_usage(const ResourceDescriptor& resource, const Object& object);

// Does the quota's scope take the object in? Scopes speak of pods (and volume attributes classes of
// claims); a quota with scopes takes nothing else in.
bool quota_takes_in(const Object& quota, const ResourceDescriptor& resource, const Object& object);

// The containers that say nothing about a compute resource which the quota limits:
// "limits.memory for: a,b; requests.cpu for: a"; empty when none.
std::string quota_missing_compute(const ResourceAmounts& hard, const Object& pod);

// The resource ("pods", "deployments.apps") whose objects a name of spec.hard counts; empty when none.
std::string quota_counted_resource(std::string_view hard_name);

}  // namespace coracle::kube::apiserver
