#pragma once

#include "base/result.h"
#include "kube/object/object.h"

namespace coracle::kube::apiserver {

// autoscaling/v1 knows one target, the average CPU utilization; every other metric, the behaviour and
// the conditions travel in annotations, as upstream's conversion puts them.
Result<Object> convert_autoscaler(const Object& autoscaler, const GroupVersionKind& to);

}  // namespace coracle::kube::apiserver
