#pragma once

#include <memory>
#include <string>

#include "kube/apiserver/internal/admission/chain.h"
#include "kube/apiserver/internal/authorization.h"
#include "kube/apiserver/internal/endpoint_table.h"
#include "kube/apiserver/internal/generic_store.h"
#include "kube/apiserver/internal/object_encoder.h"
#include "kube/apiserver/internal/object_filter.h"
#include "kube/apiserver/internal/registry.h"
#include "kube/apiserver/internal/request_scope.h"
#include "kube/apiserver/internal/subresources.h"

namespace coracle::kube::apiserver {

// HTTP over the generic registry: one method per verb, for every resource of the table. Thread-safe.
class RestHandler {
 public:
  // All arguments outlive it.
  RestHandler(Registry& registry, GenericStore& store, const SubresourceTable& subresources,
              const AdmissionChain& admission, Authorizer& authorizer)
      : registry_(registry),
        store_(store),
        subresources_(subresources),
        admission_(admission),
        authorizer_(authorizer) {}

  Result<http::Response> serve(RequestScope& scope);
  // A path that is nobody's: upstream has two ways to say so.
  Result<http::Response> serve_nothing(const RequestScope& scope) const;

 private:
  struct Request {
    RequestScope& scope;
    ResourcePtr resource;
  };

  static Result<void> check_addressed(const Request& request);
  Result<http::Response> serve_resource(const Request& request);
  Result<http::Response> serve_subresource(const Request& request);

  Result<http::Response> get(const Request& request);
  Result<http::Response> list(const Request& request);
  Result<http::Response> watch(const Request& request);
  Result<http::Response> create(const Request& request);
  Result<http::Response> update(const Request& request);
  Result<http::Response> patch(const Request& request);
  Result<http::Response> remove(const Request& request);
  Result<http::Response> remove_collection(const Request& request);
  Result<http::Response> finalize(const Request& request);

  Result<http::Response> write_answer(const Request& request, const WriteResult& result, int code);
  Result<http::Response> apply_patch(const Request& request, const WriteRequest& write);
  // May whoever asked for an update create the object that is not there?
  Result<void> authorize_create(const RequestScope& scope) const;

  Registry& registry_;
  GenericStore& store_;
  const SubresourceTable& subresources_;
  const AdmissionChain& admission_;
  Authorizer& authorizer_;
};

// What a resource's objects can be shown as.
OutputOffer offer_of(const ResourceDescriptor& resource);
// The encoder for one answer, its representation negotiated.
Result<ObjectEncoder> encoder_for(const RequestScope& scope, const ResourcePtr& resource, const OutputOffer& offer);
http::Response encoded_response(int code, const OutputType& output, std::vector<http::Bytes> body);
// The body's object, its name and namespace checked against the URL.
Result<Object> read_named_body(RequestScope& scope, const ResourceDescriptor& resource, bool name_required);
// What a DeleteOptions object asks for; dryRun is the write's.
DeleteOptions delete_options_of(const Value& body);
// DeleteOptions from the body, or from the query where there is none.
Result<DeleteOptions> read_delete_options(RequestScope& scope, WriteRequest& write);

}  // namespace coracle::kube::apiserver
