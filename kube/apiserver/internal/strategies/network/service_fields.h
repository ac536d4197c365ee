#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"
#include "kube/apiserver/internal/resource.h"

namespace coracle::kube::apiserver {

// What a service's spec says about itself; all of them take the spec.
inline bool is_type(const Value& spec, std::string_view type) {
  return spec["type"].as_string() == type;
}
inline bool is_headless(const Value& spec) {
  return spec["clusterIP"].as_string() == "None";
}
// A headless service without selector has no node that serves it, so its families are free.
inline bool is_unselected_headless(const Value& spec) {
  return is_headless(spec) && spec["selector"].empty();
}
bool needs_cluster_ip(const Value& spec);
bool needs_node_port(const Value& spec);
bool needs_health_check_port(const Value& spec);
bool is_externally_accessible(const Value& spec);

// clusterIP and clusterIPs, families and policy of a new service made complete and consistent.
Value complete_new_service(const Value& spec);
// The same for an update: what the caller left out is kept where the old service needed it too, and
// what only the old type needed is dropped unless the caller changed it.
Value complete_changed_service(const Value& spec, const Value& old);
// The spec of a service that was stored before these fields came into being.
Value complete_stored_service(const Value& spec);

// Upstream's ValidateService; `old` is null on create.
void validate_service(const Object& service, const Object* old, FieldErrors& errors);
void validate_service_status(const Object& service, const Object& old, FieldErrors& errors);

}  // namespace coracle::kube::apiserver
