#pragma once

#include <memory>

#include "kube/apiserver/internal/resource.h"

namespace coracle::kube::apiserver {

// Namespaces: always labelled with their name; deleted by emptying spec.finalizers, which only /finalize
// can do.
std::shared_ptr<const Strategy> make_namespace_strategy();

}  // namespace coracle::kube::apiserver
