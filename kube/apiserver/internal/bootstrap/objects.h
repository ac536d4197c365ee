#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "kube/apiserver/server.h"
#include "kube/object/object.h"

namespace coracle::kube::apiserver {

// The objects that must be there before anyone else may come, apart from roles. Pure data: what is in
// them follows from the options alone.
std::vector<Object> default_namespaces();
std::vector<Object> default_priority_classes();
std::vector<Object> default_priority_levels();
std::vector<Object> default_flow_schemas();

// Condition of a FlowSchema whose priority level exists, and of the default ServiceCIDR.
Value flow_schema_status(const Object& flow_schema, WallTime now);
Value service_cidr_status(WallTime now);

Object default_service_cidr(const Options& options);
// It has the first address of the service network, which must be one of IPv4.
Object kubernetes_service(const Options& options);
Object kubernetes_endpoints(const Options& options);
Object kubernetes_endpoint_slice(const Options& options);

// ConfigMap kube-system/extension-apiserver-authentication: what aggregated API servers must trust.
Object authentication_config_map(const Options& options);
// ConfigMap that says since when the use of legacy tokens is tracked.
Object legacy_token_tracking_config_map(WallTime now);
// Lease kube-system/apiserver-<hash of the address>: this API server lives.
Object identity_lease(const Options& options, std::string_view instance_id, WallTime now);

}  // namespace coracle::kube::apiserver
