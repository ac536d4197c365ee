#pragma once

#include "base/result.h"
#include "kube/apiserver/internal/subresources.h"

namespace coracle::kube::apiserver {

// GET, PUT and PATCH of <resource>/<name>/scale (autoscaling/v1 Scale) for every resource whose
// replicas stand at spec.replicas and status.replicas, or where its CRD says.
Result<http::Response> serve_scale(SubresourceCall& call);

}  // namespace coracle::kube::apiserver
