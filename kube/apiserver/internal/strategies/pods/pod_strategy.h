#pragma once

#include <memory>

#include "kube/apiserver/internal/registry.h"
#include "kube/apiserver/internal/resource.h"
#include "kube/apiserver/internal/subresources.h"

namespace coracle::kube::apiserver {

// Pods: a spec that hardly ever changes, subresources for the parts that do, and a grace period.
std::shared_ptr<const Strategy> make_pod_strategy(const StandardBehaviour& behaviour);

// pods/binding, bindings and pods/eviction.
void add_pod_subresources(SubresourceTable& handlers, const ResourceTablePtr& table);

// The quality of service class that the kernel will give a pod.
std::string_view pod_qos_class(const Value& pod_spec);

}  // namespace coracle::kube::apiserver
