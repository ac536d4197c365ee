#pragma once

#include "kube/apiserver/internal/endpoint_table.h"
#include "kube/apiserver/server.h"

namespace coracle::kube::apiserver {

// /version and the list of paths at "/". `options` and `endpoints` outlive the handlers.
void add_basic_endpoints(EndpointTable& endpoints, const Options& options);

}  // namespace coracle::kube::apiserver
