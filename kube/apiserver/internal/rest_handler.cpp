#include "kube/apiserver/internal/rest_handler.h"

#include <algorithm>
#include <utility>

#include "base/json/json.h"
#include "base/text.h"
#include "kube/apiserver/internal/handler_chain.h"
#include "kube/apiserver/internal/media_type.h"
#include "kube/apiserver/internal/responses.h"
#include "kube/apiserver/internal/scale.h"
#include "kube/object/names.h"

namespace coracle::kube::apiserver {

namespace {

bool has_verb(const std::vector<std::string>& verbs, std::string_view verb) {
  return std::find(verbs.begin(), verbs.end(), verb) != verbs.end();
}

Error unknown_resource() {
  return Error(Reason::NotFound, "the server could not find the requested resource");
}

}  // namespace

OutputOffer offer_of(const ResourceDescriptor& resource) {
  OutputOffer offer;
  offer.protobuf = !resource.custom;
  offer.table = resource.table != nullptr;
  return offer;
}

Result<ObjectEncoder> encoder_for(const RequestScope& scope, const ResourcePtr& resource, const OutputOffer& offer) {
  ASSIGN_OR_RETURN(OutputType output, negotiate_output(scope.request, offer));
  IncludeObject include = IncludeObject::Metadata;
  const std::string_view wanted = scope.query.get("includeObject");
  if (wanted == "None") include = IncludeObject::None;
  if (wanted == "Object") include = IncludeObject::Object;
  const bool known = wanted.empty() || wanted == "None" || wanted == "Metadata" || wanted == "Object";
  if (output.transform == Transform::Table && !known) {
    return bad_request("Unable to convert to Table as requested: includeObject: Invalid value: \"" +
                       std::string(wanted) + "\": must be 'Metadata', 'Object', 'None', or empty");
  }
  return ObjectEncoder(resource, std::move(output), include, scope.context.clock().wall());
}

http::Response encoded_response(int code, const OutputType& output, std::vector<http::Bytes> body) {
  http::Response response;
  response.status = code;
  response.headers.set("Content-Type", output.content_type());
  response.body = std::move(body);
  return response;
}

Result<Object> read_named_body(RequestScope& scope, const ResourceDescriptor& resource, bool name_required) {
  ASSIGN_OR_RETURN(Object object, read_body(scope, resource.gvk, resource.schema(), resource.custom));
  const std::string& ns = scope.info.namespace_;
  if (resource.namespaced && !object.namespace_().empty() && object.namespace_() != ns) {
    return namespace_mismatch();
  }
  if (!resource.namespaced && !object.namespace_().empty()) {
    object = object.with_metadata("namespace", Value());
  } else if (resource.namespaced && object.namespace_().empty()) {
    object = object.with_metadata("namespace", ns);
  }
  if (name_required) TRY(check_name_of_url(object, scope.info.name));
  return object;
}

Result<http::Response> RestHandler::serve_nothing(const RequestScope& scope) const {
  const std::vector<std::string_view> parts = split(scope.request.path, '/');
  const std::string_view root = parts.size() > 1 ? parts[1] : "";
  const bool core = root == "api" || (root == "version" && parts.size() > 2);
  if (core || (root == "apis" && parts.size() > 3 && registry_.table()->has_builtin_group(parts[2]))) {
    return unknown_resource();
  }
  return page_not_found();
}

Result<http::Response> RestHandler::serve(RequestScope& scope) {
  const RequestInfo& info = scope.info;
  if (info.odd_path && scope.request.path.starts_with("//")) return page_not_found();
  const ResourceTablePtr table = registry_.table();
  ResourcePtr resource = table->find(info.group, info.version, info.resource);
  if (resource == nullptr) {
    // Whoever serves custom resources knows the group only by its versions.
    if (!table->has_builtin_group(info.group)) return page_not_found();
    return unknown_resource();
  }
  // Namespaces are named in their own path; everything else is namespaced by it or not at all.
  const bool of_namespaces = info.resource == "namespaces" && info.group.empty();
  const bool own_path = of_namespaces && info.namespace_ == info.name;
  if (!info.namespace_.empty() && !own_path && !resource->namespaced) return unknown_resource();
  if (info.odd_path || (!info.rest.empty() && info.subresource != "proxy")) return unknown_resource();
  if (of_namespaces) scope.info.namespace_.clear();
  if (!resource->serves(info.subresource)) return unknown_resource();
  if (!resource->deprecation_warning.empty()) scope.warnings.add(resource->deprecation_warning);
  Request request{scope, std::move(resource)};
  return info.subresource.empty() ? serve_resource(request) : serve_subresource(request);
}

// What the method and the name in the path may not be, whatever is asked of the resource.
Result<void> RestHandler::check_addressed(const Request& request) {
  const RequestInfo& info = request.scope.info;
  // Built-in resources have no HEAD; a proxy takes what its other end does.
  const bool head = request.scope.request.method == "HEAD" && info.subresource != "proxy";
  if (head && !request.resource->custom) return method_not_allowed();
  // A PUT says first that its body has another name.
  if (info.name.empty() || info.verb == "update" || info.verb == "create") return {};
  const std::vector<std::string> problems = check_path_segment_name(info.name);
  if (problems.empty()) return {};
  return bad_request("Name parameter invalid: " + json::write_raw(Value(info.name)) + ": " + join(problems, ";"));
}

Result<void> RestHandler::authorize_create(const RequestScope& scope) const {
  Attributes attributes = attributes_of(scope.info);
  attributes.verb = "create";
  const Decision decision = authorizer_.authorize(scope.context, scope.who(), attributes);
  if (decision.outcome == Decision::Outcome::Allow) return {};
  return forbidden(scope.who(), attributes, decision.reason);
}

Result<http::Response> RestHandler::serve_resource(const Request& request) {
  const RequestInfo& info = request.scope.info;
  const ResourceDescriptor& resource = *request.resource;
  if (!has_verb(resource.verbs, info.verb)) {
    // Where nothing can be named there is no path with a name.
    const bool nameless = resource.verbs.size() == 1 && resource.verbs.front() == "create";
    return nameless && !info.name.empty() ? unknown_resource() : method_not_allowed();
  }
  const bool reads_all = info.verb == "list" || info.verb == "watch";
  if (!resource.custom) TRY(check_accept(request.scope.request, reads_all));
  TRY(check_addressed(request));
  if (const auto* handler = subresources_.find(resource.gvk.group, resource.resource, "")) {
    SubresourceCall call{request.scope, resource, "", store_, admission_};
    return (*handler)(call);
  }
  if (resource.storage_prefix.empty()) {
    return Error(Reason::Unsupported, resource.qualified_resource() + " are not served by this API server");
  }
  if (reads_all && !is_read(request.scope.request)) return method_not_allowed();
  // Nothing but a list or a watch reaches across namespaces.
  if (!reads_all && resource.namespaced && info.namespace_.empty()) {
    return info.name.empty() ? method_not_allowed() : unknown_resource();
  }
  if (info.name.empty() && (info.verb == "update" || info.verb == "patch")) return method_not_allowed();
  if (!info.name.empty() && info.verb == "create") return method_not_allowed();
  if (info.verb == "get") return get(request);
  if (info.verb == "list") return list(request);
  if (info.verb == "watch") return watch(request);
  if (info.verb == "create") return create(request);
  if (info.verb == "update") return update(request);
  if (info.verb == "patch") return patch(request);
  if (info.verb == "delete") return remove(request);
  return remove_collection(request);
}

Result<http::Response> RestHandler::serve_subresource(const Request& request) {
  const RequestInfo& info = request.scope.info;
  const ResourceDescriptor& resource = *request.resource;
  const SubresourceDescriptor* subresource = resource.find_subresource(info.subresource);
  if (!has_verb(subresource->verbs, info.verb)) return method_not_allowed();
  if (!resource.custom && !is_connection(info.subresource)) TRY(check_accept(request.scope.request, false));
  TRY(check_addressed(request));
  if (const auto* handler = subresources_.find(resource.gvk.group, resource.resource, info.subresource)) {
    SubresourceCall call{request.scope, resource, info.subresource, store_, admission_};
    return (*handler)(call);
  }
  if (info.subresource == "scale") {
    SubresourceCall call{request.scope, resource, info.subresource, store_, admission_};
    return serve_scale(call);
  }
  if (info.subresource == "finalize") return finalize(request);
  // Subresources of the resource's own kind are writes of it that the strategy narrows down.
  if (subresource->kind == resource.gvk.kind && subresource->name != "log") {
    if (info.verb == "get") return get(request);
    if (info.verb == "update") return update(request);
    if (info.verb == "patch") return patch(request);
  }
  ASSIGN_OR_RETURN(const StoredObjectPtr parent,
                   store_.find(request.scope.context, resource, info.namespace_, info.name));
  if (parent == nullptr) return not_found(resource, info.name);
  return Error(Reason::ServiceUnavailable,
               "no node agent is connected that could serve " + resource.resource + "/" + info.subresource);
}

}  // namespace coracle::kube::apiserver
