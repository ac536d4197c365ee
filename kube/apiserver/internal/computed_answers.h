#pragma once

#include <string>
#include <vector>

#include "kube/apiserver/internal/health.h"
#include "kube/apiserver/internal/request_scope.h"
#include "kube/apiserver/internal/resource.h"
#include "kube/apiserver/internal/subresources.h"

// Answers with objects that are computed for the request and stored nowhere, in every representation
// that stored ones have.
namespace coracle::kube::apiserver {

Result<http::Response> computed_object(const RequestScope& scope, const ResourcePtr& resource, const Object& object);
Result<http::Response> computed_list(const RequestScope& scope, const ResourcePtr& resource,
                                     const std::vector<Object>& objects);

// GET and LIST of componentstatuses: the store, which clients know as etcd-0. `check` says what is wrong with
// it, "" for nothing.
SubresourceHandler make_component_statuses(ResourcePtr resource, Health::Check check);

}  // namespace coracle::kube::apiserver
