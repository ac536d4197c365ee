#include "kube/apiserver/internal/computed_answers.h"

#include <utility>

#include "base/json/json.h"
#include "kube/apiserver/internal/list_options.h"
#include "kube/apiserver/internal/object_filter.h"
#include "kube/apiserver/internal/rest_handler.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kStoreName = "etcd-0";

// As if it came from the store, so that the encoder of stored objects can show it.
Result<StoredObjectPtr> as_stored(const Object& object) {
  ASSIGN_OR_RETURN(const store::Revision revision, parse_resource_version(object.resource_version()));
  const Value tree = object.with_metadata("resourceVersion", Value()).tree();
  return StoredObject::make(std::make_shared<const std::string>(json::write(tree)), revision);
}

Object component_status(std::string_view name, const std::string& problem) {
  const bool healthy = problem.empty();
  const Value condition = Value::object({{"type", "Healthy"},
                                         {"status", healthy ? "True" : "False"},
                                         {"message", healthy ? std::string("ok") : problem}});
  return Object(Value::object({{"kind", "ComponentStatus"},
                               {"apiVersion", "v1"},
                               {"metadata", Value::object({{"name", name}})},
                               {"conditions", Value::array({condition})}}));
}

}  // namespace

Result<http::Response> computed_object(const RequestScope& scope, const ResourcePtr& resource, const Object& object) {
  OutputOffer offer = offer_of(*resource);
  offer.metadata = true;
  ASSIGN_OR_RETURN(const ObjectEncoder encoder, encoder_for(scope, resource, offer));
  ASSIGN_OR_RETURN(const StoredObjectPtr stored, as_stored(object));
  ASSIGN_OR_RETURN(http::Bytes body, encoder.single(*stored));
  return encoded_response(200, encoder.output(), {std::move(body)});
}

Result<http::Response> computed_list(const RequestScope& scope, const ResourcePtr& resource,
                                     const std::vector<Object>& objects) {
  OutputOffer offer = offer_of(*resource);
  offer.metadata_list = true;
  ASSIGN_OR_RETURN(const ObjectEncoder encoder, encoder_for(scope, resource, offer));
  ASSIGN_OR_RETURN(const ListOptions options, read_list_options(scope.query, false));
  ASSIGN_OR_RETURN(const ObjectFilter filter, ObjectFilter::make(*resource, scope.info.namespace_, "",
                                                                 options.label_selector, options.field_selector));
  std::vector<StoredObjectPtr> shown;
  for (const Object& object : objects) {
    ASSIGN_OR_RETURN(StoredObjectPtr stored, as_stored(object));
    if (filter.matches(*stored)) shown.push_back(std::move(stored));
  }
  ASSIGN_OR_RETURN(std::vector<http::Bytes> body, encoder.list(shown, {}));
  return encoded_response(200, encoder.output(), std::move(body));
}

SubresourceHandler make_component_statuses(ResourcePtr resource, Health::Check check) {
  return [resource = std::move(resource), check = std::move(check)](SubresourceCall& call) -> Result<http::Response> {
    const std::string& name = call.scope.info.name;
    if (!name.empty() && name != kStoreName) return not_found(*resource, name);
    const Object status = component_status(kStoreName, check());
    if (!name.empty()) return computed_object(call.scope, resource, status);
    return computed_list(call.scope, resource, {status});
  };
}

}  // namespace coracle::kube::apiserver
