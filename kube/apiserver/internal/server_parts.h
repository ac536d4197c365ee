#pragma once

#include "base/executor.h"
#include "base/log.h"
#include "kube/apiserver/internal/endpoint_table.h"
#include "kube/apiserver/internal/generic_store.h"
#include "kube/apiserver/internal/registry.h"
#include "kube/apiserver/internal/subresources.h"
#include "kube/apiserver/server.h"

namespace coracle::kube::apiserver {

// What the parts of an API server share: each part takes what it needs from here while the server is
// assembled. Everything lives as long as the server.
struct ServerParts {
  Executor& executor;
  const Options& options;
  Registry& registry;
  GenericStore& store;
  SubresourceTable& subresources;
  EndpointTable& endpoints;
  Logger log;
};

}  // namespace coracle::kube::apiserver
