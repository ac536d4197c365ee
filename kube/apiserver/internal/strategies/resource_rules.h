#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kube/apiserver/internal/resource.h"

namespace coracle::kube::apiserver {

// A field that an update may not change.
struct FrozenField {
  std::string_view path;  // "spec.selector"; list items cannot be named
  std::string_view detail = "field is immutable";
  bool forbidden = false;  // Forbidden rather than Invalid, with the value
};

// What is special about one resource beside its StandardBehaviour. Every hook may be null.
struct ResourceRules {
  std::string_view group;
  std::string_view resource;
  // After the standard preparation of the main resource; `old` is null on create.
  Object (*prepare)(const WriteContext& write, const Object& object, const Object* old) = nullptr;
  // The same for /status; `old` is never null.
  Object (*prepare_status)(const WriteContext& write, const Object& object, const Object& old) = nullptr;
  void (*check)(const Object& object, const Object* old, FieldErrors& errors) = nullptr;
  std::vector<std::string> (*warn)(const Object& object, const Object* old) = nullptr;
  std::span<const FrozenField> frozen = {};
  std::string_view propagation = "Background";
  bool keeps_new_status = false;  // create takes the status that it is given
  // Of a write to /status.
  void (*check_status)(const Object& object, const Object& old, FieldErrors& errors) = nullptr;
  // The hooks say all that there is to say outside metadata, in their own words: what the schema finds does not count.
  bool replaces_schema = false;
  // Why the object of this name stays; "" when it may be deleted.
  std::string_view (*deletion_refusal)(std::string_view name) = nullptr;
};

std::span<const ResourceRules> workload_rules();
std::span<const ResourceRules> autoscaling_rules();
std::span<const ResourceRules> batch_rules();
std::span<const ResourceRules> configuration_rules();
std::span<const ResourceRules> storage_rules();
std::span<const ResourceRules> network_rules();
std::span<const ResourceRules> ingress_rules();
std::span<const ResourceRules> endpoint_rules();
std::span<const ResourceRules> role_rules();
std::span<const ResourceRules> secret_rules();
std::span<const ResourceRules> event_rules();
std::span<const ResourceRules> webhook_rules();
std::span<const ResourceRules> admission_policy_rules();
std::span<const ResourceRules> flow_rules();
std::span<const ResourceRules> device_rules();
std::span<const ResourceRules> node_rules();

// The strategy that follows the rules; null when there are none for the resource.
std::shared_ptr<const Strategy> make_ruled_strategy(std::string_view group, std::string_view resource,
                                                    const StandardBehaviour& behaviour);

}  // namespace coracle::kube::apiserver
